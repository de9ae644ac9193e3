package protocol

import (
	"strings"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/anthropic"
)

// messages is the grammar of Anthropic's Messages API.
type messages struct{ events *anthropic.Events }

func newMessages(b *providers.Builder) grammar { return messages{anthropic.NewEvents(b)} }

// isMessagesEvent reports whether a type is one of the API's events, or of its
// reply in one piece.
func isMessagesEvent(kind string) bool {
	return kind == "message" || kind == "ping" || strings.HasPrefix(kind, "message_") || strings.HasPrefix(kind, "content_block_")
}

func (m messages) chunk(data []byte) error { return m.events.Event(data) }
func (m messages) whole(data []byte) error { return m.events.Message(data) }
