package cassette_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/fakes/cassette"
	"github.com/latgate/latgate/providers/wire"
)

// Canaries: nothing of them may be found in a file. Each is written as it occurs, with
// the part that is secret after the bar.
var canaries = []string{
	"sk-proj-|Canary0123456789abcdefABCDEF",
	"sk-ant-api03-|CanaryAnthropicKey_0123456789",
	"AKIA|CANARYACCESSKEY01",
	"ASIA|CANARYSESSIONKEY1",
	"AIza|SyCanaryGoogleKey0123456789abcd",
	"ABSK|Canary0QmVkcm9ja0FQSUtleQ==",
	"gsk_|CanaryGroq0123456789abcdef",
	"xai-|CanaryXai0123456789abcdef",
	"hf_|CanaryHuggingFace0123456789",
	"ghp_|CanaryGithub0123456789abcdef",
	"Bearer |CanaryBearer.token-0123456789",
	"Basic |Q2FuYXJ5VXNlcjpDYW5hcnlQYXNz",
	"eyJ|hbGciOiJDYW5hcnkifQ.eyJzdWIiOiJDYW5hcnkifQ.CanarySignature0123",
	"arn:aws:bedrock:us-east-1:|998877665544:application-inference-profile/canaryprofile1",
	"account |998877665544",
	"api_key=|CanaryParameter0123456789",
	"X-Amz-Signature=|canary0123456789abcdef0123456789abcdef",
	"X-Amz-Security-Token=|CanaryIQoJb3JpZ2luX2VjEA0123456789",
	"password: |CanaryPassw0rd",
	"https://|canaryuser:canarypass@proxy.test/",
	"AWS4-HMAC-SHA256 |Credential=CANARYCRED/20260101/us-east-1/bedrock/aws4_request, SignedHeaders=host, Signature=canaryfade0123456789",
}

func planted() string { return strings.ReplaceAll(strings.Join(canaries, " ; "), "|", "") }

// found returns the canaries that a text holds, with the pieces of which they consist.
func found(text string) []string {
	var all []string
	for _, c := range canaries {
		_, secret, _ := strings.Cut(c, "|")
		for _, piece := range strings.FieldsFunc(secret, func(r rune) bool { return strings.ContainsRune(" ,=./:@;", r) }) {
			if len(piece) >= 8 && !strings.Contains(" bedrock us-east-1 aws4_request proxy Signature SignedHeaders Credential 20260101 application-inference-profile ", " "+piece+" ") &&
				strings.Contains(text, piece) {
				all = append(all, piece)
			}
		}
	}
	if i := strings.Index(strings.ToLower(text), "canary"); i >= 0 {
		all = append(all, "canary: "+text[max(0, i-30):min(len(text), i+30)])
	}
	return all
}

// everything returns all that a cassette file says: as it is, and with bodies and
// base64 decoded.
func everything(t *testing.T, path string) string {
	t.Helper()
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	if bytes.HasPrefix(raw, []byte("\x1f\x8b")) {
		z, err := gzip.NewReader(bytes.NewReader(raw))
		require.NoError(t, err)
		raw, err = io.ReadAll(z)
		require.NoError(t, err)
	}
	all := string(raw)
	c, err := cassette.Read(path)
	require.NoError(t, err)
	for _, i := range c.All() {
		all += fmt.Sprint(i.Request.Header, i.Response.Header, i.Response.Err, i.Request.Path, i.Request.Query, i.Request.Host)
		for _, body := range []string{string(i.Request.Body), string(i.Response.Body)} {
			all += body
			for _, run := range regexp.MustCompile(`[A-Za-z0-9+/]{16,}=*`).FindAllString(body, -1) {
				plain, _ := base64.StdEncoding.DecodeString(run[:len(run)/4*4])
				all += string(plain)
			}
			if plain, err := url.QueryUnescape(body); err == nil {
				all += plain
			}
		}
	}
	return all
}

