package fakes

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"time"
)

// A converse is one attempt being answered, as a stream or as one reply.
type converse struct {
	aws
	bedrock *bedrock
	reply   bool // in one piece
	prompt  prompt
	input   inputTokens
}

// read implements [dialect].
func (c *converse) read(body []byte) (maxTokens *int, refusal string) {
	c.prompt, refusal = readPrompt(body)
	return c.prompt.InferenceConfig.MaxTokens, refusal
}

// answer implements [dialect].
func (c *converse) answer() {
	c.input = c.bedrock.cache.count(c.r.PathValue("id"), c.prompt)
	if c.reply {
		c.replyWhole()
	} else {
		c.stream()
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
	if p, padded := c.pad(); padded {
		payload["p"] = p
	}
	c.write(at, eventMessage(event, payload))
}

// replyWhole answers Converse.
func (c *converse) replyWhole() {
	if !c.wait(c.End) {
		return
	}
	switch e := c.ending.(type) {
	case Throw:
		exception := e.Exception.orThrottling()
		c.refuse(exception, exception.Message(), 0)
		return
	case ThrowUnmodelled:
		c.refuse(Exception(e.code()), e.Message, 0)
		return
	}
	fields := c.metadata()
	fields["output"] = object{"message": object{"content": c.blocks(), "role": "assistant"}}
	fields["stopReason"] = c.stopReason()
	c.writeWhole(fields)
}

// blocks returns the content of a reply that does not stream.
func (c *converse) blocks() []object {
	blocks := []object{}
	if c.script.EmptyDelta {
		blocks = append(blocks, object{"text": ""})
	}
	for _, w := range c.wholes() {
		blocks = append(blocks, c.block(w))
	}
	return blocks
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

func (c *converse) block(w whole) object {
	switch w.Channel {
	case Reasoning:
		return object{"reasoningContent": object{"reasoningText": object{"text": w.Text, "signature": signature}}}
	case ToolInput:
		return object{"toolUse": object{"input": w.arguments(), "name": c.prompt.tool(), "toolUseId": c.toolUseID()}}
	}
	return object{"text": w.Text}
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

func (c *converse) toolUseID() string {
	return fmt.Sprintf("tooluse_%016x", c.names.Uint64())
}
