package providers_test

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"

	"github.com/latgate/latgate/providers"
)

func TestScrubHidesWhatErrorsQuote(t *testing.T) {
	t.Parallel()
	for _, secret := range []string{
		"User: arn:aws:sts::SECRET:assumed-role/ci is not authorized",
		"header Authorization: Bearer SECRET was refused",
		"header Authorization:\x00Bearer\x00SECRET was refused",
		"Get \"https://model.test/v1?api_key=SECRET&x=1\": EOF",
		`{"x-api-key": "SECRET"}`,
		`{"message":"bad header {\"x-api-key\": \"SECRET\"}"}`,
		"Incorrect API key provided: sk-SECRETSECRET",
		"AKIASECRETSECRET is unknown",
		"aws_session_token=SECRET",
		"X-Amz-Signature=SECRET",
		"Post \"https://model.test/model/arn%3Aaws%3Abedrock%3Aus-east-1%3ASECRET%3Ainference-profile%2Fx/converse\": EOF",
		"Cookie: session=SECRET; x=SECRET",
		"cookie: a=\"SECRET\"; b='SECRET'\r\nHost: model.test",
		"Set-Cookie: session=abc; Path=/; SECRET",
		"map[Cookie:[session=SECRET; x=SECRET] Host:[model.test]]",
		`{"Set-Cookie": ["session=SECRET"]}`,
		"session_cookie=SECRET",
		"no access for ghp_SECRETSECRETSECRET",
		"https://x:ghs_SECRETSECRETSECRET@github.com",
		"github_pat_11ABCDEFG0_SECRETSECRET",
		"JWT eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJTRUNSRVQifQ.SECRET-_x is expired",
		"id=eyJhbGciOiJIUzI1NiJ9.SECRET",
		"(eyJSECRETSECRET)",
	} {
		got := providers.Scrub(secret)
		assert.NotContains(t, got, "SECRET", secret)
		assert.Contains(t, got, "***", secret)
	}
	for text, want := range map[string]string{
		`invalid proxy address "http://user:hunter2@proxy"`:        `invalid proxy address "http://***@proxy"`,
		`invalid proxy address "user:hunter2@proxy:3128": no host`: `invalid proxy address "***@proxy:3128": no host`,
		"https://me:pw@host":                               "https://***@host",
		"https://me@host/path":                             "https://***@host/path",
		"http://user:p@ss/word@proxy:3128":                 "http://***@proxy:3128",
		"http://user:1/2w@proxy":                           "http://user:1/2w@proxy", // as good as a port and a path
		"http://user:1a/2@proxy":                           "http://***@proxy",
		"via http%3A%2F%2Fuser%3Ahunter2%40proxy":          "via http://***@proxy",
		"Cookie: session=abc; x=y":                         "Cookie: ***",
		"Set-Cookie: session=abc; HttpOnly\nServer: model": "Set-Cookie: *** Server: model",
	} {
		assert.Equal(t, want, providers.Scrub(text))
	}
}

func TestScrubKeepsWhatIsNoSecret(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "account *** is closed", providers.Scrub("account 123456789012 is closed"))
	for _, text := range []string{
		"The provided model identifier is invalid.",
		`Post "http://localhost:8080/models/claude-haiku-4-5@20251001": EOF`,
		"https://us-east5-aiplatform.googleapis.com/v1/models/claude-haiku-4-5@20251001:streamRawPredict",
		"dial tcp 127.0.0.1:8080: connect: connection refused",
		"mail root@model.test at 12:30",
		"weight_average_of_everything, keyJsonDocument",
	} {
		assert.Equal(t, text, providers.Scrub(text))
	}
}

func TestScrubMakesTextHarmlessInALog(t *testing.T) {
	t.Parallel()
	got := providers.Scrub("fine\n::set-output name=x::y\r\n##[error]z \xff" + strings.Repeat("long ", 100))
	assert.NotContains(t, got, "\n")
	assert.NotContains(t, got, "::")
	assert.NotContains(t, got, "##[")
	assert.Less(t, len(got), 320)
	assert.True(t, strings.HasSuffix(got, "…"))
}

// The endpoint decides how long its error is.
func TestScrubLooksAtTheStartOnly(t *testing.T) {
	t.Parallel()
	huge := strings.Repeat("token=a:b@c ", 8<<20/12)
	start := time.Now()
	for range 20 {
		got := providers.Scrub(huge)
		assert.Less(t, len(got), 320)
	}
	assert.Less(t, time.Since(start), 5*time.Second, "reading on to the end, 20 times 8 MiB, takes 20 s")

	for lead := range 30 { // wherever the cut is, no half of a secret is left
		text := "key=" + strings.Repeat("x", 4096-30+lead-len("key= ")) + " user:SECRETSECRETSECRET@host " + strings.Repeat("y", 100)
		got := providers.Scrub(text)
		assert.NotContains(t, got, "SEC")
		assert.True(t, strings.HasSuffix(got, "…"), got)
	}
}

func TestInert(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"plain text, 世界":                              "plain text, 世界",
		"a\r\nb\tc\x00d\x1b[31m\u0085e\u2028f\u2029g": "a  b c d [31m e f g",
		"a\u202eb\u2066c":                             "a b c",
		"\n::error::boom":                             " : :error: :boom",
		":::::":                                       ": : : : :",
		"##vso[task.setvariable variable=x]y":         "# #vso[task.setvariable variable=x]y",
		"##teamcity[buildStop]":                       "# #teamcity[buildStop]",
		"####[section]":                               "# # # #[section]",
		"a: b # c :# #:":                              "a: b # c :# #:",
		"bad \xff\xfe utf-8 \xe4":                     "bad \ufffd\ufffd utf-8 \ufffd",
		"key=hunter2":                                 "key=hunter2",
		strings.Repeat("long ", 1000):                 strings.Repeat("long ", 1000),
		"":                                            "",
	} {
		got := providers.Inert(text)
		assert.Equal(t, want, got)
		assert.Equal(t, got, providers.Inert(got), "once is enough")
		assert.True(t, utf8.ValidString(got))
	}
	for _, command := range []string{"##vso[task.setvariable variable=x]y", "##teamcity[buildStop]", "::add-mask::x", "##[group]", ":::x::"} {
		got := providers.Scrub("\n" + command)
		assert.NotContains(t, got, "##")
		assert.NotContains(t, got, "::")
	}
}
