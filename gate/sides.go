package gate

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/latgate/latgate/assertions"
	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/latencytest"
)

// Sides returns what a build compared, as runs: those stored of each scenario, of two
// builds that took turns the base's, and those that were measured. What has no store,
// or one that cannot be read, has no stored runs here; that it is red is for [Judge].
func Sides(ctx context.Context, o Options) (base, head []*baseline.Run, err error) {
	o.Dir, o.Root = cmp.Or(o.Dir, ".latgate"), cmp.Or(o.Root, ".")
	parts, err := readParts(o.Dir)
	if err != nil {
		return nil, nil, err
	}
	j := judge{Options: o, parts: parts}
	if err := j.prepare(ctx); err != nil {
		return nil, nil, err
	}
	defer j.stores.close()
	var files []string // several checks may be of one
	for _, r := range j.records {
		if slices.Contains(files, r.SampleFile()) {
			continue
		}
		files = append(files, r.SampleFile())
		in, err := j.stores.input(ctx, r)
		if _, is := errors.AsType[*storeError](err); err != nil && !is {
			return nil, nil, err
		}
		stored, measured, err := sidesOf(in)
		if err != nil {
			return nil, nil, err
		}
		base, head = append(base, stored...), append(head, measured...)
	}
	return base, head, nil
}

func sidesOf(in assertions.Input) (base, head []*baseline.Run, err error) {
	var gated []latencytest.Metric
	for _, g := range in.Record.Gates {
		if m, ok := latencytest.MetricNamed(g.Metric); ok {
			gated = append(gated, m)
		}
	}
	runs := func(file string) (all []*baseline.Run, err error) {
		res, err := latencytest.Load(file)
		if err != nil {
			return nil, err
		}
		for _, s := range res.Scenarios {
			all = append(all, baseline.NewRun(res, s, "", gated...))
		}
		return all, nil
	}
	if head, err = runs(in.Record.SampleFile()); err != nil {
		return nil, nil, err
	}
	if file := in.Record.AgainstFile(); file != "" {
		base, err = runs(file)
		return base, head, err
	}
	if in.Store == nil {
		return nil, head, nil
	}
	for _, r := range head {
		stored, err := in.Store.Runs(r.Key)
		if err == nil {
			base = append(base, stored...)
		}
	}
	return base, head, nil
}
