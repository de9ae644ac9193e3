package providers

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// DefaultMaxTokens is the output limit of a prompt that names none.
const DefaultMaxTokens = 100

// A Prompt is one request to make. The JSON names are those of AWS's Bedrock
// latency notebook, whose input files are read as they are.
type Prompt struct {
	// ID names the prompt in samples and messages. Zero value: "p" and its line number.
	ID string `json:"id,omitzero"`

	Text   string `json:"text_prompt,omitzero"`
	System string `json:"system,omitzero"`

	// MaxTokens limits the output. Zero means [DefaultMaxTokens].
	MaxTokens int `json:"expected_output_tokens,omitzero"`

	TaskType string `json:"task_type,omitzero"` // "" or "Text-Generation"

	// Model, Region and Profile ("standard" or "optimized") override the target's.
	Model   string `json:"model_id,omitzero"`
	Region  string `json:"region,omitzero"`
	Profile string `json:"inference_profile,omitzero"`

	// Caching asks for CachedContext to be cached by the provider, for CacheTTL
	// ("5m", "1h", or "" for the provider's default), and sent before Text.
	Caching       bool   `json:"prompt_caching,omitzero"`
	CacheTTL      string `json:"cache_ttl,omitzero"`
	CachedContext string `json:"cached_context,omitzero"`
}

// Limit returns MaxTokens or its default.
func (p Prompt) Limit() int {
	if p.MaxTokens == 0 {
		return DefaultMaxTokens
	}
	return p.MaxTokens
}

// ReadPrompts reads a prompt set, one JSON object a line. Blank lines are
// skipped. The error of a bad line names the file, the line and the field; every
// bad line is reported, not only the first.
func ReadPrompts(r io.Reader, name string) ([]Prompt, error) {
	var prompts []Prompt
	var errs []error
	lineOf := make(map[string]int)
	lines := bufio.NewReader(r)
	for number := 1; ; number++ {
		line, readErr := lines.ReadBytes('\n')
		if number == 1 {
			line = bytes.TrimPrefix(line, []byte("\ufeff"))
		}
		if line = bytes.TrimSpace(line); len(line) > 0 {
			p, err := parsePrompt(line)
			if p.ID == "" {
				p.ID = fmt.Sprintf("p%d", number)
			}
			if first := lineOf[p.ID]; err == nil && first != 0 {
				err = fmt.Errorf("id: %q is used on line %d already", p.ID, first)
			}
			if err != nil {
				errs = append(errs, fmt.Errorf("%s:%d: %w", name, number, err))
			}
			lineOf[p.ID] = number
			prompts = append(prompts, p)
		}
		if readErr == io.EOF {
			break
		}
		if readErr != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, number, readErr)
		}
	}
	if len(errs) == 0 && len(prompts) == 0 {
		errs = append(errs, fmt.Errorf(`%s: no prompts: want one JSON object a line, such as {"text_prompt": "..."}`, name))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return prompts, nil
}

func parsePrompt(line []byte) (Prompt, error) {
	var p Prompt
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil {
		return p, promptError(err)
	}
	if _, err := d.Token(); err != io.EOF {
		return p, errors.New("more than one JSON value on the line")
	}
	return p, p.Validate()
}

// promptError says which field encoding/json objects to.
func promptError(err error) error {
	var mismatch *json.UnmarshalTypeError
	if errors.As(err, &mismatch) && mismatch.Field != "" {
		return fmt.Errorf("%s: want %s, got %s", mismatch.Field, jsonKind(mismatch.Type.Kind().String()), mismatch.Value)
	}
	if field, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return fmt.Errorf("%s: unknown field", strings.Trim(field, `"`))
	}
	return fmt.Errorf("not a JSON object: %w", err)
}

func jsonKind(goKind string) string {
	switch goKind {
	case "int":
		return "an integer"
	case "bool":
		return "true or false"
	}
	return "a " + goKind
}

// Validate returns an error that starts with the JSON name of the first field
// that cannot be sent.
func (p Prompt) Validate() error {
	switch {
	case strings.TrimSpace(p.Text) == "":
		return errors.New("text_prompt: missing or blank")
	case strings.ContainsFunc(p.ID, isControl):
		return controlError("id", p.ID)
	case strings.ContainsFunc(p.Model, isControl):
		return controlError("model_id", p.Model)
	case strings.ContainsFunc(p.Region, isControl):
		return controlError("region", p.Region)
	case p.MaxTokens < 0:
		return fmt.Errorf("expected_output_tokens: want a positive number, got %d", p.MaxTokens)
	case p.TaskType != "" && p.TaskType != "Text-Generation":
		return fmt.Errorf("task_type: want Text-Generation, got %q", p.TaskType)
	case p.Profile != "" && p.Profile != "standard" && p.Profile != "optimized":
		return fmt.Errorf("inference_profile: want standard or optimized, got %q", p.Profile)
	case p.CacheTTL != "" && p.CacheTTL != "5m" && p.CacheTTL != "1h":
		return fmt.Errorf("cache_ttl: want 5m or 1h, got %q", p.CacheTTL)
	case p.Caching && p.CachedContext == "":
		return errors.New("cached_context: prompt_caching is on, but there is nothing to cache")
	}
	return nil
}

func controlError(field, value string) error {
	return fmt.Errorf("%s: control character in %q", field, value)
}
