// Package memory is a network in memory, for servers and clients that live in one
// process: in a [testing/synctest] bubble, where no real one works, everything that
// waits for it waits in virtual time.
//
//	synctest.Test(t, func(t *testing.T) {
//		network := memory.New(handler)
//		defer network.Close()
//		resp, err := network.Client().Get("https://api.example.com/v1/models")
//		…
//	})
package memory
