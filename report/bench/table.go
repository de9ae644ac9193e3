package bench

import (
	"fmt"
	"io"
	"maps"
	"slices"

	"golang.org/x/perf/benchfmt"
	"golang.org/x/perf/benchmath"
	"golang.org/x/perf/benchproc"
)

// A Source is a file in the Go benchmark format.
type Source struct {
	name string
	r    io.Reader
}

// File returns a source that is called name in errors.
func File(name string, r io.Reader) Source { return Source{name, r} }

// Tables compare two sides, a table for each unit of each configuration: benchmarks of
// different keys are never compared.
type Tables []Table

// A Table is one unit of one configuration.
type Table struct {
	Config []benchfmt.Config // its keys, in the order of the file
	Unit   string            // tidied: ttft-sec for ttft-ns
	Rows   []Row             // by benchmark, in the order of the file
}

// A Row is one benchmark.
type Row struct {
	Name       string    // without "Benchmark"
	Base, Head []float64 // in the table's unit; empty where a side has none
	assume     benchmath.Assumption
}

// Compare reads the two sides, each of several files perhaps. A line that is no result
// and should be one is an error with its place.
func Compare(base, head []Source) (Tables, error) {
	var parser benchproc.ProjectionParser
	everything, err := benchproc.NewFilter("*")
	if err != nil {
		return nil, err
	}
	of, unit, err := parser.ParseWithUnit(".config", everything)
	if err != nil {
		return nil, err
	}
	c := collector{of: of, unit: unit, table: make(map[benchproc.Key]int), assume: make(benchfmt.UnitMetadataMap)}
	for side, sources := range [][]Source{base, head} {
		for _, s := range sources {
			if err := c.read(s, side == 1); err != nil {
				return nil, err
			}
		}
	}
	for t := range c.tables {
		for r := range c.tables[t].Rows {
			c.tables[t].Rows[r].assume = c.assume.GetAssumption(c.tables[t].Unit)
		}
	}
	return c.tables, nil
}

// A collector sorts values into tables.
type collector struct {
	of     *benchproc.Projection // the configuration, and the unit
	unit   *benchproc.Field
	table  map[benchproc.Key]int // positions in tables
	tables Tables
	assume benchfmt.UnitMetadataMap
}

func (c *collector) read(s Source, isHead bool) error {
	reader := benchfmt.NewReader(s.r, s.name)
	for reader.Scan() {
		switch record := reader.Result().(type) {
		case *benchfmt.SyntaxError:
			return fmt.Errorf("%s:%d: %s", s.name, record.Line, record.Msg)
		case *benchfmt.Result:
			for i, key := range c.of.ProjectValues(record) {
				row := c.row(key, record)
				if isHead {
					row.Head = append(row.Head, record.Values[i].Value)
				} else {
					row.Base = append(row.Base, record.Values[i].Value)
				}
			}
		}
	}
	maps.Copy(c.assume, reader.Units())
	return reader.Err()
}

// row returns the row of a result in the table of a key.
func (c *collector) row(key benchproc.Key, record *benchfmt.Result) *Row {
	t, known := c.table[key]
	if !known {
		t = len(c.tables)
		c.table[key] = t
		table := Table{Unit: key.Get(c.unit)}
		for _, config := range record.Config {
			if config.File {
				table.Config = append(table.Config, benchfmt.Config{Key: config.Key, Value: slices.Clone(config.Value), File: true})
			}
		}
		c.tables = append(c.tables, table)
	}
	rows := &c.tables[t].Rows
	name := record.Name.String()
	for r := range *rows {
		if (*rows)[r].Name == name {
			return &(*rows)[r]
		}
	}
	*rows = append(*rows, Row{Name: name})
	return &(*rows)[len(*rows)-1]
}
