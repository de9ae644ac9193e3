package openai_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/wire"
)

// What a tool is called with counts once: with its deltas or, where there are none,
// with the end of the item.
func TestArgumentsCountOnce(t *testing.T) {
	t.Parallel()
	const (
		begun = `{"type":"response.output_item.added","output_index":1,"item":{"type":"function_call","id":"f","name":"now","arguments":""}}`
		ended = `{"type":"response.output_item.done","output_index":1,"item":{"type":"function_call","id":"f","name":"now","arguments":"{}"}}`
	)
	piece := func(id, index, text string) string {
		return `{"type":"response.function_call_arguments.delta","item_id":` + id + `,"output_index":` + index + `,"delta":"` + text + `"}`
	}
	for _, c := range []struct {
		name   string
		pieces []string
		first  int // the event with the first content
		bytes  int
	}{
		{"deltas", []string{piece(`"f"`, "1", "{"), piece(`"f"`, "1", "}")}, 2, 2},
		{"deltas by the ID alone", []string{piece(`"f"`, "null", "{}")}, 2, 2},
		{"deltas by the place alone", []string{piece(`"another"`, "1", "{}")}, 2, 2},
		{"none", nil, 2, 2},
		{"one that is empty", []string{piece(`"f"`, "1", "")}, 3, 2},
		{"one of another item", []string{piece(`"g"`, "0", "{}")}, 2, 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			events := append(append([]string{created, begun}, c.pieces...), ended, completed)
			r := decodeResponses(t, responseStream(events...))
			assert.Equal(t, providers.OK, r.Class, r.Detail)
			n := 0
			for _, e := range r.Events {
				assert.Equal(t, providers.Tool, e.Channel)
				n += e.Bytes
			}
			assert.Equal(t, c.bytes, n)
			assert.Equal(t, wire.At(responseStream(events...).Marks[c.first].At), r.First())
		})
	}
}

// The call of any tool is more than nothing, though it may be no content.
func TestWholeResponseOfCalls(t *testing.T) {
	t.Parallel()
	for item, tool := range map[string]int{
		`{"type":"computer_call","action":{"type":"click","x":1}}`:      0,
		`{"type":"web_search_call","action":{"query":"x"}}`:             0,
		`{"type":"image_generation_call","result":"aGk="}`:              0,
		`{"type":"function_call","name":"now","arguments":""}`:          3,
		`{"type":"function_call","id":7,"name":1,"arguments":{"a":1}}`:  7,
		`{"type":"local_shell_call","action":{"command":["ls"]}}`:       0,
		`{"type":"shell_call","action":{"commands":["ls","cd"]},"x":1}`: 4,
	} {
		x := exchange(200, "application/json", `{"object":"response","status":"completed","output":[`+item+`]}`)
		x.Path = "/v1/responses"
		r := decodeResponses(t, x)
		assert.Equal(t, providers.OK, r.Class, item)
		n := 0
		for _, e := range r.Events {
			n += e.Bytes
		}
		assert.Equal(t, tool, n, item)
	}
	x := exchange(200, "application/json", `{"object":"response","status":"completed","output":[{"type":"message","content":[{"type":"output_audio","transcript":"Hi","data":"aGk="}]}]}`)
	x.Path = "/v1/responses"
	assert.Equal(t, "Hi", decodeResponses(t, x).Text)
}
