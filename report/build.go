package report

import (
	"time"

	"github.com/latgate/latgate/baseline"
)

// Schema is the version of the file format. A reader refuses any other.
const Schema = "latgate.verdict/1"

// A Build is the verdict on everything that one run of a build measured.
type Build struct {
	Schema string `json:"schema"`
	Tool   string `json:"tool"` // the version of latgate that judged

	Mode       Mode   `json:"mode"`
	ModeReason string `json:"mode_reason,omitzero"` // why this mode
	Base       string `json:"base,omitzero"`        // the commit whose baselines were compared with
	Head       string `json:"head,omitzero"`        // the commit that was measured

	Started time.Time `json:"started"` // UTC, of the first measurement
	Ended   time.Time `json:"ended"`   // UTC, of the last

	Verdict  baseline.Verdict `json:"verdict"` // the worst of the rows'
	ExitCode int              `json:"exit_code"`

	// Relaxed are the verdicts that somebody allowed to pass, and by what: they are
	// always told.
	Relaxed []string `json:"relaxed,omitempty"`

	Requests int     `json:"requests"` // made, warm-up and second sessions included
	Failed   int     `json:"failed"`   // of these
	Dollars  float64 `json:"dollars,omitzero"`

	Rows []Row `json:"rows"`
}

// A Mode is what a build compares.
type Mode string

// The modes.
const (
	Replay Mode = "replay" // the code against recordings
	Stored Mode = "stored" // live, against stored runs
	AB     Mode = "ab"     // two builds, interleaved
	Track  Mode = "track"  // live, against the history; never blocks
)

// A Row is the answer of one gate for one scenario, or what is wrong with a test as
// a whole.
type Row struct {
	Package  string `json:"package,omitzero"` // import path, or the directory from the module's root
	Test     string `json:"test"`
	Plan     string `json:"plan,omitzero"`
	Scenario string `json:"scenario,omitzero"`
	Region   string `json:"region,omitzero"` // that was measured from, where there are several

	Gate    string           `json:"gate"` // such as NoRegression(ttft, P90)
	Verdict baseline.Verdict `json:"verdict"`
	Reason  string           `json:"reason,omitzero"` // one line
	Text    string           `json:"text"`            // the line that the test printed

	// Quantity is what the gate is about; nil for failure rates and whole tests.
	Quantity *Quantity `json:"quantity,omitempty"`

	// Comparison is the numbers of a gate against stored runs, where there are any.
	Comparison *Comparison `json:"comparison,omitempty"`

	// Measured is what a limit is compared with: the quantile, or the share of
	// failed requests.
	Measured float64 `json:"measured,omitzero"`

	// Limit is that of an absolute budget in the unit of the quantity, or the
	// highest share of failed requests. 0 is none.
	Limit float64 `json:"limit,omitzero"`

	Attribution []string `json:"attribution,omitempty"` // which phase moved, line by line
	Warnings    []string `json:"warnings,omitempty"`

	Accepted *Acceptance `json:"accepted,omitempty"`

	File string `json:"file,omitzero"` // of the gate's call, from the module's root, with slashes
	Line int    `json:"line,omitzero"`

	Baseline string `json:"baseline,omitzero"` // where the stored runs are
	Samples  string `json:"samples,omitzero"`  // the sample file
	Again    string `json:"again,omitzero"`    // the command that measures once more
	Accept   string `json:"accept,omitzero"`   // the command that accepts; empty where that is no way out
}

// A Quantity is a quantile of a metric.
type Quantity struct {
	Metric         string  `json:"metric"`   // such as ttft
	Unit           string  `json:"unit"`     // such as ns
	Quantile       float64 `json:"quantile"` // .9 is the value that 90 % of requests do at least as well as
	HigherIsBetter bool    `json:"higher_is_better,omitzero"`
}

// A Comparison is the numbers behind a verdict. Ratios are head over base.
type Comparison struct {
	Base       float64 `json:"base"` // Harrell-Davis quantile, in the quantity's unit
	Head       float64 `json:"head"`
	BaseType7  float64 `json:"base_type7"`
	HeadType7  float64 `json:"head_type7"`
	Ratio      float64 `json:"ratio"`
	Low        float64 `json:"low"` // 90 % interval of Ratio
	High       float64 `json:"high"`
	P          float64 `json:"p"`
	HolmP      float64 `json:"holm_p"`
	HeadN      []int   `json:"head_n"` // requests of each session
	BaseN      []int   `json:"base_n"` // requests of each stored run
	RunSD      float64 `json:"run_sd"` // between runs, on the log scale: .03 is 3 %
	Detectable float64 `json:"detectable"`
	MinEffect  float64 `json:"min_effect"`
	RuleOut    float64 `json:"rule_out"`
}

// An Acceptance says why a regression is all right.
type Acceptance struct {
	Reason string `json:"reason"`
	By     string `json:"by,omitzero"`    // whose change it was
	Until  string `json:"until,omitzero"` // date, of one that runs out
	Source string `json:"source"`         // the file or the commit that says so
}
