package latencytest

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

// Bytes of any kind are an error or a result, never a panic, and no sample of a
// result is without its scenario.
func FuzzReadSamples(f *testing.F) {
	const (
		run    = `{"run":{"schema":"latgate.samples/1","metrics":"metrics/1","load":"closed(1)","timeout":"2m0s","scenarios":[{"name":"a","identity":[]}]}}` + "\n"
		sample = `{"sample":{"number":0,"scenario":"a","class":"ok","first":5,"last":9,"usage":{"output_tokens":4},"gaps":{"n":1}}}` + "\n"
		end    = `{"end":{"samples":1,"scenarios":[{"name":"a","identity":[]}]}}` + "\n"
	)
	f.Add([]byte(run + sample + end))
	f.Add([]byte(run + sample))
	f.Add([]byte(run + end + sample))
	f.Add([]byte(`{"run":{"schema":"latgate.samples/1","metrics":"metrics/1","load":"closed(1)","timeout":"0","scenarios":[null]}}` + "\n"))
	f.Add([]byte(`{"run":null}` + "\n" + `{"sample":null,"end":null}` + "\n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		res, err := readSamples(bytes.NewReader(content), "fuzz")
		if res == nil {
			require.Error(t, err)
			return
		}
		_ = res.String()
		if err != nil {
			return
		}
		inScenarios := 0
		for _, s := range res.Scenarios {
			inScenarios += len(s.Samples)
		}
		for _, s := range res.Samples {
			if s.Warmup {
				inScenarios++
			}
		}
		require.Equal(t, len(res.Samples), inScenarios)
	})
}
