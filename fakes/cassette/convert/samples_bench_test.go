package convert_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/fakes/cassette"
	"github.com/latgate/latgate/fakes/cassette/convert"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
)

// BenchmarkSamples makes a cassette of a thousand samples of a hundred events each.
func BenchmarkSamples(b *testing.B) {
	var samples []latencytest.Sample
	for n := range 1000 {
		samples = append(samples, chatSample(n, func(s *latencytest.Sample) {
			s.ContentEvents, s.Usage.Output = 100, providers.CountOf(130)
		}))
	}
	res := resultOf(samples...)
	b.ReportAllocs()
	for b.Loop() {
		c, err := convert.Samples(res, fakes.Script{}, cassette.Recording{})
		require.NoError(b, err)
		require.Equal(b, 1000, c.Len())
	}
}