func TestSecretsAreNeverWritten(t *testing.T) {
	t.Parallel()
	secret := planted()
	quoted, err := json.Marshal(secret)
	require.NoError(t, err)
	nested, err := json.Marshal(fmt.Sprintf(`{"text":%s,"lines":"a\n%s"}`, quoted, strings.ReplaceAll(secret, ` ; `, `\n`)))
	require.NoError(t, err)
	whole := fmt.Sprintf(`{"content":%s,"arguments":%s,"apiKey":"CanaryMember","client_secret":"CanaryMember2","headers":{"Authorization":"CanaryHeader","cookie":"CanaryCookie=1"},`+
		`"accounts":["998877665544"],"%s":1}`, quoted, nested, strings.NewReplacer(`"`, "", `\`, "").Replace(secret))

	var indented bytes.Buffer
	require.NoError(t, json.Indent(&indented, []byte(whole), "", "\t"))

	message := func(payload string) []byte {
		var b bytes.Buffer
		require.NoError(t, eventstream.NewEncoder().Encode(&b, eventstream.Message{
			Headers: eventstream.Headers{
				{Name: ":message-type", Value: eventstream.StringValue("event")},
				{Name: ":event-type", Value: eventstream.StringValue("chunk")},
				{Name: "note", Value: eventstream.StringValue(secret)},
			},
			Payload: []byte(payload),
		}))
		return b.Bytes()
	}
	zipped := func(body string) string {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, _ = io.WriteString(z, body)
		require.NoError(t, z.Close())
		return b.String()
	}
	replies := map[string]struct{ contentType, encoding, body string }{
		"json":                {"application/json", "", whole},
		"indented json":       {"application/json", "", indented.String()},
		"cut json":            {"application/json", "", whole[:len(whole)*4/5]},
		"events":              {"text/event-stream", "", "event: x\ndata: " + whole + "\n\n: " + secret + "\n\nid: " + secret + "\r\n\r\nerror: " + whole + "\n\n" + secret + "\n" + whole},
		"data on two lines":   {"text/event-stream", "", "data: " + strings.Replace(whole, `,"arguments"`, ",\ndata: \"arguments\"", 1) + "\n\n"},
		"plain data":          {"text/event-stream", "", "data: " + secret + "\n\ndata:" + secret + "\n\n"},
		"lines":               {"application/x-ndjson", "", whole + "\n" + whole[:len(whole)/2] + "\n" + whole + "\n"},
		"AWS event stream":    {"application/vnd.amazon.eventstream", "", string(message(whole)) + string(message(secret))},
		"model's chunk":       {"application/vnd.amazon.eventstream", "", string(message(`{"bytes":"` + base64.StdEncoding.EncodeToString([]byte(whole)) + `"}`))},
		"cut event stream":    {"application/vnd.amazon.eventstream", "", string(message(whole)) + string(message(whole)[:400])},
		"broken event stream": {"application/vnd.amazon.eventstream", "", "no event stream at all; " + secret},
		"page":                {"text/html", "", "<html>" + secret + "<p>" + whole},
		"untyped":             {"", "", whole},
		"compressed":          {"text/event-stream", "gzip", zipped("data: " + whole + "\n\n")},
		"nothing":             {"application/json", "", ""},
	}
	for _, redact := range []bool{false, true} {
		for name, reply := range replies {
			for _, file := range []string{"c.jsonl", "c.jsonl.gz"} {
				t.Run(fmt.Sprintf("%s redacted %t %s", name, redact, file), func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) {
						handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
							h := w.Header()
							h.Set("Content-Type", reply.contentType)
							if reply.encoding != "" {
								h.Set("Content-Encoding", reply.encoding)
							}
							h.Set("X-Request-Id", secret)
							h.Set("Server", secret)
							h.Set("X-Custom", "CanaryUnknownHeader")
							h.Set("Set-Cookie", "CanaryCookie")
							h.Set("Location", "https://canary.test/?"+secret)
							h.Set("Openai-Organization", "canary-org")
							h.Set("Trailer", "X-Trailer")
							_, _ = io.WriteString(w, reply.body)
							h.Set("X-Trailer", secret)
						})
						header := http.Header{
							"Authorization": {"Bearer CanaryToken"}, "X-Api-Key": {"CanaryKey"}, "X-Goog-Api-Key": {"CanaryKey"}, "Api-Key": {"CanaryKey"},
							"Cookie": {"session=CanarySession"}, "X-Amz-Security-Token": {"CanarySecurityToken"}, "X-Anything": {"CanaryAnything"},
							"User-Agent": {"app/1.0 " + secret}, "Anthropic-Beta": {secret}, "Accept-Encoding": {"gzip"},
						}
						address := "https://canaryuser:canarypass@api.test/model/" + url.PathEscape("arn:aws:bedrock:us-east-1:998877665544:inference-profile/canaryprofile") +
							"/sk-proj-Canary0123456789abc/x?key=CanaryQuery&alt=sse&X-Amz-Signature=canarysig&api-version=2024-10-21&note=" + url.QueryEscape(secret)
						body := whole
						if name == "compressed" {
							body = zipped(whole)
						}
						path := temporary(t, file)
						record(t, path, cassette.Recording{
							Name: "canaries", Redact: redact, Provenance: map[string]string{"note": secret},
						}, handler, call{url: address, body: body, header: header})
						assert.Empty(t, found(everything(t, path)))
					})
				})
			}
		}
	}
}

// An error text quotes URLs and headers; it is as clean as the rest.
func TestErrorsAreScrubbed(t *testing.T) {
	t.Parallel()
	path := temporary(t, "c.jsonl")
	recorder, err := cassette.Create(path, cassette.Recording{})
	require.NoError(t, err)
	require.NoError(t, recorder.Add(&wire.Exchange{
		Method: "POST", Host: "api.test", Path: "/v1", Ending: wire.EndNoReply, End: wire.At(ms),
		Err: errors.New("dial https://canaryuser:canarypass@proxy.test/?key=CanaryKey0123456: " + planted()),
	}))
	require.NoError(t, recorder.Close())
	assert.Empty(t, found(everything(t, path)))
}

// What a user calls secret goes as well, and nothing else does.
func TestScrub(t *testing.T) {
	t.Parallel()
	customer := regexp.MustCompile(`cust-[a-z0-9]+`)
	rec := cassette.Recording{Scrub: []cassette.Scrubber{func(b []byte) [][]int { return customer.FindAllIndex(b, -1) }}}
	x := &wire.Exchange{
		Method: "POST", Host: "api.test", Path: "/cust-42a/chat", Proto: "HTTP/1.1", Status: 200, Ending: wire.EndEOF, End: wire.At(2 * ms),
		Header: http.Header{"Content-Type": {"text/event-stream"}, "Server": {"cust-42a"}},
		Body:   []byte("data: {\"text\":\"to cust-42a, of 7 tokens: password is what?\"}\n\n"),
	}
	x.Marks = []wire.Mark{{End: int64(len(x.Body)), At: ms}}
	got := assembled(t, rec, x)
	assert.Equal(t, "data: {\"text\":\"to xxxx-11x, of 7 tokens: password is what?\"}\n\n", string(got.Body))
	assert.Equal(t, "/xxxx-11x/chat", got.Path)
	assert.Equal(t, "xxxx-11x", got.Header.Get("Server"))
}

// A reply whose compression nobody can undo cannot be searched, so it is not kept.
func TestUnknownEncodingsAreRefused(t *testing.T) {
	t.Parallel()
	_, err := cassette.Assemble(cassette.Recording{}, cassette.FromExchange(&wire.Exchange{
		Method: "POST", Status: 200, Ending: wire.EndEOF, Header: http.Header{"Content-Encoding": {"br"}}, Body: []byte("?"), Marks: []wire.Mark{{End: 1}}, End: wire.At(0),
	}))
	assert.ErrorContains(t, err, "identity")
}

func TestCredentialHeadersAreNeverKept(t *testing.T) {
	t.Parallel()
	for _, rec := range []cassette.Recording{
		{KeepHeaders: []string{"X-Api-Key"}},
		{Matching: cassette.Matching{Headers: []string{"Authorization"}}},
	} {
		_, err := cassette.Create(temporary(t, "c.jsonl"), rec)
		assert.ErrorContains(t, err, "never kept")
	}
}
