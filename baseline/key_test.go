package baseline_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/providers"
)

// A hash names directories that teams have committed: it never changes.
func TestKeyHashIsStable(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "44136fa3", baseline.Key{}.Hash(), "sha256 of {}")
	assert.Equal(t, "3b422e82", baseline.NewKey(providers.Facts{{Name: "model", Value: "m-1"}, {Name: "api", Value: "chat"}}).Hash(),
		`sha256 of {"api":"chat","model":"m-1"}`)
	assert.Equal(t, "369b022b", baseline.NewKey(identity()).Hash())
}

func TestKeyHashDoesNotDependOnOrder(t *testing.T) {
	t.Parallel()
	facts := identity()
	want := baseline.NewKey(facts).Hash()
	slices.Reverse(facts)
	assert.Equal(t, want, baseline.NewKey(facts).Hash())
}

func TestKeyHashDependsOnEveryFact(t *testing.T) {
	t.Parallel()
	seen := map[string]string{baseline.NewKey(identity()).Hash(): "nothing"}
	for _, f := range identity() {
		for _, change := range []providers.Fact{{Name: f.Name, Value: f.Value + "x"}, {Name: f.Name}} {
			hash := baseline.NewKey(identity(change)).Hash()
			assert.NotContains(t, seen, hash, "%v has the hash of another key", change)
			seen[hash] = f.Name
		}
	}
}

// What the Go benchmark format cannot hold is no part of a key.
func TestKeyHoldsWhatAFileCanHold(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ value, want string }{
		{"", ""},
		{" \t ", ""},
		{"\x00\n\x7f\u0085", ""},
		{"  a b  ", "a b"},
		{"a\nmodel: b", "a model: b"},
		{"a\r\nb\tc", "a  b c"},
		{"\xff", "\ufffd"},
		{"größer ≥ 1", "größer ≥ 1"},
	} {
		k := baseline.NewKey(providers.Facts{{Name: "region", Value: "us-east-1"}, {Name: "model", Value: test.value}})
		assert.Equal(t, test.want, k.Get("model"), "%q", test.value)
		if test.want == "" {
			assert.Len(t, k.Facts(), 1, "%q", test.value)
			assert.Equal(t, baseline.NewKey(k.Facts()[:1]).Hash(), k.Hash())
		}
		if diff := cmp.Diff(k.Facts(), baseline.NewKey(k.Facts()).Facts()); diff != "" {
			t.Errorf("a key of a key's facts is another one (-want +got):\n%s", diff)
		}
	}
}

func TestMismatchesNameTheField(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		field, stored, want string
	}{
		{"model", "m-2", `model: the baseline has "m-2", this run "anthropic.claude-haiku-4-5-20251001-v1:0"`},
		{"region", "eu-central-1", `region: the baseline has "eu-central-1", this run "us-east-1"`},
		{"load", "closed(8)", `load: the baseline has "closed(8)", this run "closed(4)"`},
		{"environment", "linux/arm64", `environment: the baseline has "linux/arm64", this run "linux/amd64"`},
		{"prompts", "aaaaaaaaaaaa", `prompts: the baseline has "aaaaaaaaaaaa", this run "037129f4d583"`},
		{"timeout", "2m0s", `timeout: the baseline has "2m0s", this run "30s"`},
		{"metrics", "metrics/0", `metrics: the baseline has "metrics/0", this run "metrics/1"`},
		{"region", "", `region: the baseline has "", this run "us-east-1"`},
		{"profile", "optimized", `profile: the baseline has "optimized", this run ""`},
	} {
		have := baseline.NewKey(identity(providers.Fact{Name: test.field, Value: test.stored}))
		mismatches := baseline.NewKey(identity()).Mismatches(have)
		if assert.Len(t, mismatches, 1, "%s %q", test.field, test.stored) {
			assert.Equal(t, test.field, mismatches[0].Name)
			assert.Equal(t, test.want, mismatches[0].String())
		}
	}
}

func TestMismatchesAreInTheOrderOfTheKeys(t *testing.T) {
	t.Parallel()
	k, same := baseline.NewKey(identity()), baseline.NewKey(identity())
	assert.Empty(t, k.Mismatches(same))

	have := baseline.NewKey(append(providers.Facts{{Name: "top-p", Value: "1"}, {Name: "profile", Value: "standard"}},
		identity(providers.Fact{Name: "region", Value: "eu-west-1"}, providers.Fact{Name: "model", Value: "m"})...))
	var names []string
	for _, m := range k.Mismatches(have) {
		names = append(names, m.Name)
	}
	assert.Equal(t, []string{"model", "region", "top-p", "profile"}, names)
}
