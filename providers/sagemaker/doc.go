// Package sagemaker sends prompts to the model endpoints of Amazon SageMaker through
// aws-sdk-go-v2 and decodes the replies from the captured bytes.
//
//	cfg, err := config.LoadDefaultConfig(ctx) // credentials and region, as ever
//	client := sagemakerruntime.NewFromConfig(cfg)
//	target := sagemaker.InvokeEndpointWithResponseStream(client, "my-llama", sagemaker.Temperature(0))
//	res := latencytest.Run(t, target, plan)
//
// An endpoint takes what its container takes. That is a chat completion unless [TGI]
// says otherwise: vLLM, SGLang, LMI and TGI's messages API understand it.
//
// The SDK is there for credentials, endpoints, signing and, when asked for,
// retries. Its stream decoding is kept out of the way, for the reasons told in
// providers/bedrock; besides, it knows nothing of what is in the parts.
package sagemaker
