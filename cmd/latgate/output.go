package main

import (
	"fmt"

	"github.com/latgate/latgate/benchmark"
	"github.com/latgate/latgate/latencytest"
)

// print prints results, and then where their samples are.
func (p *program) print(o outputFlags, results []*latencytest.Result, sweep *latencytest.SweepResult, files []string, outcome error) error {
	if o.format == "json" {
		return p.printJSON(results, sweep, files, outcome)
	}
	var text string
	switch {
	case sweep != nil:
		text = sweep.String()
	default:
		text = results[0].String() + "\n"
	}
	text += o.more(results)
	for _, file := range files {
		text += fmt.Sprintf("samples: %s\n", file)
	}
	_, err := fmt.Fprint(p.stdout, plain(text))
	return err
}

func (p *program) printJSON(results []*latencytest.Result, sweep *latencytest.SweepResult, files []string, outcome error) error {
	d := benchmark.NewDocument(results, files)
	if outcome != nil {
		d.Error = plain(outcome.Error())
	}
	if sweep != nil {
		if clients, reached := sweep.Saturation(); reached {
			d.Saturation = &clients
		}
	}
	return p.printDocument(d)
}

func (p *program) printDocument(d *benchmark.Document) error {
	data, err := d.JSON()
	if err != nil {
		return err
	}
	_, err = p.stdout.Write(data)
	return err
}

// more is what is printed on demand.
func (o outputFlags) more(results []*latencytest.Result) string {
	text := ""
	if o.percentiles {
		for _, res := range results {
			for _, s := range res.Scenarios {
				text += fmt.Sprintf("\n%v, %s\n", res.Plan.Load, percentileTable(s))
			}
		}
	}
	if m, ok := latencytest.MetricNamed(o.heatMap); ok {
		for _, res := range results {
			for _, s := range res.Scenarios {
				text += fmt.Sprintf("\n%s: %v\n", s.Name, s.HeatMap(m, latencytest.P90))
			}
		}
	}
	return text
}
