package attribution

import (
	"math"
	"math/rand/v2"
	"slices"

	"github.com/latgate/latgate/baseline/stat"
)

// A table is a run as columns of its phases: the time of a request is their sum,
// with the output tokens multiplied by the time per token.
type table struct {
	phases  []Phase
	columns [][]float64 // by phase, by request
	order   [][]int     // by phase, the requests in ascending order
	n       int
}

// newTable makes the columns; tokens says whether the stream is divided into
// tokens and time per token.
func newTable(list []request, parts []Phase, tokens bool) *table {
	t := &table{phases: parts, n: len(list)}
	typical := typicalTokens(list)
	for i, p := range parts {
		column := make([]float64, len(list))
		for j, r := range list {
			column[j] = r.parts[p]
			n := 1.
			if tokens {
				n = r.tokens
				if n <= 0 {
					n = typical
				}
			}
			switch {
			case p == OutputTokens:
				column[j] = n
			case p == DecodeSpeed && r.window > 0:
				column[j] = (r.window - r.stall) / n
			case p == Stalls && r.window > 0:
				column[j] = r.stall
			}
		}
		t.columns = append(t.columns, column)
		t.order = append(t.order, ascending(column, uint64(i)))
	}
	return t
}

func typicalTokens(list []request) float64 {
	var known []float64
	for _, r := range list {
		if r.tokens > 0 {
			known = append(known, r.tokens)
		}
	}
	if len(known) == 0 {
		return 1
	}
	slices.Sort(known)
	return known[len(known)/2]
}

// ascending returns the indices of a column in ascending order. Equal values come
// in an order of their own for each column: had those that never retried and those
// that found a connection open the same one, the two would seem to go together.
func ascending(column []float64, seed uint64) []int {
	order := rand.New(rand.NewPCG(seed, 0)).Perm(len(column))
	slices.SortStableFunc(order, func(i, j int) int {
		switch {
		case column[i] < column[j]:
			return -1
		case column[i] > column[j]:
			return 1
		}
		return 0
	})
	return order
}

// sorted returns the k-th smallest value of a column, between two where k is.
func (t *table) sorted(p int, k float64) float64 {
	k = min(max(k, 0), float64(t.n-1))
	low := int(k)
	v := t.columns[p][t.order[p][low]]
	if part := k - float64(low); part > 0 {
		v += float64(part * (t.columns[p][t.order[p][low+1]] - v))
	}
	return v
}

// as returns the table's columns with the distributions of another run: of each
// phase its fastest request gets the other's fastest, and so on.
func (t *table) as(other *table) [][]float64 {
	columns := make([][]float64, len(t.columns))
	for p := range t.columns {
		columns[p] = make([]float64, t.n)
		for rank, i := range t.order[p] {
			columns[p][i] = other.sorted(p, (float64(rank)+.5)/float64(t.n)*float64(other.n)-.5)
		}
	}
	return columns
}

// quantile returns the Harrell-Davis quantile of the requests' times, estimated as
// the gate does: on their logarithms, by the kernel of the shorter run.
func (t *table) quantile(columns [][]float64, q float64, kernel int) float64 {
	logs := make([]float64, t.n)
	for i := range logs {
		total, tokens := 0., 1.
		for p, phase := range t.phases {
			switch phase {
			case OutputTokens:
				tokens = columns[p][i]
			case DecodeSpeed:
				total += float64(tokens * columns[p][i])
			default:
				total += columns[p][i]
			}
		}
		logs[i] = math.Log(max(total, 1))
	}
	slices.Sort(logs)
	return math.Exp(stat.HarrellDavis(logs, q, kernel))
}
