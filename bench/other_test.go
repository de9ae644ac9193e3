//go:build !linux

package bench

import "testing"

// The benchmarks of processes read Linux's clocks and counters.

func BenchmarkStreams(b *testing.B) { b.Skip("!!!! NOT MEASURED: this benchmark needs Linux !!!!") }

func BenchmarkOpenLoopStall(b *testing.B) {
	b.Skip("!!!! NOT MEASURED: this benchmark needs Linux !!!!")
}

func BenchmarkReplayOfADay(b *testing.B) {
	b.Skip("!!!! NOT MEASURED: this benchmark needs Linux !!!!")
}

func BenchmarkReplayOverLoopback(b *testing.B) {
	b.Skip("!!!! NOT MEASURED: this benchmark needs Linux !!!!")
}
