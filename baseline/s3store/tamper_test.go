package s3store_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/baseline/s3store"
)

// twoRuns returns a bucket with two runs, and the object of the second.
func twoRuns(t *testing.T) (*server, string) {
	t.Helper()
	s := newServer()
	store := open(t, s)
	add(t, store, run("first", started))
	add(t, store, run("second", started.AddDate(0, 0, 1)))
	return s, s.only(t, "/2026-11-21T")
}

func TestAChangedRunIsADigestError(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(data []byte) []byte{
		"a digit":   func(data []byte) []byte { return []byte(strings.Replace(string(data), "ttft-ns", "ttft-nS", 1)) },
		"truncated": func(data []byte) []byte { return data[:len(data)/2] },
		"longer":    func(data []byte) []byte { return append(data, '\n') },
		"empty":     func([]byte) []byte { return []byte{} },
		"another valid run": func([]byte) []byte {
			data, err := run("padded", started.AddDate(0, 0, 1)).Content()
			if err != nil {
				panic(err)
			}
			return data
		},
		"line ends": func(data []byte) []byte { return []byte(strings.ReplaceAll(string(data), "\n", "\r\n")) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, object := twoRuns(t)
			before := s.object(object)
			s.replace(object, change(append([]byte(nil), before...)))
			require.NotEqual(t, before, s.object(object))
			runs, err := open(t, s).Runs(key)
			var changed *s3store.DigestError
			require.ErrorAs(t, err, &changed)
			assert.Equal(t, "s3://"+s.bucket+"/"+object, changed.Object)
			assert.Len(t, changed.Want, 64)
			assert.Len(t, changed.Got, 64)
			assert.NotEqual(t, changed.Want, changed.Got)
			assert.ErrorContains(t, err, "it was changed after it was stored")
			assert.Len(t, runs, 1, "the other one can be read")
		})
	}
}

func TestADeletedRunIsADigestError(t *testing.T) {
	t.Parallel()
	s, object := twoRuns(t)
	s.replace(object, nil)
	_, err := open(t, s).Runs(key)
	var gone *s3store.DigestError
	require.ErrorAs(t, err, &gone)
	assert.Empty(t, gone.Got)
	assert.ErrorContains(t, err, object+" is gone")
}

// A name that is taken by something else is not overwritten, and not trusted.
func TestATakenNameIsADigestError(t *testing.T) {
	t.Parallel()
	s := newServer()
	add(t, open(t, s), run("x", started))
	object := s.only(t, "/runs/")
	pointer := s.only(t, "all@"+key.Hash()+".json")
	s.replace(pointer, nil)
	s.replace(object, []byte("something else"))
	_, err := open(t, s).Add(run("x", started))
	var taken *s3store.DigestError
	require.ErrorAs(t, err, &taken)
	assert.Equal(t, "something else", string(s.object(object)))
	assert.Nil(t, s.object(pointer), "nothing points there")
}

// A run with its right digest, but under the pointer of another key.
func TestARunOfAnotherKeyIsRefused(t *testing.T) {
	t.Parallel()
	s, object := twoRuns(t)
	data, err := run("foreign", started, model("another")).Content()
	require.NoError(t, err)
	old := s.object(object)
	s.replace(object, data)
	s.edit(t, s.only(t, "all@"+key.Hash()+".json"), sha256Of(old), sha256Of(data))
	_, err = open(t, s).Runs(key)
	assert.ErrorContains(t, err, object+": its key is not that of the pointer")
}

// A broken run does not keep a new one out: whoever compares hears of it.
func TestABrokenRunLetsAnotherIn(t *testing.T) {
	t.Parallel()
	s, object := twoRuns(t)
	s.replace(object, []byte("broken"))
	store := open(t, s)
	add(t, store, run("third", started.AddDate(0, 0, 1)))
	runs, err := store.Runs(key)
	var changed *s3store.DigestError
	require.ErrorAs(t, err, &changed)
	assert.Len(t, runs, 2)
}

