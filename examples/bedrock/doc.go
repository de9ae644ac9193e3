// Package bedrock is an example: gates over a Bedrock endpoint and a prompt set.
//
//	go test ./examples/bedrock -run Latency -v
//
// measures the fake endpoint in virtual time. Its tests are what a team would
// copy; set LATGATE_MODE=live to point them at real Bedrock.
package bedrock
