package benchmark

import (
	"os"
	"path/filepath"
	"time"

	"github.com/latgate/latgate/latencytest"
)

// A File is what a benchmark file says. Its zero values mean what docs/profile.md says
// of the keys.
type File struct {
	Path      string // where it was read from
	Providers []Provider
	Scenarios []Scenario
	Execution Execution
	Exports   []Export
}

// A Provider is an API with its settings. The names of the keys are those of the flags
// of latgate profile, with underscores.
type Provider struct {
	Name   string // of the API, such as "openai"
	Label  string // what it is called in the output
	Models []string

	BaseURL, KeyEnv, Region, Project, APIVersion, Latency, Family string

	Endpoint string // the file that describes the endpoint, from the working directory

	// Headers are sent with each request; ${NAME} in a value is that environment variable.
	Headers map[string]string

	Temperature, TopP         *float64
	TopK                      *int
	MaxTokens, ThinkingBudget int
	Fields                    map[string]any
	RateLimit                 float64

	lines map[string]int // of the keys that are given
	line  int
}

// Given reports whether the file has the key.
func (p Provider) Given(key string) bool { return p.lines[key] > 0 }

// A Scenario is a workload, which every model gets.
type Scenario struct {
	Name        string
	Prompt      string
	Prompts     string // a file of prompts, from the working directory
	System      string
	MaxTokens   int
	Requests    int // 0: not given
	Repetitions int
	Load        latencytest.LoadModel
	Duration    time.Duration
	Pause       time.Duration
	Unary       bool
	Cache       latencytest.CachePolicy

	clients int // of a closed load
	line    int
}

// An Execution is how the runs are made.
type Execution struct {
	MaxConcurrency int // 0: no limit
	Warmup         int
	Retries        int // repetitions, without the first attempt
	Backoff        time.Duration
	Timeout        time.Duration
	DialAnew       bool
	Shuffled       bool // in an order of the seed's, not in that of the file
	Seed           uint64
	Budget         float64 // dollars, over all runs; 0: no limit
	Prices         string  // a file, from the working directory
}

// An Export is a file that is written.
type Export struct {
	Format string // "json", "csv", or "jsonl": samples
	Path   string // with {timestamp}, from the working directory
}

// Read reads a benchmark file. Paths of files that are to be read count from the
// directory of the file, those of files to be written from the working directory.
func Read(path string) (*File, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return Parse(data, path)
}

// beside returns a path that the file names, from the working directory.
func (f *File) beside(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(filepath.Dir(f.Path), path)
}
