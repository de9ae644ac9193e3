package bench

import "time"

// A load is what server and clients have agreed on.
//
// The server numbers requests from 0 as they arrive. Of a load with waves, the first
// Streams requests only open the connections, with a reply of one event. The next as
// many are cut shorter and shorter, so that from then on streams begin and end
// one after the other, evenly over the length of a stream. The waves that follow
// are what is measured. After them as many requests again keep the load up until
// the last measured stream has ended, and end together.
type load struct {
	URL      string
	Streams  int           // at once
	Events   int           // content events of a whole stream
	Interval time.Duration // between two events of a stream
	First    time.Duration // from the request to the first event, and up to an Interval more
	Waves    int           // whole streams after each other, of each client; 0: all streams are whole

	// From the request of this number on, the server begins no reply for as long as
	// Stall says. Zero is no stall.
	StallAt int
	Stall   time.Duration

	// For [BenchmarkOpenLoopStall].
	Rate     float64 // requests a second
	Requests int

	Cassette string // the file, for [BenchmarkReplayOfADay] and [BenchmarkReplayOverLoopback]
	CPUs     int    // GOMAXPROCS, for [BenchmarkReplayOfADay]
}

// events returns how many content events the reply to a request has.
func (l load) events(number int) int {
	wave, place := number/l.Streams, number%l.Streams
	switch {
	case l.Waves == 0 || wave > 1 && wave < l.Waves+2:
		return l.Events
	case wave == 0:
		return 1
	case wave == 1:
		return 1 + l.Events*place/l.Streams
	}
	return 1 + l.Events*(l.Streams-place)/l.Streams
}

// measured reports whether a request belongs to the waves that are measured.
func (l load) measured(number int) bool {
	return number >= 2*l.Streams && number < (2+l.Waves)*l.Streams
}

// afterWarmup is how many requests there are after the first wave.
func (l load) afterWarmup() int { return (2 + l.Waves) * l.Streams }

// phase spreads the first events evenly over an interval, whatever the order in
// which requests come.
func (l load) phase(number int) time.Duration {
	const golden = 0x9e3779b97f4a7c15 // 2⁶⁴/φ: consecutive multiples are as far apart as can be
	return time.Duration(float64(uint64(number)*golden) / (1 << 64) * float64(l.Interval))
}
