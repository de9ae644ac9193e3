package protocol

import (
	"encoding/json"

	"github.com/latgate/latgate/providers"
)

// llama is the grammar of Meta's Llama. It counts along, and a reply in one piece
// looks like the piece of a stream.
type llama struct{ b *providers.Builder }

func newLlama(b *providers.Builder) grammar { return llama{b} }

func (l llama) chunk(data []byte) error {
	var c struct {
		Text   string          `json:"generation"`
		Input  providers.Count `json:"prompt_token_count"` // null after the first
		Output providers.Count `json:"generation_token_count"`
		Stop   word            `json:"stop_reason"`
	}
	if err := json.Unmarshal(data, &c); err != nil {
		return err
	}
	l.b.Add(providers.Text, c.Text)
	l.b.Running(c.Output)
	count(l.b, c.Input, c.Output)
	stop(l.b, c.Stop)
	return nil
}

func (l llama) whole(data []byte) error { return l.chunk(data) }

// titan is the grammar of Amazon Titan Text. Its counts may be fractions of the
// form 6.0, and null before the last piece.
type titan struct{ b *providers.Builder }

func newTitan(b *providers.Builder) grammar { return titan{b} }

func (t titan) chunk(data []byte) error {
	var c struct {
		Text   string          `json:"outputText"`
		Input  providers.Count `json:"inputTextTokenCount"`
		Output providers.Count `json:"totalOutputTextTokenCount"`
		Stop   word            `json:"completionReason"`
	}
	if err := json.Unmarshal(data, &c); err != nil {
		return err
	}
	t.b.Add(providers.Text, c.Text)
	t.b.Running(c.Output)
	count(t.b, c.Input, c.Output)
	stop(t.b, c.Stop)
	return nil
}

func (t titan) whole(data []byte) error {
	var reply struct {
		Input   providers.Count `json:"inputTextTokenCount"`
		Results providers.Capped[struct {
			Text   string          `json:"outputText"`
			Output providers.Count `json:"tokenCount"`
			Stop   word            `json:"completionReason"`
		}] `json:"results"`
	}
	if err := json.Unmarshal(data, &reply); err != nil {
		return err
	}
	t.b.Usage.Input = reply.Input
	for _, r := range reply.Results {
		t.b.Add(providers.Text, r.Text)
		t.b.Usage.Output = t.b.Usage.Output.Plus(r.Output)
		stop(t.b, r.Stop)
	}
	return nil
}

// mistral is the grammar of Mistral's text models. Its chat models speak as in
// [chat]. Neither counts tokens in a stream.
type mistral struct{ b *providers.Builder }

func newMistral(b *providers.Builder) grammar { return mistral{b} }

func (m mistral) chunk(data []byte) error {
	var c struct {
		Outputs providers.Capped[struct {
			Text string `json:"text"`
			Stop word   `json:"stop_reason"`
		}] `json:"outputs"`
	}
	if err := json.Unmarshal(data, &c); err != nil {
		return err
	}
	for _, o := range c.Outputs {
		m.b.Add(providers.Text, o.Text)
		stop(m.b, o.Stop)
	}
	return nil
}

func (m mistral) whole(data []byte) error { return m.chunk(data) }

// textCompletion is the grammar of Claude before the Messages API.
type textCompletion struct{ b *providers.Builder }

func newTextCompletion(b *providers.Builder) grammar { return textCompletion{b} }

func (t textCompletion) chunk(data []byte) error {
	var c struct {
		Text string `json:"completion"`
		Stop word   `json:"stop_reason"`
	}
	if err := json.Unmarshal(data, &c); err != nil {
		return err
	}
	t.b.Add(providers.Text, c.Text)
	stop(t.b, c.Stop)
	return nil
}

func (t textCompletion) whole(data []byte) error { return t.chunk(data) }
