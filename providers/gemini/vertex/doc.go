// Package vertex measures Gemini models at Vertex AI, which takes an OAuth token
// instead of a key:
//
//	source, err := google.DefaultTokenSource(ctx, "https://www.googleapis.com/auth/cloud-platform")
//	if err != nil {
//		return err
//	}
//	target := vertex.GenerateContent("my-project", "europe-west1", "gemini-2.5-flash", source, endpoint.Options{})
//
// Where credentials come from is the program's affair; golang.org/x/oauth2/google,
// for one, finds those of the environment. Replies are decoded by [gemini.Decoder].
package vertex
