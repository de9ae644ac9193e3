package latencytest

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"

	"github.com/latgate/latgate/providers"
)

// Prices are what tokens cost, by model. They are read from a file of the user's
// with [ReadPrices]: latgate knows no price by itself.
type Prices map[string]Price

// A Price is what one token costs, in dollars. The JSON names are those of
// LiteLLM's price file, whose other members are ignored. The prices of cached
// tokens are those of [Price.Input] where they are not given.
type Price struct {
	Input      *float64 `json:"input_cost_per_token"`
	Output     *float64 `json:"output_cost_per_token"`
	CacheRead  *float64 `json:"cache_read_input_token_cost"`
	CacheWrite *float64 `json:"cache_creation_input_token_cost"`
}

// ReadPrices reads a price file: a JSON object with a [Price] for each model. The
// error names each model and member that is no price.
func ReadPrices(path string) (Prices, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(data, &raw); err != nil {
		return nil, fmt.Errorf("%s: want a JSON object with a price for each model: %w", path, err)
	}
	prices := make(Prices)
	var errs []error
	for model, members := range raw {
		var p Price
		err := json.Unmarshal(members, &p)
		if err == nil {
			err = p.check()
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %s: %w", path, model, priceError(err)))
			continue
		}
		if p.Input != nil || p.Output != nil { // others are priced by image, second or page
			prices[model] = p
		}
	}
	if len(errs) > 0 {
		slices.SortFunc(errs, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
		return nil, errors.Join(errs...)
	}
	return prices, nil
}

func (p Price) check() error {
	for _, price := range []struct {
		name  string
		value *float64
	}{
		{"input_cost_per_token", p.Input},
		{"output_cost_per_token", p.Output},
		{"cache_read_input_token_cost", p.CacheRead},
		{"cache_creation_input_token_cost", p.CacheWrite},
	} {
		if price.value != nil && (*price.value < 0 || *price.value > 1) {
			return fmt.Errorf("%s: want dollars per token, 0 to 1, got %g", price.name, *price.value)
		}
	}
	return nil
}

func priceError(err error) error {
	if mismatch, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && mismatch.Field != "" {
		return fmt.Errorf("%s: want a number, got a %s", mismatch.Field, mismatch.Value)
	}
	return err
}

// Cost returns what a reply cost, in dollars. Where the model has no price, or the
// provider did not count its tokens, the cost is not known, which is not 0.
func (ps Prices) Cost(provider, model string, u providers.Usage) (dollars float64, known bool) {
	price, ok := ps.of(provider, model)
	input, counted := u.Input.Get()
	output, finished := u.Output.Get()
	if !ok || !counted || !finished || price.Input == nil || price.Output == nil {
		return 0, false
	}
	read, _ := u.CachedRead.Get()
	read = min(read, input) // some providers report more cached tokens than tokens
	write, _ := u.CachedWrite.Get()
	write = min(write, input-read)
	return float64(input-read-write)*(*price.Input) +
		float64(read)*price.or(price.CacheRead) + float64(write)*price.or(price.CacheWrite) +
		float64(output)*(*price.Output), true
}

func (p Price) or(cached *float64) float64 {
	if cached != nil {
		return *cached
	}
	return *p.Input
}

// of finds a model under its own name, with the provider before it, and without
// the region that an inference profile begins with.
func (ps Prices) of(provider, model string) (Price, bool) {
	names := []string{model, provider + "/" + model}
	if region, rest, found := strings.Cut(model, "."); found && slices.Contains([]string{"us", "eu", "apac", "jp", "au", "global"}, region) {
		names = append(names, rest, provider+"/"+rest)
	}
	for _, name := range names {
		if p, ok := ps[name]; ok {
			return p, true
		}
	}
	return Price{}, false
}

// most returns an upper bound of what a prompt can cost: its bytes as fresh input
// tokens, since a token is a byte at least, and all the output that it allows.
func (ps Prices) most(provider, model string, p providers.Prompt) float64 {
	price, ok := ps.of(provider, model)
	if !ok || price.Input == nil || price.Output == nil {
		return math.NaN()
	}
	input := *price.Input
	if price.CacheWrite != nil {
		input = max(input, *price.CacheWrite)
	}
	return float64(len(p.System)+len(p.CachedContext)+len(p.Text))*input + float64(p.Limit())*(*price.Output)
}
