package main

import (
	"context"
	"fmt"
)

// pruneRemote has the pointers of a remote store name fewer runs.
func (p *program) pruneRemote(ctx context.Context, address string, keep int, dryRun bool) error {
	store, err := openRemote(ctx, address)
	if err != nil {
		return err
	}
	dropped, failed := store.Prune(keep, dryRun)
	for _, run := range dropped {
		if _, err := fmt.Fprintln(p.stdout, plain(run)); err != nil {
			return printed(err)
		}
	}
	if failed != nil {
		return storeFailed(failed)
	}
	word := "are no longer compared with; they can still be read"
	if dryRun {
		word = "would no longer be compared with"
	}
	_, err = fmt.Fprintf(p.stdout, "%d %s\n", len(dropped), word)
	return printed(err)
}
