// Package clock wakes what sends at given times: in virtual time, inside a
// [testing/synctest] bubble, at the nanosecond; in real time as exactly as the system
// can.
//
//	alarm := clock.NewAlarm(request.Context())
//	defer alarm.Stop()
//	for _, read := range reads {
//		if !alarm.Wait(start.Add(read.At)) {
//			return // the client has gone
//		}
//		...
//	}
//
// A timer of Go's is up to a millisecond late in a process that has nothing else to do,
// because that is what such a process waits for the network in. A server that replays a
// recording has nothing else to do. On Linux an [Alarm] is therefore a timer of the
// kernel, which wakes the process as a packet does.
package clock
