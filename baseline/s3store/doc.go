// Package s3store keeps a baseline's runs in a bucket of S3, or of any server that
// speaks its protocol and honors conditional writes.
//
//	store, err := s3store.Open(ctx, "s3://acme-latency/github.com/acme/app", s3store.Options{})
//	if err != nil {
//		t.Fatal(err)
//	}
//	assertions.Check(t, res, store, assertions.P90(latencytest.TTFT))
//
// # Layout
//
// Below the prefix there are
//
//	runs/<TestName>/<scenario>@<hash>/<time>-<commit>-<digest>.bench   a run, in the format of package baseline
//	baselines/<TestName>/<scenario>@<hash>.json                        the pointer: which runs are the baseline of a key
//	baselines/<TestName>/<scenario>/keys.json                          the keys under which a scenario has runs
//	baselines/probe.json                                               says nothing, see below
//
// A run is written once, with If-None-Match: *, under a name that holds its
// digest. A pointer lists the newest [baseline.Keep] runs with their SHA-256:
//
//	{
//	  "schema": "latgate.pointer/1",
//	  "runs": [
//	    {
//	      "object": "runs/TestLatencyChat/all@1fb64ab5/2026-11-20T031705Z-4f1c2ab-9f86d081884c7d65.bench",
//	      "sha256": "9f86d081884c7d65…",
//	      "time": "2026-11-20T03:17:05Z"
//	    }
//	  ],
//	  "pinned": {"object": …, "sha256": …, "time": …}
//	}
//
// It is replaced with If-Match: <the entity tag that was read>. A writer that lost
// the race reads it again and adds its run to what the other one wrote, so no run
// is lost. Nothing is ever deleted: a writer needs no permission for that, and
// what a pointer named once can be read for ever, by [Store.Archive]. The pinned run,
// the anchor that a [baseline.Pinner] keeps, moves by [Store.Pin] alone; it is one of
// the runs' objects, whether the pointer names that among the others or not.
//
// A server that ignores the conditions would lose runs without a word. The first
// write of a store therefore writes the probe object in ways that must fail, and
// ends with [ErrUnconditional] where they do not.
//
// # Addresses
//
// An address says all that the environment does not, so that a test, the command and the
// record of a check name a store alike ([Store.String]):
//
//	s3://acme-latency/github.com/acme/app
//	s3://latency/app?endpoint=https://minio.example.com&use_path_style=true
//	s3://latency/app?endpoint=https://ACCOUNT.r2.cloudflarestorage.com&region=auto
//	s3://acme-public/app?region=eu-west-1&anonymous=true
//	https://latency.acme.example/app
//
// # Reading
//
// What is read is compared with its digest; a [*DigestError] says that a run was
// changed or removed after it was stored. A store opened from an https address
// reads the same layout by plain GETs, as a public copy of the bucket serves it,
// takes no runs, and pins none.
//
// Errors of the server are a [*ServerError]. What they quote is scrubbed of
// anything that looks like a credential. The command latgate ends with exit code 16 after
// the former and with 15 after the latter, in a build that it judges as well.
package s3store
