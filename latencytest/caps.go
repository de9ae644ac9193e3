package latencytest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"sync"

	"github.com/latgate/latgate/fakes/clock"
	"github.com/latgate/latgate/providers"
)

// caps bound what all runs of a process make together and, where the processes of a
// build have a common directory (LATGATE_SPENT), what those before it have made: the
// plans of a build know nothing of each other. What requests under way can cost is set
// aside.
type caps struct {
	maxRequests int     // 0: no limit
	maxUSD      float64 // 0: no limit
	dir         string  // LATGATE_SPENT; empty where there is none

	mu     sync.Mutex
	others spending // of the other processes, which have gone before
	own    spending
	aside  float64
}

// spending is what a process leaves for those after it.
type spending struct {
	Requests int     `json:"requests"`
	Dollars  float64 `json:"dollars"`
}

var processCaps struct {
	sync.Mutex
	*caps
}

// capsOf returns the caps of this process, nil where there are none. In virtual time
// nothing is spent.
func capsOf(s Settings) (*caps, error) {
	if s.MaxRequests == 0 && s.MaxUSD == 0 || Virtual() {
		return nil, nil
	}
	processCaps.Lock()
	defer processCaps.Unlock()
	c := processCaps.caps
	if c == nil || c.maxRequests != s.MaxRequests || c.maxUSD != s.MaxUSD || c.dir != s.Spent {
		c = &caps{maxRequests: s.MaxRequests, maxUSD: s.MaxUSD, dir: s.Spent}
		processCaps.caps = c
	}
	if err := c.readOthers(); err != nil {
		return nil, fmt.Errorf("LATGATE_SPENT: %w", err)
	}
	return c, nil
}

// readOthers adds up what the other processes have told.
func (c *caps) readOthers() error {
	if c.dir == "" {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.others = spending{}
	entries, err := os.ReadDir(c.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, e := range entries {
		if filepath.Ext(e.Name()) != ".json" || e.Name() == c.file() {
			continue
		}
		data, err := os.ReadFile(filepath.Join(c.dir, e.Name()))
		if err != nil {
			return err
		}
		var s spending
		if err := json.Unmarshal(data, &s); err != nil {
			return fmt.Errorf("%s: %w", e.Name(), err)
		}
		c.others.Requests += s.Requests
		c.others.Dollars += s.Dollars
	}
	return nil
}

// file is this process's own: a number alone may come up twice.
func (c *caps) file() string {
	return fmt.Sprintf("%d-%d.json", os.Getpid(), clock.ProcessStart().UnixNano())
}

// tell leaves what this process has spent so far to those after it.
func (c *caps) tell() error {
	if c == nil || c.dir == "" {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	data, err := json.Marshal(c.own)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(c.dir, 0o755); err != nil {
		return err
	}
	temporary := filepath.Join(c.dir, c.file()+".partial")
	if err := os.WriteFile(temporary, data, 0o644); err != nil {
		return err
	}
	return os.Rename(temporary, filepath.Join(c.dir, c.file()))
}

// allow takes a request that can cost so much, or says why it may not be made.
func (c *caps) allow(most float64, model string) string {
	if c == nil {
		return ""
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	made, spent := c.others.Requests+c.own.Requests, c.others.Dollars+c.own.Dollars
	switch {
	case c.maxRequests > 0 && made >= c.maxRequests:
		return fmt.Sprintf("LATGATE_MAX_REQUESTS: the %d requests that the build may make are made", c.maxRequests)
	case c.maxUSD > 0 && math.IsNaN(most):
		return fmt.Sprintf("LATGATE_MAX_USD: it cannot be kept: the price file has no price for %s", providers.Inert(model))
	case c.maxUSD > 0 && spent+c.aside+most > c.maxUSD:
		return fmt.Sprintf("LATGATE_MAX_USD: the build has spent $%.4g of $%.4g, $%.4g are set aside, and the next request can cost $%.4g",
			spent, c.maxUSD, c.aside, most)
	}
	c.own.Requests++
	if c.maxUSD > 0 {
		c.aside += most
	}
	return ""
}

// settle replaces what was set aside for a request by what it has cost.
func (c *caps) settle(most, cost float64) {
	if c == nil || c.maxUSD == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.aside = max(0, c.aside-most)
	c.own.Dollars += cost
}
