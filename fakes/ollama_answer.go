package fakes

import (
	"encoding/json"
	"time"
)

// answer implements [dialect].
func (o *ollamaReply) answer() {
	streams := o.request.Stream == nil || *o.request.Stream
	switch {
	case len(o.request.Messages) == 0 && o.request.Prompt == "":
		o.w.Header().Set("Content-Type", "application/json; charset=utf-8")
		o.write(0, o.line("", "", nil, "done_reason", "load", "done", true))
	case streams:
		o.stream()
	default:
		o.replyWhole()
	}
}

func (o *ollamaReply) stream() {
	o.w.Header().Set("Content-Type", "application/x-ndjson")
	o.write(o.Head, nil) // the response head
	if o.script.EmptyDelta {
		o.send(o.Head, "", "", nil, "done", false)
	}
	calls := 0
	for _, content := range o.Content {
		switch {
		case content.Channel == Reasoning:
			o.send(content.At, "", content.Text, nil, "done", false)
		case content.Channel == Text || o.generates:
			o.send(content.At, content.Text, "", nil, "done", false)
		case content.endsCall():
			o.send(content.At, "", "", []json.RawMessage{o.toolCall(calls)}, "done", false)
			calls++
		}
	}
	switch e := o.ending.(type) {
	case Throw:
		exception := e.Exception.orThrottling()
		_, report := ollamaError(exception, exception.Message())
		o.write(o.End, append(report, '\n'))
	case ThrowUnmodelled:
		_, report := ollamaError(Exception(e.code()), e.Message)
		o.write(o.End, append(report, '\n'))
	case Cut:
		if o.wait(o.End) {
			o.writeCut(o.End, e.At, o.line(words(0, 8), "", nil, "done", false))
		}
	default:
		o.send(o.End, "", "", nil, o.last()...)
	}
}

// send sends a line at its time, which is in the line.
func (o *ollamaReply) send(at time.Duration, text, thinking string, calls []json.RawMessage, members ...any) {
	if o.wait(at) {
		o.write(at, o.line(text, thinking, calls, members...))
	}
}

// line returns a line with its time, its content and what else it says.
func (o *ollamaReply) line(text, thinking string, calls []json.RawMessage, members ...any) []byte {
	line := []any{"model", o.request.Model, "created_at", time.Now().UTC().Format(time.RFC3339Nano)}
	if o.generates {
		line = append(line, "response", text)
		if thinking != "" {
			line = append(line, "thinking", thinking)
		}
	} else {
		message := []any{"role", "assistant", "content", text}
		if thinking != "" {
			message = append(message, "thinking", thinking)
		}
		if len(calls) > 0 {
			message = append(message, "tool_calls", calls)
		}
		line = append(line, "message", ordered(message...))
	}
	return append(ordered(append(line, members...)...), '\n')
}

func (o *ollamaReply) toolCall(index int) json.RawMessage {
	return ordered("function", ordered("index", index, "name", o.request.tool(), "arguments", wholeToolInput))
}

// last returns the members that the last line has beside its content.
func (o *ollamaReply) last() []any {
	reason := "stop"
	if o.Limited {
		reason = "length"
	}
	first := o.End
	if at, ok := o.TTFT(); ok {
		first = at
	}
	load := min(first/10, time.Millisecond) // of a model that is loaded
	members := []any{
		"done", true, "done_reason", reason,
		"total_duration", o.End.Nanoseconds(), "load_duration", load.Nanoseconds(),
	}
	if usage := !has[NoUsage](o.Schedule); usage {
		return append(members,
			"prompt_eval_count", o.request.input(), "prompt_eval_duration", (first - load).Nanoseconds(),
			"eval_count", o.Tokens(), "eval_duration", (o.End - first).Nanoseconds())
	}
	return append(members,
		"prompt_eval_duration", (first - load).Nanoseconds(), "eval_duration", (o.End - first).Nanoseconds())
}

// replyWhole answers in one piece.
func (o *ollamaReply) replyWhole() {
	if !o.wait(o.End) {
		return
	}
	switch e := o.ending.(type) {
	case Throw:
		exception := e.Exception.orThrottling()
		o.refuse(exception, exception.Message(), 0)
		return
	case ThrowUnmodelled:
		o.refuse(Exception(e.code()), e.Message, 0)
		return
	}
	var text, thinking string
	var calls []json.RawMessage
	for _, w := range o.wholes() {
		switch {
		case w.Channel == Reasoning:
			thinking += w.Text
		case w.Channel == Text || o.generates:
			text += w.Text
		case json.Valid([]byte(w.Text)):
			calls = append(calls, o.toolCall(len(calls)))
		}
	}
	var fields object
	must(json.Unmarshal(o.line(text, thinking, calls, o.last()...), &fields) == nil, "no JSON object")
	o.writeWhole(fields)
}
