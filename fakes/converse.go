package fakes

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"
)

// A converse is one attempt being answered, as a stream or as one reply.
type converse struct {
	Schedule
	script Script
	prompt prompt
	input  inputTokens

	w     http.ResponseWriter
	ctx   context.Context // of the request: done when the client has gone
	start time.Time       // when the request was fully received
	gone  bool            // the client: nothing more is sent

	names   *rand.Rand
	padding *rand.Rand
}

// wait returns that long after the start, or false when the client goes before.
func (c *converse) wait(at time.Duration) bool {
	timer := time.NewTimer(time.Until(c.start.Add(at)))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-c.ctx.Done():
		return false
	}
}

// stream answers ConverseStream.
func (c *converse) stream() {
	c.w.Header().Set("Content-Type", "application/vnd.amazon.eventstream")
	c.send(c.Head, "messageStart", object{"role": "assistant"})
	block := 0
	if c.script.EmptyDelta {
		c.sendDelta(c.Head, block, object{"text": ""})
		c.sendBlockStop(c.Head, block)
		block++
	}
	for i, content := range c.Content {
		if i > 0 && c.startsBlock(i) {
			c.endBlock(content.At, block, c.Content[i-1].Channel)
			block++
		}
		if content.Channel == ToolInput && c.startsBlock(i) {
			tool := object{"name": c.prompt.tool(), "toolUseId": c.toolUseID()}
			c.send(content.At, "contentBlockStart", object{"contentBlockIndex": block, "start": object{"toolUse": tool}})
		}
		c.sendDelta(content.At, block, content.delta())
	}
	switch e := c.ending.(type) {
	case Throw:
		c.write(c.End, exceptionMessage(e.Exception.orThrottling()))
	case ThrowUnmodelled:
		c.write(c.End, errorMessage(e.code(), e.Message))
	case Cut:
		lost := object{"contentBlockIndex": block, "delta": object{"text": words(0, 8)}}
		c.write(c.End, e.At.cut(eventMessage("contentBlockDelta", lost)))
		if e.At == Abort {
			panic(http.ErrAbortHandler)
		}
	default:
		if n := len(c.Content); n > 0 {
			c.endBlock(c.End, block, c.Content[n-1].Channel)
		}
		c.send(c.End, "messageStop", object{"stopReason": c.stopReason()})
		c.send(c.End, "metadata", c.metadata())
	}
}

func (c *converse) endBlock(at time.Duration, block int, channel Channel) {
	if channel == Reasoning {
		c.sendDelta(at, block, object{"reasoningContent": object{"signature": signature}})
	}
	c.sendBlockStop(at, block)
}

func (c *converse) sendDelta(at time.Duration, block int, delta object) {
	c.send(at, "contentBlockDelta", object{"contentBlockIndex": block, "delta": delta})
}

func (c *converse) sendBlockStop(at time.Duration, block int) {
	c.send(at, "contentBlockStop", object{"contentBlockIndex": block})
}

// send sends an event at its time.
func (c *converse) send(at time.Duration, event string, payload object) {
	if c.script.Padding {
		const alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
		payload["p"] = alphabet[:1+c.padding.IntN(len(alphabet))]
	}
	c.write(at, eventMessage(event, payload))
}

// write sends a message by itself, so that the client can time it.
func (c *converse) write(at time.Duration, message []byte) {
	if c.gone || !c.wait(at) {
		c.gone = true
		return
	}
	_, err := c.w.Write(message)
	if err == nil {
		err = http.NewResponseController(c.w).Flush()
	}
	c.gone = err != nil
}

// reply answers Converse.
func (c *converse) reply() {
	if !c.wait(c.End) {
		return
	}
	switch e := c.ending.(type) {
	case Throw:
		exception := e.Exception.orThrottling()
		refuse(c.w, exception, exception.Message())
		return
	case ThrowUnmodelled:
		refuse(c.w, Exception(e.code()), e.Message)
		return
	}
	fields := c.metadata()
	fields["output"] = object{"message": object{"content": c.blocks(), "role": "assistant"}}
	fields["stopReason"] = c.stopReason()
	body, _ := json.Marshal(fields) // cannot fail: strings, integers and objects of them
	c.w.Header().Set("Content-Type", "application/json")
	c.w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	if _, cut := c.ending.(Cut); cut {
		c.write(c.End, body[:len(body)/2])
		panic(http.ErrAbortHandler)
	}
	_, _ = c.w.Write(body)
}

