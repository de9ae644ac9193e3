package fakes

import (
	"net/http"

	"github.com/latgate/latgate/fakes/memory"
)

// A Network is a server and the only way to it, in memory; see [memory.Network]. With
// a fake as its handler, what a client measures in virtual time is what the [Script]
// says to the nanosecond.
type Network = memory.Network

// NewNetwork returns a network that leads to h.
func NewNetwork(h http.Handler) *Network { return memory.New(h) }
