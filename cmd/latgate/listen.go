package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"
)

// lastWords is how long requests under way may go on after an interrupt.
const lastWords = 10 * time.Second

// A journal writes lines for those who look on, from several goroutines, made harmless
// to a terminal.
type journal struct {
	mu  sync.Mutex
	out io.Writer
}

func (j *journal) say(format string, args ...any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	fmt.Fprintln(j.out, "latgate: "+plain(fmt.Sprintf(format, args...)))
}

// Write takes what net/http has to complain of.
func (j *journal) Write(line []byte) (int, error) {
	j.say("%s", line)
	return len(line), nil
}

// listen serves a handler in the clear until it is interrupted: requests under way have
// 10 s to end then, a second interrupt ends them at once. It returns when the handler
// has. The address and its base URL are told once connections are accepted, the URL as
// the only line of the standard output, for a script to read.
func (p *program) listen(ctx context.Context, address string, h http.Handler, told *journal) error {
	if ctx == nil {
		ctx = context.Background()
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("--listen: %w", err)
	}
	noticed := make(chan struct{})
	gentle, hard, stop := p.interruptible(ctx, func() {
		defer close(noticed)
		told.say("interrupted: requests under way have 10 s to end; once more ends them at once")
	})
	defer stop()
	var running sync.WaitGroup
	server := &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			running.Add(1)
			defer running.Done()
			h.ServeHTTP(w, r)
		}),
		ReadHeaderTimeout: 30 * time.Second,
		ErrorLog:          log.New(told, "", 0),
	}
	at := listener.Addr().(*net.TCPAddr)
	if !at.IP.IsLoopback() {
		told.say("--listen: other machines can reach %v", at)
	}
	if _, err := fmt.Fprintf(p.stdout, "http://%v\n", at); err != nil {
		return errors.Join(printed(err), listener.Close())
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return &exitError{exitInternal, err}
	case <-gentle.Done():
	}
	if errors.Is(context.Cause(gentle), errInterrupted) {
		<-noticed // so that nothing is told once this has returned
	}
	ending, cancel := context.WithTimeout(hard, lastWords)
	defer cancel()
	if server.Shutdown(ending) != nil {
		_ = server.Close() // the requests' contexts end
		running.Wait()
	}
	return nil
}