func TestABadPointerIsRefused(t *testing.T) {
	t.Parallel()
	foreign := "runs/TestLatencyChat/all@" + baseline.NewKey(identity(model("another"))).Hash() + "/x.bench"
	own := "runs/TestLatencyChat/all@" + key.Hash()
	sum := strings.Repeat("0f", 32)
	entry := func(object, sum string) string {
		text, err := json.Marshal(map[string]string{"object": object, "sha256": sum, "time": "2026-11-20T03:17:05Z"})
		if err != nil {
			panic(err)
		}
		return string(text)
	}
	runs := func(entries string) string {
		return `{"schema": "latgate.pointer/1", "runs": [` + entries + `]}`
	}
	for _, test := range []struct{ name, document, want string }{
		{"newer", `{"schema": "latgate.pointer/2", "runs": {"all": 3}}`, `schema "latgate.pointer/2": this version of latgate reads "latgate.pointer/1"; use the version that wrote it`},
		{"none", `{}`, `schema ""`},
		{"page", "<html>\n::error::not found</html>", "not a document of latgate"},
		{"empty", "", "not a document of latgate"},
		{"cut", runs(entry(own+"/x.bench", sum))[:60], "not a document of latgate"},
		{"field", `{"schema": "latgate.pointer/1", "runs": [], "extra": 1}`, `unknown field "extra"`},
		{"twice", runs("") + runs(""), "not a document of latgate"},
		{"foreign", runs(entry(foreign, sum)), "no run of this key"},
		{"up", runs(entry(own+"/../x.bench", sum)), "no run of this key"},
		{"dots", runs(entry(own+"/..", sum)), "no run of this key"},
		{"absolute", runs(entry("/etc/passwd", sum)), "no run of this key"},
		{"address", runs(entry("https://example.com/x.bench", sum)), "no run of this key"},
		{"directory", runs(entry(own+"/a/x.bench", sum)), "no run of this key"},
		{"control", runs(entry(own+"/x\n::set-output name=a::b.bench", sum)), "no run of this key"},
		{"other object", runs(entry("baselines/probe.json", sum)), "no run of this key"},
		{"short digest", runs(entry(own+"/x.bench", sum[:62])), "want 64 hex digits"},
		{"no digest", runs(entry(own+"/x.bench", "")), "want 64 hex digits"},
		{"capitals", runs(entry(own+"/x.bench", strings.ToUpper(sum))), "want 64 hex digits"},
		{"pinned", `{"schema": "latgate.pointer/1", "runs": [], "pinned": ` + entry(foreign, sum) + `}`, "no run of this key"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s, _ := twoRuns(t)
			pointer := s.only(t, "all@"+key.Hash()+".json")
			s.replace(pointer, []byte(test.document))
			store := open(t, s)
			_, readErr := store.Runs(key)
			_, addErr := store.Add(run("third", started))
			for _, err := range []error{readErr, addErr} {
				require.ErrorContains(t, err, "s3://"+s.bucket+"/"+pointer+": ")
				require.ErrorContains(t, err, test.want)
				assert.NotRegexp(t, `[\n\r]|::[a-z]`, strings.ReplaceAll(err.Error(), "s3://", ""))
			}
			assert.Equal(t, test.document, string(s.object(pointer)), "it is left for somebody to look at")
		})
	}
}

func TestABadListOfKeysIsRefused(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ old, new, want string }{
		{"latgate.keys/1", "latgate.keys/9", "use the version that wrote it"},
		{"us-east-1", "eu-west-1", "the facts of the key"},
		{`"hash"`, `"hush"`, "unknown field"},
	} {
		s, _ := twoRuns(t)
		s.edit(t, s.only(t, "/keys.json"), test.old, test.new)
		_, err := open(t, s).Keys(key)
		require.ErrorContains(t, err, "all/keys.json: ")
		require.ErrorContains(t, err, test.want)
		_, err = open(t, s).Add(run("third", started))
		require.ErrorContains(t, err, test.want)
	}
}
