package fakes

import (
	"encoding/json"
	"fmt"
	"strings"
)

// A geminiRequest is what the fake understands of a request. It lets members that
// it does not know through.
type geminiRequest struct {
	Contents    []geminiContent `json:"contents"`
	System      geminiContent   `json:"systemInstruction"`
	SystemSnake geminiContent   `json:"system_instruction"` // Google takes either
	Config      struct {
		MaxOutputTokens *int `json:"maxOutputTokens"`
		Thinking        struct {
			Include *bool `json:"includeThoughts"`
		} `json:"thinkingConfig"`
	} `json:"generationConfig"`
	Tools []struct {
		Functions []struct {
			Name string `json:"name"`
		} `json:"functionDeclarations"`
	} `json:"tools"`
}

type geminiContent struct {
	Role  string  `json:"role"`
	Parts []block `json:"parts"`
}

// readGemini returns the request in a body, or why Google would refuse it.
func readGemini(body []byte) (r geminiRequest, refusal string) {
	if err := json.Unmarshal(body, &r); err != nil {
		return r, "Invalid JSON payload received. " + err.Error()
	}
	if len(r.Contents) == 0 {
		return r, "* GenerateContentRequest.contents: contents is not specified\n"
	}
	for i, c := range r.Contents {
		if c.Role != "" && c.Role != "user" && c.Role != "model" {
			return r, "Please use a valid role: user, model."
		}
		if len(c.Parts) == 0 {
			return r, fmt.Sprintf("* GenerateContentRequest.contents[%d].parts: contents.parts must not be empty.\n", i)
		}
		for j, p := range c.Parts {
			if len(p) == 0 {
				return r, fmt.Sprintf("* GenerateContentRequest.contents[%d].parts[%d].data: required oneof field 'data' must have one initialized field\n", i, j)
			}
		}
	}
	if n := r.Config.MaxOutputTokens; n != nil && *n < 1 {
		return r, "* GenerateContentRequest.generation_config.max_output_tokens: max_output_tokens must be positive.\n"
	}
	return r, ""
}

// prompt returns the request as the prompt cache counts it: implicit caching has a
// cache point after each part but the last.
func (r geminiRequest) prompt() prompt {
	var parts []block
	for _, c := range append([]geminiContent{r.System, r.SystemSnake}, r.Contents...) {
		parts = append(parts, c.Parts...)
	}
	return implicitlyCached(parts)
}

// implicitlyCached returns a prompt of these blocks whose provider caches prefixes
// of it without being asked to.
func implicitlyCached(blocks []block) prompt {
	var p prompt
	for i, b := range blocks {
		p.System = append(p.System, b)
		if i < len(blocks)-1 {
			p.System = append(p.System, block{"cachePoint": json.RawMessage("{}")})
		}
	}
	return p
}

// textBlock is a block of text.
func textBlock(text string) block { return block{"text": mustJSON(text)} }

// tool returns the name of the function that an answer calls: the first on offer.
func (r geminiRequest) tool() string {
	for _, t := range r.Tools {
		for _, f := range t.Functions {
			if f.Name != "" {
				return f.Name
			}
		}
	}
	return defaultTool
}

// defaultTool is the name of the tool that an answer calls where none is on offer.
const defaultTool = "get_weather"

// wholeToolInput is the arguments of a tool call where they come in one piece.
var wholeToolInput = json.RawMessage(strings.Join(toolInput[:], ""))

// endsCall says whether c is the last piece of a tool call, which is then whole.
func (c Content) endsCall() bool {
	return c.Channel == ToolInput && c.Text == toolInput[len(toolInput)-1]
}
