package report

import _ "embed" // of the schema

// JSONSchema describes verdict.json for other programs: a JSON Schema of draft
// 2020-12.
//
//go:embed verdict.schema.json
var JSONSchema []byte
