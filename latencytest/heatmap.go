package latencytest

import (
	"fmt"
	"math"
	"math/bits"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/latgate/latgate/providers"
)

// A HeatMap is a quantile of a metric by how many tokens went in and came out. Rows
// and columns are the powers of two up to which they were.
type HeatMap struct {
	Metric   Metric
	Quantile Quantile
	Inputs   []int64 // of each row: input tokens up to this, and above the row before
	Outputs  []int64 // of each column: output tokens
	Cells    [][]HeatCell
}

// A HeatCell is one row's part of a column.
type HeatCell struct {
	N     int     // requests that ended OK with a value and both counts
	Value float64 // in the metric's unit; NaN where N is 0
}

// HeatMap divides the scenario's requests by the provider's own counts. Requests
// without counts, or without a value, are in no cell; a run in low memory has none.
func (s *Scenario) HeatMap(m Metric, q Quantile) HeatMap {
	h := HeatMap{Metric: m, Quantile: q}
	values := make(map[[2]int64][]float64)
	for i := range s.Samples {
		sample := &s.Samples[i]
		input, knownIn := sample.Usage.Input.Get()
		output, knownOut := sample.Usage.Output.Get()
		v, ok := m.Of(sample)
		if !sample.OK() || !ok || !knownIn || !knownOut {
			continue
		}
		cell := [2]int64{powerOfTwo(input), powerOfTwo(output)}
		values[cell] = append(values[cell], v)
		if !slices.Contains(h.Inputs, cell[0]) {
			h.Inputs = append(h.Inputs, cell[0])
		}
		if !slices.Contains(h.Outputs, cell[1]) {
			h.Outputs = append(h.Outputs, cell[1])
		}
	}
	slices.Sort(h.Inputs)
	slices.Sort(h.Outputs)
	for _, input := range h.Inputs {
		row := make([]HeatCell, len(h.Outputs))
		for i, output := range h.Outputs {
			of := values[[2]int64{input, output}]
			row[i] = HeatCell{N: len(of), Value: math.NaN()}
			if len(of) > 0 {
				row[i].Value = Type7(of, q.Rank(m))
			}
		}
		h.Cells = append(h.Cells, row)
	}
	return h
}

// powerOfTwo returns the smallest one that is n or more, and 1 for less.
func powerOfTwo(n int64) int64 { return 1 << bits.Len64(uint64(max(n, 1)-1)) }

// String renders the map as a table: input tokens downwards, output tokens to the
// right, the number of requests beside each value.
func (h HeatMap) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%v %v by input tokens (down) and output tokens (right)\n", h.Quantile, h.Metric)
	w := tabwriter.NewWriter(&b, 0, 8, 2, ' ', tabwriter.AlignRight)
	for _, output := range h.Outputs {
		fmt.Fprintf(w, "\t≤ %d", output)
	}
	fmt.Fprintln(w, "\t")
	for i, input := range h.Inputs {
		fmt.Fprintf(w, "≤ %d", input)
		for _, c := range h.Cells[i] {
			if c.N == 0 {
				fmt.Fprint(w, "\t–")
				continue
			}
			fmt.Fprintf(w, "\t%s (%d)", h.Metric.Format(c.Value), c.N)
		}
		fmt.Fprintln(w, "\t")
	}
	w.Flush()
	return strings.TrimRight(b.String(), "\n")
}

// LengthGrid returns a prompt for each pair of lengths, for a [HeatMap]: a text of about
// so many input tokens, and an answer of so many output tokens at most. The text says
// to go on writing, since no model can be told exactly how much to write.
func LengthGrid(inputs, outputs []int) []providers.Prompt {
	const instruction = "Continue this text for as long as you can: "
	const word = "tree " // about a token in every tokenizer
	var prompts []providers.Prompt
	for _, in := range inputs {
		words := max(1, in-len(instruction)/len(word))
		for _, out := range outputs {
			prompts = append(prompts, providers.Prompt{
				ID: fmt.Sprintf("in%d-out%d", in, out), Text: instruction + strings.TrimSpace(strings.Repeat(word, words)), MaxTokens: out,
			})
		}
	}
	return prompts
}
