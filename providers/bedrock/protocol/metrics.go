package protocol

import (
	"bytes"
	"encoding/json"
	"net/http"
	"time"

	"github.com/latgate/latgate/providers"
)

// bedrockMember begins the names of what Bedrock adds to a model's JSON.
const bedrockMember = "amazon-bedrock-"

// An ending is what the JSON of a model tells of the end of its stream, whatever
// the model.
type ending struct {
	Type      word            `json:"type"`
	Error     json.RawMessage `json:"error"`
	Metrics   json.RawMessage `json:"amazon-bedrock-invocationMetrics"`
	Guardrail word            `json:"amazon-bedrock-guardrailAction"`
}

// endingOf looks for it. Most JSON holds nothing of the kind and is not parsed.
func endingOf(data []byte) ending {
	var e ending
	for _, hint := range []string{`"error"`, `"message_stop"`, `"` + bedrockMember} {
		if bytes.Contains(data, []byte(hint)) {
			_ = json.Unmarshal(data, &e) // the grammar complains
			break
		}
	}
	return e
}

// failed reports an error, which any family may send in place of content.
func (e ending) failed() bool {
	return e.Type.Value == "error" || providers.Present(e.Error)
}

// last reports whether nothing comes after.
func (e ending) last() bool { return e.Type.Value == "message_stop" || e.hasMetrics() }

func (e ending) hasMetrics() bool { return len(e.Metrics) > 0 && e.Metrics[0] == '{' }

// apply notes what the ending tells. The grammar goes before: a model counts its
// own tokens best.
func (e ending) apply(b *providers.Builder) {
	if e.Guardrail.Value == "INTERVENED" {
		b.Complete() // what was blocked ends without metrics, and in Titan's case without a reason
	}
	if e.hasMetrics() {
		var m metrics
		_ = json.Unmarshal(e.Metrics, &m) // what is no number was not reported
		m.fill(&b.Usage)
		b.AddTime("invocationLatency", m.Invocation.Value, time.Millisecond)
		b.AddTime("firstByteLatency", m.FirstByte.Value, time.Millisecond)
	}
	if e.last() {
		b.Finish()
	}
}

// metrics is Bedrock's own record of an invocation. As with Converse, the input
// leaves out what the prompt cache read or wrote.
type metrics struct {
	Input      providers.Count `json:"inputTokenCount"`
	Output     providers.Count `json:"outputTokenCount"`
	CacheRead  providers.Count `json:"cacheReadInputTokenCount"`
	CacheWrite providers.Count `json:"cacheWriteInputTokenCount"`
	Invocation number          `json:"invocationLatency"` // milliseconds, the whole request
	FirstByte  number          `json:"firstByteLatency"`  // milliseconds
}

// A number that is none is not reported.
type number = providers.Lenient[*float64]

// metricsOf reads the counts in the head of a reply in one piece; the latency
// there is one of the server times that every reply is searched for.
func metricsOf(h http.Header) metrics {
	count := func(name string) (c providers.Count) {
		_ = c.UnmarshalJSON([]byte(h.Get("X-Amzn-Bedrock-" + name + "-Token-Count"))) // never fails
		return c
	}
	return metrics{
		Input: count("Input"), Output: count("Output"),
		CacheRead: count("Cache-Read-Input"), CacheWrite: count("Cache-Write-Input"),
	}
}

// fill sets the counts that the model did not report.
func (m metrics) fill(u *providers.Usage) {
	if !u.Input.Known() && m.Input.Known() {
		u.Input = m.Input.Plus(m.CacheRead, m.CacheWrite)
	}
	for _, c := range []struct {
		to   *providers.Count
		from providers.Count
	}{{&u.Output, m.Output}, {&u.CachedRead, m.CacheRead}, {&u.CachedWrite, m.CacheWrite}} {
		if !c.to.Known() {
			*c.to = c.from
		}
	}
}
