package fakes

import "strings"

// vocabulary is what answers are made of: one word is one token. A few words
// leave ASCII, so that a decoder which cuts through a character is found out.
var vocabulary = strings.Fields(`a request that waits is a request that costs , so the slow tail
is where users live : über half of all naïve dashboards show a mean and call it a day , while one
in ten readers – 東京 or Kraków , it makes no difference – stares at a cursor . measure the tail ,
keep the samples , compare like with like , and let the build say when it got slower 🐌 .`)

// words returns n words of the endless text, from the given one on.
func words(from, n int) string {
	var b strings.Builder
	for i := from; i < from+n; i++ {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(vocabulary[i%len(vocabulary)])
	}
	return b.String()
}

// toolInput is the arguments of every tool call, as they are streamed. The
// pieces are not JSON, only the whole is.
var toolInput = [...]string{`{"city":`, `"Reykja`, `vík"}`}

// answer returns the content events of a whole answer, without times.
func (s Script) answer() []Content {
	tokens, chunk := s.outputTokens(), s.tokensPerChunk()
	content := make([]Content, (tokens+chunk-1)/chunk)
	firstTool := len(content) - s.ToolCalls*len(toolInput)
	for i := range content {
		c := &content[i]
		c.Tokens = min(chunk, tokens-i*chunk)
		switch {
		case i < s.Reasoning:
			c.Channel = Reasoning
			c.Text = words(i*chunk, c.Tokens)
		case i < firstTool:
			c.Channel = Text
			c.Text = words((i-s.Reasoning)*chunk, c.Tokens)
		default:
			c.Channel = ToolInput
			c.Call = (i - firstTool) / len(toolInput)
			c.Text = toolInput[(i-firstTool)%len(toolInput)]
		}
	}
	return content
}

// cut returns c with only its first tokens. The piece of a tool call stays whole.
func (c Content) cut(tokens int) Content {
	c.Tokens = tokens
	for i := 1; i < len(c.Text); i++ {
		if c.Text[i] != ' ' {
			continue
		}
		if tokens--; tokens == 0 {
			c.Text = c.Text[:i]
		}
	}
	return c
}
