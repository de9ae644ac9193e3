package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/baseline/s3store"
	"github.com/latgate/latgate/gate"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/report"
)

// isRemote reports whether a store is named by an address, and not by a directory.
func isRemote(name string) bool { return strings.Contains(name, "://") }

// openRemote opens the store at an address.
func openRemote(ctx context.Context, address string) (*s3store.Store, error) {
	return s3store.Open(ctx, address, s3store.Options{})
}

// openStore is openRemote for package gate.
func openStore(ctx context.Context, address string) (baseline.Store, error) {
	store, err := openRemote(ctx, address)
	if err != nil {
		return nil, err
	}
	return store, nil
}

// openStoreOf opens a store that is named, or the default one.
func (p *program) openStoreOf(ctx context.Context, name string) (baseline.Store, error) {
	name, err := p.storeName(name, latencytest.Dir)
	if err != nil {
		return nil, err
	}
	if isRemote(name) {
		return openStore(ctx, name)
	}
	return baseline.Dir(name), nil
}

// storeName is the store that a flag names, LATGATE_STORE, or latgate.yaml, and otherwise
// where none of them does. A directory of latgate.yaml is one of its module.
func (p *program) storeName(flag, otherwise string) (string, error) {
	if flag != "" {
		return flag, nil
	}
	if name, _ := p.lookup("LATGATE_STORE"); name != "" {
		return name, nil
	}
	root, err := gate.FindRoot(".")
	if err != nil {
		return otherwise, nil // there is no module, and nothing that speaks for it
	}
	config, err := gate.ReadConfig(root)
	switch {
	case err != nil:
		return "", err
	case config.Store == "":
		return otherwise, nil
	case isRemote(config.Store):
		return config.Store, nil
	}
	return filepath.Join(root, config.Store), nil
}

// storeUnreachable reports whether an error is about the server of a store.
func storeUnreachable(err error) bool {
	_, is := errors.AsType[*s3store.ServerError](err)
	return is
}

// storeFailed gives an error of a remote store its exit code: what somebody has changed
// goes before what the server did.
func storeFailed(err error) error {
	if _, changed := errors.AsType[*s3store.DigestError](err); changed {
		return &exitError{report.ExitTampered, err}
	}
	if storeUnreachable(err) {
		return &exitError{report.ExitInfrastructure, err}
	}
	return err
}

// namedStore is the store of a command that takes it as an argument or a flag.
func (p *program) namedStore(args []string, flag, otherwise string) (string, error) {
	if len(args) > 0 && flag != "" {
		return "", fmt.Errorf("--store and %q: name one store", args[0])
	}
	if len(args) > 0 {
		return args[0], nil
	}
	return p.storeName(flag, otherwise)
}

// A remoteRun is a run of a remote store.
type remoteRun struct {
	*baseline.Run
	store *s3store.Store
}

// remoteRun reads the run at an address, or at that of an object of the store that is
// named: runs/TestLatencyChat/all@9f3c1a2b/….bench. The second result is false for the
// name of a file.
func (p *program) remoteRun(ctx context.Context, name, flag string) (r remoteRun, is bool, err error) {
	object := name
	switch {
	case isRemote(name):
		var address string
		if address, object, err = s3store.SplitRun(name); err != nil {
			return r, true, err
		}
		if r.store, err = p.storeOfRun(ctx, address, flag); err != nil {
			return r, true, err
		}
	case !strings.HasPrefix(name, "runs/"):
		if flag != "" && isRemote(flag) {
			return r, true, fmt.Errorf("%s: in a store a run is called runs/<TestName>/<scenario>@<hash>/<file>.bench", name)
		}
		return r, false, nil
	default:
		if flag, err = p.storeName(flag, ""); err != nil || !isRemote(flag) {
			return r, false, err
		}
		if r.store, err = openRemote(ctx, flag); err != nil {
			return r, true, err
		}
	}
	r.Run, err = r.store.Stored(object)
	return r, true, storeFailed(err)
}

// storeOfRun opens the store that the address of a run names. How its server is reached,
// which few addresses of runs say, may be said by the store that is named otherwise.
func (p *program) storeOfRun(ctx context.Context, address, flag string) (*s3store.Store, error) {
	if strings.Contains(address, "?") {
		return openRemote(ctx, address)
	}
	name, err := p.storeName(flag, "")
	if err != nil {
		return nil, err
	}
	where, _, _ := strings.Cut(name, "?")
	switch {
	case strings.TrimSuffix(where, "/") == address:
		return openRemote(ctx, name)
	case flag != "":
		return nil, fmt.Errorf("the run is one of %s, and --store names another", address)
	}
	return openRemote(ctx, address)
}

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
