package openai

import "github.com/latgate/latgate/providers"

// A pattern recognizes chunks that differ from the one before in their text only,
// and in the padding that hides its length. All else that such a chunk says has been
// taken from the first of them: saying it again changes nothing.
type pattern struct {
	providers.Pattern
	channel providers.Channel // of the text
}

// learn takes a chunk that holds one piece of text. Of any other it forgets what it
// knows, so that a pattern is never older than the chunk before.
func (p *pattern) learn(c *chunk, data []byte) {
	p.Pattern.Forget()
	if len(c.Choices) != 1 || c.Choices[0].Delta == nil || c.Choices[0].FinishReason.Value != "" {
		return
	}
	delta := c.Choices[0].Delta
	visible, reasoning := delta.text()
	switch {
	case !delta.onlyText():
	case visible != "" && reasoning == "":
		p.channel = providers.Text
		p.Learn(data, visible, "content", padding)
	case visible == "" && delta.ReasoningContent.Value != "":
		p.channel = providers.Reasoning
		p.Learn(data, reasoning, "reasoning_content", padding)
	case visible == "" && reasoning != "":
		p.channel = providers.Reasoning
		p.Learn(data, reasoning, "reasoning", padding)
	}
}

// padding is the member that OpenAI fills with as many letters as make all chunks
// equally long.
const padding = "obfuscation"

// onlyText reports whether all content there is, is text or reasoning.
func (c *content) onlyText() bool {
	audio := c.Audio.Value
	return c.Refusal.Value == "" && c.FunctionCall.Value.bytes() == 0 && len(c.ToolCalls.Value) == 0 &&
		audio.Transcript.Value == "" && !audio.sounds()
}
