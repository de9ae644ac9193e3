// Package simulation draws latencies that look like those of endpoints, for
// calibrating the gate and for its tests: the same for the same generator.
//
//	rng := rand.New(rand.NewPCG(1, 1))
//	world := simulation.World{Distribution: simulation.Lognormal(.45), SessionSD: .03, N: 200, K: 5, Effect: 1.2}
//	stored, candidate := world.Stored(rng), world.Candidate(rng)
//
// Latencies are in milliseconds, their median being 400.
package simulation
