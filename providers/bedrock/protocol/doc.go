// Package protocol decodes what the Amazon Bedrock runtime sends, from captured
// bytes and without the AWS SDK: a test that measures somebody else's client
// recognizes Bedrock by linking this package alone.
//
//	r := protocol.Converse{}.Decode(exchange)
//	fmt.Println(r.Class, r.First(), r.Usage.Output)
//
// [Converse] reads ConverseStream (frames of the AWS event stream) and Converse
// (one JSON object). [Invoke] reads InvokeModelWithResponseStream, whose frames
// carry the JSON of the model, and InvokeModel. Both read the errors before and
// inside the stream.
package protocol
