package yourapp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
)

// Triage answers customers with more than one model call: it asks how urgent a message
// is and what it is about, both at the same time, and then has the answer written.
type Triage struct {
	client *bedrockruntime.Client
	model  string

	// Change is what a developer may do to it, and what the users then wait for.
	Change Change
}

// A Change of the code that makes it slower. None of them fails any other test.
type Change struct {
	Serial   bool          // the two questions are asked one after the other
	Guard    bool          // the answer is checked by one more call before it is begun
	Buffered bool          // the answer is handed over once it is complete
	LookUp   time.Duration // something is looked up first
	Sleep    time.Duration // before a throttled call is made again
}

// NewTriage returns a Triage that asks the model through client. The client must not
// retry: Triage does.
func NewTriage(client *bedrockruntime.Client, model string) *Triage {
	return &Triage{client: client, model: model}
}

// Answer writes the answer to a message as it is generated.
func (t *Triage) Answer(ctx context.Context, w io.Writer, message string) error {
	time.Sleep(t.Change.LookUp)
	var urgency, topic string
	err := t.both(
		func() (err error) { urgency, err = t.ask(ctx, "How urgent is this? "+message); return err },
		func() (err error) { topic, err = t.ask(ctx, "What is this about? "+message); return err },
	)
	if err != nil {
		return err
	}
	if t.Change.Guard {
		if _, err := t.ask(ctx, "Is an answer to this allowed? "+message); err != nil {
			return err
		}
	}
	prompt := fmt.Sprintf("Answer this (%s, about %s): %s", urgency, topic, message)
	if !t.Change.Buffered {
		return t.write(ctx, w, prompt)
	}
	answer, err := t.ask(ctx, prompt)
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, answer)
	return err
}

func (t *Triage) both(f, g func() error) error {
	if t.Change.Serial {
		if err := f(); err != nil {
			return err
		}
		return g()
	}
	var errF, errG error
	var wait sync.WaitGroup
	wait.Go(func() { errF = f() })
	wait.Go(func() { errG = g() })
	wait.Wait()
	return errors.Join(errF, errG)
}

// ask returns the whole answer to a question.
func (t *Triage) ask(ctx context.Context, question string) (string, error) {
	var answer []byte
	err := t.write(ctx, writerFunc(func(p []byte) (int, error) {
		answer = append(answer, p...)
		return len(p), nil
	}), question)
	return string(answer), err
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// write has the model answer, and tries once more where it is throttled.
func (t *Triage) write(ctx context.Context, w io.Writer, question string) error {
	support := Support{client: t.client, model: t.model}
	err := support.Answer(ctx, w, question)
	if throttled := (*types.ThrottlingException)(nil); errors.As(err, &throttled) {
		time.Sleep(t.Change.Sleep)
		err = support.Answer(ctx, w, question)
	}
	return err
}

// WithoutRetries is the option of a client for [NewTriage].
func WithoutRetries(o *bedrockruntime.Options) { o.Retryer = aws.NopRetryer{} }
