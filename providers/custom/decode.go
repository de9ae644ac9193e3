package custom

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/wire"
)

// A decoding is one reply being decoded.
type decoding struct {
	*providers.Builder
	reply

	wrong    string // what was found in place of text
	matched  bool   // there was text, though it may have been empty
	finished bool
	cut      bool         // the last frame is not whole
	last     wire.Instant // when the last frame came
	counts   [5]any       // input, output, cached, cache write, reasoning
	elapsed  any          // the server's own time
}

// Decode implements [providers.Decoder].
func (e *Endpoint) Decode(x *wire.Exchange) *providers.Response {
	b := providers.NewBuilder(e.name, e.api, x)
	d := decoding{Builder: b, reply: e.reply}
	switch {
	case b.Refused():
		d.refuse()
	case e.framing == wholeJSON:
		d.whole()
	case e.framing == ndjson:
		b.Lines(func(line wire.Line) error { return d.frame(line.Data, line.End, line.Unterminated) })
	default:
		b.SSE(func(e wire.SSEEvent) error { return d.frame(e.Data, e.End, e.Unterminated) })
	}
	d.end()
	return b.Done()
}

// refuse reads the body of a refusal.
func (d *decoding) refuse() {
	report := providers.ErrorOf(d.Exchange.Body)
	if v, err := parse(d.Exchange.Body); err == nil {
		if own, found := d.failure.report(v); found {
			report = own
		}
	}
	d.Refuse(report)
}

// whole reads a reply that is one JSON value.
func (d *decoding) whole() {
	var v any
	if !d.Whole(&v) {
		return
	}
	d.note(v)
	d.Complete()
	d.finished = true
}

// frame reads an event or a line.
func (d *decoding) frame(data []byte, end int64, unterminated bool) error {
	_, d.last = d.Exchange.ReadOf(end)
	if d.isDone(data) {
		d.finished = true
		d.Finish()
		return nil
	}
	if len(bytes.TrimSpace(data)) == 0 {
		return nil // to keep the connection alive
	}
	v, err := parse(data)
	if err != nil {
		d.cut = d.cut || unterminated
		return err
	}
	d.note(v)
	return nil
}

// note takes what there is from the value of a frame.
func (d *decoding) note(v any) {
	if report, found := d.failure.report(v); found {
		d.FailStream(report)
		return
	}
	d.content(providers.Reasoning, d.reasoning, v)
	for _, p := range d.text {
		p.each(v, d.addText)
	}
	d.content(providers.Refusal, d.refusal, v)
	d.content(providers.Tool, d.tool, v)
	d.facts(v)

	ending := d.finishes(v)
	if ending == nil {
		return
	}
	if word, is := ending.(string); is && !d.stop.isSet() {
		d.Stop = word
	}
	if d.done == "" && !d.endsWithBody {
		d.finished = true // more frames may tell of the reply
		d.Complete()
	}
}

func (d *decoding) addText(v any) {
	switch v := v.(type) {
	case string:
		d.matched = true
		d.Add(providers.Text, v)
	case nil:
	default:
		if d.wrong == "" {
			d.wrong = jsonKind(v)
		}
	}
}

// content notes the values of some paths. What a tool is called with may be JSON.
func (d *decoding) content(channel providers.Channel, paths []path, v any) {
	for _, p := range paths {
		p.each(v, func(value any) {
			switch value := value.(type) {
			case nil:
			case string:
				d.Add(channel, value)
			default:
				if data, err := json.Marshal(value); err == nil && channel == providers.Tool {
					d.AddBytes(channel, len(data))
				}
			}
		})
	}
}

// facts keeps what any frame may tell: the last value wins.
func (d *decoding) facts(v any) {
	if stop := scalar(d.stop.first(v)); stop != "" {
		d.Stop = stop
	}
	if model := scalar(d.modelPath.first(v)); model != "" {
		d.Model = model
	}
	if id := scalar(d.requestID.first(v)); id != "" {
		d.RequestID = id
	}
	for i, p := range []path{d.usage.input, d.usage.output, d.usage.cached, d.usage.cacheWrite, d.usage.reasoning} {
		if found := p.first(v); found != nil {
			d.counts[i] = found
		}
	}
	if found := d.latency.path.first(v); found != nil {
		d.elapsed = found
	}
}

// end says what there is to say once all frames have been read.
func (d *decoding) end() {
	if id := d.Exchange.Header.Get(d.requestIDHeader); d.requestIDHeader != "" && id != "" {
		d.RequestID = id
	}
	d.Usage = d.usage.canonical(d.counts)
	d.serverLatency()
	if d.endsWithBody && d.bodyEnded() {
		d.finished = true
		d.Complete()
	}
	if d.Class != "" || d.Exchange.Status == 0 {
		return
	}
	if d.finished && d.finish.isSet() && d.done == "" && !d.endsWithBody && d.last.Known() {
		d.End = d.last // the server may have left the body open
	}
	if len(d.Events) == 0 && !d.matched && d.Frames > 0 {
		d.explain()
	}
}

// bodyEnded reports whether the server ended the body after the last frame.
func (d *decoding) bodyEnded() bool {
	body := d.Exchange.Body
	lineEnded := len(body) > 0 && strings.ContainsRune("\r\n", rune(body[len(body)-1]))
	return d.Exchange.Ending == wire.EndEOF && d.Frames > 0 && !d.cut && (d.framing != sse || lineEnded)
}

func (d *decoding) serverLatency() {
	if text := d.Exchange.Header.Get(d.latency.header); d.latency.header != "" && text != "" {
		if n, err := strconv.ParseFloat(strings.TrimSpace(text), 64); err == nil {
			d.elapsed = n
		}
	}
	const name = "server_latency"
	if n, is := d.elapsed.(float64); is {
		d.AddTime(name, &n, d.latency.unit)
		d.ServerLatency = d.ServerTime(name)
	}
}

func (u usage) canonical(found [5]any) providers.Usage {
	c := providers.Usage{
		Input: count(found[0]), Output: count(found[1]),
		CachedRead: count(found[2]), CachedWrite: count(found[3]), Reasoning: count(found[4]),
	}
	if u.inputExcludesCache && c.Input.Known() {
		c.Input = c.Input.Plus(c.CachedRead, c.CachedWrite)
	}
	if u.outputExcludesReasoning && c.Output.Known() {
		c.Output = c.Output.Plus(c.Reasoning)
	}
	return c
}
