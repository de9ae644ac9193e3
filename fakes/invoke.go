package fakes

import (
	"net/http"
	"strconv"
	"time"
)

// An invocation is one attempt at InvokeModel being answered, as a stream or as one
// reply, in the words of a model.
type invocation struct {
	aws
	bedrock *bedrock
	reply   bool // in one piece
	tongue  tongue
	prompt  prompt // in the words of Converse
	input   inputTokens
	sent    int // tokens so far
}

// A tongue is the JSON of one family of models.
type tongue interface {
	// read returns the prompt in a request, or why the model would refuse it.
	read(body []byte) (p prompt, maxTokens *int, refusal string)

	// open returns what precedes the content, content the i-th event of it, and end
	// what follows, of which there is at least one.
	open() []object
	content(i int) []object
	end() []object

	// piece returns a piece of text.
	piece(text string) object

	// whole returns the reply in one piece.
	whole() object
}

// read implements [dialect].
func (v *invocation) read(body []byte) (maxTokens *int, refusal string) {
	if v.tongue = v.tongueOf(v.r.PathValue("id"), body); v.tongue == nil {
		return nil, Validation.Message()
	}
	v.prompt, maxTokens, refusal = v.tongue.read(body)
	if latency := v.latency(); refusal == "" && latency != "" && latency != "standard" && latency != "optimized" {
		refusal = "Value at 'performanceConfigLatency' failed to satisfy constraint: Member must satisfy enum value set: [standard, optimized]"
	}
	if refusal == "" && maxTokens != nil && *maxTokens < 1 {
		refusal = "Malformed input request: the maximum of tokens is not greater or equal to 1, please reformat your input and try again."
	}
	return maxTokens, refusal
}

const latencyHeader = "X-Amzn-Bedrock-Performanceconfig-Latency"

func (v *invocation) latency() string { return v.r.Header.Get(latencyHeader) }

// answer implements [dialect].
func (v *invocation) answer() {
	v.input = v.bedrock.cache.count(v.r.PathValue("id"), v.prompt)
	if latency := v.latency(); latency != "" {
		if has[Fallback](v.Schedule) {
			latency = "standard"
		}
		v.w.Header().Set(latencyHeader, latency)
	}
	if v.reply {
		v.replyWhole()
	} else {
		v.stream()
	}
}

// stream answers InvokeModelWithResponseStream.
func (v *invocation) stream() {
	v.w.Header().Set("Content-Type", "application/vnd.amazon.eventstream")
	v.w.Header().Set("X-Amzn-Bedrock-Content-Type", "application/json")
	v.send(v.Head, v.tongue.open()...)
	for i, content := range v.Content {
		v.sent += content.Tokens
		v.send(content.At, v.tongue.content(i)...)
	}
	switch e := v.ending.(type) {
	case Throw:
		v.write(v.End, exceptionMessage(e.Exception.orThrottling()))
	case ThrowUnmodelled:
		v.write(v.End, errorMessage(e.code(), e.Message))
	case Cut:
		v.write(v.End, e.At.cut(chunkMessage(object{"bytes": mustJSON(v.tongue.piece(words(0, 8)))})))
		if e.At == Abort {
			panic(http.ErrAbortHandler)
		}
	default:
		v.gone = v.gone || !v.wait(v.End) // for the metrics, which tell what is past
		pieces := v.tongue.end()
		pieces[len(pieces)-1]["amazon-bedrock-invocationMetrics"] = v.metrics()
		v.send(v.End, pieces...)
	}
}

// send sends pieces at their time, each by itself.
func (v *invocation) send(at time.Duration, pieces ...object) {
	for _, piece := range pieces {
		payload := object{"bytes": mustJSON(piece)} // base64 in JSON
		if p, padded := v.pad(); padded {
			payload["p"] = p
		}
		v.write(at, chunkMessage(payload))
	}
}

func chunkMessage(payload object) []byte { return eventMessage("chunk", payload) }

// metrics is Bedrock's own record, which it adds to the last piece now.
func (v *invocation) metrics() object {
	metrics := object{
		"invocationLatency": time.Since(v.start).Milliseconds(),
		"firstByteLatency":  v.Head.Milliseconds(),
	}
	if has[NoUsage](v.Schedule) {
		return metrics
	}
	metrics["inputTokenCount"], metrics["outputTokenCount"] = v.input.fresh, v.Tokens()
	if v.input.cached {
		metrics["cacheReadInputTokenCount"], metrics["cacheWriteInputTokenCount"] = v.input.cacheRead, v.input.cacheWrite
	}
	return metrics
}

// replyWhole answers InvokeModel. What a stream's metrics tell is in the head.
func (v *invocation) replyWhole() {
	if !v.wait(v.End) {
		return
	}
	switch e := v.ending.(type) {
	case Throw:
		exception := e.Exception.orThrottling()
		v.refuse(exception, exception.Message(), 0)
		return
	case ThrowUnmodelled:
		v.refuse(Exception(e.code()), e.Message, 0)
		return
	}
	v.sent = v.Tokens()
	set := func(name string, n int) { v.w.Header().Set("X-Amzn-Bedrock-"+name, strconv.Itoa(n)) }
	set("Invocation-Latency", int(time.Since(v.start).Milliseconds()))
	if !has[NoUsage](v.Schedule) {
		set("Input-Token-Count", v.input.fresh)
		set("Output-Token-Count", v.Tokens())
		if v.input.cached {
			set("Cache-Read-Input-Token-Count", v.input.cacheRead)
			set("Cache-Write-Input-Token-Count", v.input.cacheWrite)
		}
	}
	v.writeWhole(v.tongue.whole())
}

// stopReason chooses among a family's words for why an answer ends.
func (v *invocation) stopReason(end, limit, tool string) string {
	n := len(v.Content)
	switch {
	case v.Limited:
		return limit
	case n > 0 && v.Content[n-1].Channel == ToolInput:
		return tool
	}
	return end
}

// allText returns the answer as text, whatever its channels.
func (v *invocation) allText() string {
	text := ""
	for _, c := range v.Content {
		text += c.Text
	}
	return text
}
