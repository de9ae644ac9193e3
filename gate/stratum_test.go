package gate_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/gate"
	"github.com/latgate/latgate/report"
)

func TestParseStratum(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]gate.Stratum{
		"stored":           {Mode: report.Stored},
		"stored@eu-west-1": {Mode: report.Stored, Region: "eu-west-1"},
		"replay@a.b_c-D1":  {Mode: report.Replay, Region: "a.b_c-D1"},
	} {
		got, err := gate.ParseStratum(text)
		require.NoError(t, err)
		assert.Equal(t, want, got)
		assert.Equal(t, text, got.String())
	}
	for _, text := range []string{"", "live", "@eu", "stored@", "stored@..", "stored@eu/west", "stored@.eu", "stored@" + strings.Repeat("x", 65), "stored@a@b"} {
		_, err := gate.ParseStratum(text)
		assert.ErrorContains(t, err, "as in stored@eu-west-1", text)
	}
}

// Each region is measured whole, in shards of its own, and judged by itself: the same
// test has a row from each, and is not pooled with the other's.
func TestRegionsAreStrata(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	store := filepath.Join(dir, "store")
	for _, seed := range []string{"11", "12", "13"} {
		startPart(t, gate.Shard{Of: 1}, filepath.Join(dir, "stored-"+seed), store, "LATGATE_SEED="+seed, "LATGATE_UPDATE=1", "LATGATE_REASON=a day")()
	}
	artifacts := filepath.Join(dir, "artifacts")
	var waits []func()
	for seed, region := range map[string]string{"21": "eu-west-1", "22": "us-east-1"} {
		for i := range 2 {
			shard := gate.Shard{Index: i, Of: 2}
			out := filepath.Join(artifacts, strings.ReplaceAll(shard.String(), "/", "-of-")+"@"+region)
			waits = append(waits, startPart(t, shard, out, store, "LATGATE_REGION="+region, "LATGATE_SEED="+seed))
			writeManifest(t, out, shard, func(m *gate.Manifest) { m.Region = region })
		}
	}
	for _, wait := range waits {
		wait()
	}

	out := filepath.Join(dir, "out")
	merge := func(expect string) error {
		expected, err := gate.ParseExpected(expect)
		require.NoError(t, err)
		return gate.Merge(out, expected, artifacts)
	}
	for expect, want := range map[string]string{
		"2":                  "different modes or regions: [stored@eu-west-1 stored@us-east-1]",
		"stored=2":           "all 2 shards of mode stored are missing",
		"stored@eu-west-1=2": "a shard of mode stored@us-east-1, which is not expected",
		"stored@eu-west-1=2,stored@us-east-1=2,stored@ap-south-1=2": "all 2 shards of mode stored@ap-south-1 are missing",
		"stored@eu-west-1=2,stored@us-east-1=3":                     "is one of 2 shards, and not of 3",
	} {
		err := merge(expect)
		require.ErrorContains(t, err, want)
		assert.Equal(t, report.ExitIncomparable, gate.ExitCode(err, 0))
	}
	require.NoError(t, merge("stored@us-east-1=2,stored@eu-west-1=2"))
	build, err := gate.Judge(t.Context(), gate.Options{Dir: out, Root: dir, Mode: report.Stored})
	require.NoError(t, err)
	assert.Equal(t, baseline.Regression, build.Verdict)
	require.NoError(t, build.Write(filepath.Join(dir, "verdict.json")))
	_, err = report.Read(filepath.Join(dir, "verdict.json"))
	require.NoError(t, err)

	of := map[string][]report.Row{}
	for _, r := range build.Rows {
		require.NotEmpty(t, r.Region, "%+v", r)
		assert.Contains(t, r.Name(), " from "+r.Region)
		assert.Contains(t, r.Samples, "stored@"+r.Region+"/")
		of[r.Region] = append(of[r.Region], r)
	}
	require.Len(t, of, 2)
	eu, us := of["eu-west-1"], of["us-east-1"]
	require.Equal(t, 2*parts, len(eu), "two quantiles each")
	require.Equal(t, len(eu), len(us))
	for i := range eu {
		assert.Equal(t, eu[i].Test, us[i].Test)
		assert.Equal(t, []int{50}, eu[i].Comparison.HeadN, "not pooled")
		assert.NotEqual(t, eu[i].Comparison.Head, us[i].Comparison.Head)
	}
}
