#!/usr/bin/env bash
# The commands of pipeline.yml: .buildkite/latency.sh measure | gate
set -euo pipefail

git fetch --no-tags origin "${BUILDKITE_PULL_REQUEST_BASE_BRANCH:-main}"
base=$(git merge-base FETCH_HEAD HEAD)

case $1 in
measure)
	shard=$BUILDKITE_PARALLEL_JOB
	export LATGATE_SHARD=$shard/$BUILDKITE_PARALLEL_JOB_COUNT
	go tool latgate run --base "$base" --out "shards/$shard" -- ./... -run Latency
	;;
gate)
	buildkite-agent artifact download 'shards/**/*' .
	go tool latgate merge --expect auto=3 --out out shards
	go tool latgate gate --base "$base" --dir out --formats json,md,junit
	;;
esac