// blocks returns the content of a reply that does not stream.
func (c *converse) blocks() []object {
	blocks := []object{}
	if c.script.EmptyDelta {
		blocks = append(blocks, object{"text": ""})
	}
	for i := 0; i < len(c.Content); {
		channel, whole := c.Content[i].Channel, ""
		for first := i; i < len(c.Content) && (i == first || !c.startsBlock(i)); i++ {
			whole += c.Content[i].Text
		}
		blocks = append(blocks, c.block(channel, whole))
	}
	return blocks
}

// startsBlock says whether a content event belongs to another block than the one
// before it.
func (c *converse) startsBlock(i int) bool {
	if i == 0 {
		return true
	}
	before, this := c.Content[i-1], c.Content[i]
	return before.Channel != this.Channel || before.Call != this.Call
}

// signature seals a reasoning block. It is not content.
var signature = base64.StdEncoding.EncodeToString([]byte("sealed by a fake"))

func (c Content) delta() object {
	switch c.Channel {
	case Reasoning:
		return object{"reasoningContent": object{"text": c.Text}}
	case ToolInput:
		return object{"toolUse": object{"input": c.Text}}
	}
	return object{"text": c.Text}
}

func (c *converse) block(channel Channel, whole string) object {
	switch channel {
	case Reasoning:
		return object{"reasoningContent": object{"reasoningText": object{"text": whole, "signature": signature}}}
	case ToolInput:
		input := json.RawMessage(whole)
		if !json.Valid(input) { // cut off by the request's maximum of tokens
			input = json.RawMessage("{}")
		}
		return object{"toolUse": object{"input": input, "name": c.prompt.tool(), "toolUseId": c.toolUseID()}}
	}
	return object{"text": whole}
}

func (c *converse) stopReason() string {
	n := len(c.Content)
	switch {
	case c.Limited:
		return "max_tokens"
	case n > 0 && c.Content[n-1].Channel == ToolInput:
		return "tool_use"
	}
	return "end_turn"
}

// metadata returns what is known at the end of the answer, which is now.
func (c *converse) metadata() object {
	fields := object{"metrics": object{"latencyMs": time.Since(c.start).Milliseconds()}}
	if !has[NoUsage](c.Schedule) {
		fields["usage"] = c.usage()
	}
	if latency := c.prompt.PerformanceConfig.Latency; latency != "" {
		if has[Fallback](c.Schedule) {
			latency = "standard"
		}
		fields["performanceConfig"] = object{"latency": latency}
	}
	if tier := c.prompt.ServiceTier.Type; tier != "" {
		fields["serviceTier"] = object{"type": tier}
	}
	return fields
}

func (c *converse) usage() object {
	in, out := c.input, c.Tokens()
	usage := object{
		"inputTokens":  in.fresh,
		"outputTokens": out,
		"totalTokens":  in.fresh + in.cacheRead + in.cacheWrite + out,
	}
	if in.cached { // Bedrock sends both names of each
		usage["cacheReadInputTokens"], usage["cacheReadInputTokenCount"] = in.cacheRead, in.cacheRead
		usage["cacheWriteInputTokens"], usage["cacheWriteInputTokenCount"] = in.cacheWrite, in.cacheWrite
	}
	return usage
}

func (c *converse) requestID() string {
	hi, lo := c.names.Uint64(), c.names.Uint64()
	return fmt.Sprintf("%08x-%04x-4%03x-a%03x-%012x", hi>>32, hi>>16&0xffff, hi&0xfff, lo>>48&0xfff, lo&0xffffffffffff)
}

func (c *converse) toolUseID() string {
	return fmt.Sprintf("tooluse_%016x", c.names.Uint64())
}
