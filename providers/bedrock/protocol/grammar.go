package protocol

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/latgate/latgate/providers"
)

// families tell the grammars apart by a member that no other has, in a piece of a
// stream or in a reply in one piece. The order matters: Command R has is_finished,
// too.
var families = []struct {
	member string
	new    func(*providers.Builder) grammar
}{
	{"messageStart", newNova},
	{"contentBlockStart", newNova},
	{"contentBlockDelta", newNova},
	{"contentBlockStop", newNova},
	{"messageStop", newNova},
	{"output", newNova},
	{"generation", newLlama},
	{"outputText", newTitan},
	{"results", newTitan},
	{"event_type", newCommandR},
	{"generation_id", newCommandR},
	{"is_finished", newCommand},
	{"generations", newCommand},
	{"outputs", newMistral},
	{"choices", newChat},
	{"completion", newTextCompletion},
}

// choose sets the grammar, unless an earlier JSON did: to that of data, which
// the model sent first.
func (v *invocation) choose(data []byte) error {
	if v.grammar != nil {
		return nil
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(data, &members); err != nil {
		return fmt.Errorf("the model's JSON: %w", err)
	}
	var kind providers.Lenient[string]
	if json.Unmarshal(members["type"], &kind) == nil && isMessagesEvent(kind.Value) {
		v.grammar = newMessages(v.Builder)
		return nil
	}
	for _, f := range families {
		if _, has := members[f.member]; has {
			v.grammar = f.new(v.Builder)
			return nil
		}
	}
	return unknownFamily(members)
}

// unknownFamily returns the error that names the members of a JSON of no known
// family, and nil where all of them are Bedrock's own.
func unknownFamily(members map[string]json.RawMessage) error {
	const shown, length = 12, 40
	var names []string
	for name := range members {
		if !strings.HasPrefix(name, bedrockMember) {
			names = append(names, name)
		}
	}
	if len(names) == 0 && len(members) > 0 {
		return nil
	}
	slices.Sort(names)
	if len(names) > shown {
		names = append(names[:shown], "…")
	}
	for i, name := range names {
		names[i] = fmt.Sprintf("%.*s", length, name)
	}
	return fmt.Errorf("the model's JSON is of no family that is known: its members are {%s}", strings.Join(names, ", "))
}

// A word is a JSON string. Anything else, null and numbers above all, is as good as
// none.
type word = providers.Lenient[string]

// stop notes the reason why the model stopped, where there is one: the reply is
// complete then.
func stop(b *providers.Builder, reason word) {
	if reason.Value != "" {
		b.Stop = reason.Value
		b.Complete()
	}
}

// count takes over what a later record counts, of input and output.
func count(b *providers.Builder, input, output providers.Count) {
	b.Usage.Input = b.Usage.Input.Update(input)
	b.Usage.Output = b.Usage.Output.Update(output)
}
