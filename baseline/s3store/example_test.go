package s3store_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"strings"

	"github.com/latgate/latgate/baseline/s3store"
	"github.com/latgate/latgate/fakes"
)

func Example() {
	ctx := context.Background()
	network := fakes.NewNetwork(newServer()) // stands for S3
	defer network.Close()

	address := "s3://acme-latency/github.com/acme/app" +
		"?endpoint=https://s3.example.com&use_path_style=true" // not on AWS
	store, err := s3store.Open(ctx, address, s3store.Options{
		Config: config(), HTTPClient: network.Client(), // both are usually left out
	})
	if err != nil {
		log.Fatal(err)
	}
	where, err := store.Add(run("first week", started))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(where[:strings.LastIndexByte(where, '/')])

	runs, err := store.Runs(key)
	var tampered *s3store.DigestError
	switch {
	case errors.As(err, &tampered):
		fmt.Println("somebody changed", tampered.Object)
	case err != nil:
		log.Fatal(err)
	}
	for _, r := range runs {
		fmt.Println(r.Header.Time, r.Header.Reason)
	}

	// The anchor, with which every run is compared as well.
	if _, err := store.Pin(runs[0]); err != nil {
		log.Fatal(err)
	}
	pinned, err := store.Pinned(key)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("pinned:", pinned.Header.Reason)

	// Output:
	// s3://acme-latency/github.com/acme/app/runs/TestLatencyChat/all@04838d03
	// 2026-11-20 03:17:05 +0000 UTC first week
	// pinned: first week
}
