package fakes_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"slices"
	"testing"

	"github.com/latgate/latgate/fakes"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The fake is checked by a second implementation of the protocol.
func TestBotocore(t *testing.T) {
	t.Parallel()
	if err := exec.Command("python3", "-c", "import boto3").Run(); err != nil {
		t.Skip("SKIPPED: boto3 is not on this machine: botocore was not driven against the fake")
	}
	fault := func(request int, e fakes.Effect) fakes.Fault {
		return fakes.Fault{On: fakes.Request(request), Effect: e}
	}
	s := fakes.NewServer(fakes.Bedrock(fakes.Script{
		TTFT: fakes.Constant(5 * ms), OutputTokens: 6, Reasoning: 1, ToolCalls: 1, Padding: true,
		Faults: []fakes.Fault{
			fault(2, fakes.Refuse{Exception: fakes.Throttling}),
			fault(3, fakes.Throw{Exception: fakes.Throttling, After: 2}),
			fault(4, fakes.ThrowUnmodelled{Code: "Teapot", After: 2}),
			fault(5, fakes.Cut{At: fakes.InPayload, After: 2}),
			fault(6, fakes.Cut{At: fakes.Abort, After: 2}),
			fault(7, fakes.Cut{At: fakes.BadCRC, After: 2}),
		},
	}))
	defer s.Close()

	python := exec.CommandContext(t.Context(), "python3", "testdata/converse.py", s.URL)
	python.Env = append(os.Environ(),
		"AWS_ACCESS_KEY_ID=x", "AWS_SECRET_ACCESS_KEY=x", "AWS_SESSION_TOKEN=",
		"AWS_CONFIG_FILE="+os.DevNull, "AWS_SHARED_CREDENTIALS_FILE="+os.DevNull, "AWS_EC2_METADATA_DISABLED=true",
		"HTTP_PROXY=", "http_proxy=", "ALL_PROXY=", "all_proxy=")
	python.Stderr = os.Stderr
	output, err := python.Output()
	require.NoError(t, err)

	type usage struct{ InputTokens, OutputTokens, TotalTokens int }
	type stream struct {
		Events                []string
		Text, Reasoning, Tool string
		Stop, Error           string
		Status                *int
		Usage                 usage
	}
	var seen struct {
		Stream, Throttle, Exception, Unmodelled, Cut, Abort stream

		BadChecksum stream `json:"bad checksum"`
		Reply       struct {
			Content []map[string]any
			Stop    string
			Usage   usage
		}
	}
	require.NoError(t, json.Unmarshal(output, &seen), "%s", output)
	t.Logf("%s", output)

	events := []string{
		"messageStart", "contentBlockDelta", "contentBlockDelta", "contentBlockStop", "contentBlockDelta", "contentBlockDelta", "contentBlockStop",
		"contentBlockStart", "contentBlockDelta", "contentBlockDelta", "contentBlockDelta", "contentBlockStop", "messageStop", "metadata",
	}
	assert.Equal(t, stream{
		Events: events, Text: "a request", Reasoning: "a", Tool: `{"city":"Reykjavík"}`, Stop: "tool_use",
		Usage: usage{InputTokens: 2, OutputTokens: 6, TotalTokens: 8},
	}, seen.Stream)

	assert.Equal(t, "tool_use", seen.Reply.Stop)
	assert.Equal(t, usage{InputTokens: 2, OutputTokens: 6, TotalTokens: 8}, seen.Reply.Usage)
	require.Len(t, seen.Reply.Content, 3)
	assert.Equal(t, "a request", seen.Reply.Content[1]["text"])
	assert.Equal(t, map[string]any{"city": "Reykjavík"}, seen.Reply.Content[2]["toolUse"].(map[string]any)["input"])

	assert.Equal(t, "ThrottlingException", seen.Throttle.Error)
	assert.Equal(t, 429, *seen.Throttle.Status)
	assert.Empty(t, seen.Throttle.Events)

	first := slices.Clone(events[:2])
	for name, got := range map[string]struct {
		stream stream
		want   string
	}{
		"exception":    {seen.Exception, "throttlingException"},
		"unmodelled":   {seen.Unmodelled, "Teapot"},
		"cut":          {seen.Cut, ""}, // botocore notices nothing
		"abort":        {seen.Abort, "ProtocolError"},
		"bad checksum": {seen.BadChecksum, "ChecksumMismatch"},
	} {
		assert.Equal(t, first, got.stream.Events[:2], name)
		assert.Equal(t, got.want, got.stream.Error, name)
		assert.Empty(t, got.stream.Stop, name)
	}
}
