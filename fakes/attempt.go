package fakes

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"github.com/latgate/latgate/fakes/clock"
)

// An attempt is one attempt being answered.
type attempt struct {
	Schedule
	script Script

	w     http.ResponseWriter
	r     *http.Request
	ctx   context.Context // of the request: done when the client has gone
	start time.Time       // when the request was fully received
	alarm *clock.Alarm
	gone  bool // the client: nothing more is sent

	names   *rand.Rand
	padding *rand.Rand
}

// wait returns that long after the start, or false when the client goes before.
func (a *attempt) wait(at time.Duration) bool {
	return a.alarm.Wait(a.start.Add(at))
}

// write sends bytes by themselves at their time, so that the client can time them.
func (a *attempt) write(at time.Duration, message []byte) {
	if a.gone || !a.wait(at) {
		a.gone = true
		return
	}
	_, err := a.w.Write(message)
	if err == nil {
		err = http.NewResponseController(a.w).Flush()
	}
	a.gone = err != nil
}

// writeCut sends what is left of a text message that is cut at p, and breaks the
// connection where p says so.
func (a *attempt) writeCut(at time.Duration, p Place, message []byte) {
	a.write(at, p.cutText(message))
	if p == Abort {
		panic(http.ErrAbortHandler)
	}
}

// cutText is cut for a message of text: the places are as far into it.
func (p Place) cutText(message []byte) []byte {
	end := len(bytes.TrimRight(message, "\r\n"))
	switch p {
	case InPrelude:
		return message[:3]
	case InHeaders:
		return message[:end/4]
	case InPayload:
		return message[:end/2]
	case BeforeCRC:
		return message[:end-1]
	case BadCRC: // text has no checksum: what stands in for a wrong one is no JSON
		broken := bytes.Clone(message)
		broken[end-1] = '!'
		return broken
	}
	return nil
}

// writeWhole sends a reply that does not stream, at the end of the schedule. Of
// one that is cut, the second half is lost.
func (a *attempt) writeWhole(fields object) {
	body := mustJSON(fields)
	a.w.Header().Set("Content-Type", "application/json")
	a.w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	if _, cut := a.ending.(Cut); cut {
		a.write(a.End, body[:len(body)/2])
		panic(http.ErrAbortHandler)
	}
	a.write(a.End, body)
}

// writeError sends an error as the whole response.
func (a *attempt) writeError(status int, fields object) {
	a.w.Header().Set("Content-Type", "application/json")
	a.w.WriteHeader(status)
	_, _ = a.w.Write(mustJSON(fields))
}

// mustJSON returns the JSON of what a fake makes up: strings, numbers and objects
// of them, which always have one.
func mustJSON(v any) []byte {
	data, err := json.Marshal(v)
	must(err == nil, "no JSON: %v", err)
	return data
}

// startsBlock says whether a content event belongs to another block than the one
// before it.
func (a *attempt) startsBlock(i int) bool {
	if i == 0 {
		return true
	}
	before, this := a.Content[i-1], a.Content[i]
	return before.Channel != this.Channel || before.Call != this.Call
}

// A whole is one block of an answer in one piece: all the text of a channel, or
// the arguments of one tool call.
type whole struct {
	Channel Channel
	Call    int
	Text    string
}

// wholes returns the answer as a reply that does not stream has it.
func (a *attempt) wholes() []whole {
	var blocks []whole
	for i, c := range a.Content {
		if a.startsBlock(i) {
			blocks = append(blocks, whole{Channel: c.Channel, Call: c.Call})
		}
		blocks[len(blocks)-1].Text += c.Text
	}
	return blocks
}

// arguments returns the arguments of a tool call as JSON, {} where they were cut
// off by the request's maximum of tokens.
func (w whole) arguments() json.RawMessage {
	if !json.Valid([]byte(w.Text)) {
		return json.RawMessage("{}")
	}
	return json.RawMessage(w.Text)
}

// uuid returns a name that no other attempt has.
func (a *attempt) uuid() string {
	hi, lo := a.names.Uint64(), a.names.Uint64()
	return fmt.Sprintf("%08x-%04x-4%03x-a%03x-%012x", hi>>32, hi>>16&0xffff, hi&0xfff, lo>>48&0xfff, lo&0xffffffffffff)
}

// pad returns padding of random length where the script asks for it.
func (a *attempt) pad() (string, bool) {
	const alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	if !a.script.Padding {
		return "", false
	}
	return alphabet[:1+a.padding.IntN(len(alphabet))], true
}
