package report_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/report"
	"github.com/latgate/latgate/report/reporttest"
)

// validator returns the schema as another program reads it.
func validator(t *testing.T) *jsonschema.Schema {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(report.JSONSchema))
	require.NoError(t, err)
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	require.NoError(t, compiler.AddResource("verdict.schema.json", document))
	schema, err := compiler.Compile("verdict.schema.json")
	require.NoError(t, err)
	assert.Equal(t, 2020, schema.DraftVersion)
	return schema
}

func validate(t *testing.T, schema *jsonschema.Schema, data []byte) error {
	t.Helper()
	instance, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	require.NoError(t, err)
	return schema.Validate(instance)
}

func TestSchemaTakesWhatIsWritten(t *testing.T) {
	t.Parallel()
	schema := validator(t)
	require.NoError(t, validate(t, schema, marshal(t)))
	full := reporttest.Build()
	full.Relaxed = []string{"x"}
	fill(reflect.ValueOf(&full.Rows[0]).Elem())
	full.Rows[0].Verdict, full.Rows[0].Quantity.Quantile = baseline.Pass, .9
	data, err := json.Marshal(full)
	require.NoError(t, err)
	require.NoError(t, validate(t, schema, data))
	bare, err := json.Marshal(&report.Build{Schema: report.Schema, Mode: report.AB, Verdict: baseline.Pass, Rows: []report.Row{{Verdict: baseline.Pass, Comparison: &report.Comparison{}}}})
	require.NoError(t, err)
	require.NoError(t, validate(t, schema, bare))
}

// fill sets every field to something that is not its zero value.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString("x")
	case reflect.Int:
		v.SetInt(1)
	case reflect.Float64:
		v.SetFloat(1.5)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i))
		}
	}
}

func TestSchemaRefusesWhatIsRefused(t *testing.T) {
	t.Parallel()
	schema := validator(t)
	for _, c := range [][2]string{
		{`latgate.verdict/1`, `latgate.verdict/2`},
		{`"schema":"latgate.verdict/1",`, ``},
		{`"tool"`, `"body":"x","tool"`},
		{`"test"`, `"body":"x","test"`},
		{`"exit_code":16`, `"exit_code":"16"`},
		{`"exit_code":16`, `"exit_code":3`},
		{`"verdict":"tampered"`, `"verdict":"fine"`},
		{`"mode":"stored"`, `"mode":"fine"`},
		{`"verdict":"regression"`, `"verdict":"fine"`},
		{`"quantile":0.9`, `"quantile":90`},
		{`"failed":3`, `"failed":-3`},
	} {
		data := marshal(t, c[0], c[1])
		require.Error(t, validate(t, schema, data), c[1])
		_, err := report.Parse(data)
		require.Error(t, err, c[1])
	}
	empty := reporttest.Build()
	empty.Rows = []report.Row{}
	data, err := json.Marshal(empty)
	require.NoError(t, err)
	require.Error(t, validate(t, schema, data))
}

// A definition is an object of the schema.
type definition struct {
	Type                 any
	Ref                  string `json:"$ref"`
	Enum                 []any
	Items                *definition
	Required             []string
	AdditionalProperties *bool
	Properties           map[string]*definition
	Defs                 map[string]*definition `json:"$defs"`
}

// TestSchemaHasTheTypes compares the schema with the types, member by member.
func TestSchemaHasTheTypes(t *testing.T) {
	t.Parallel()
	root := new(definition)
	require.NoError(t, json.Unmarshal(report.JSONSchema, root))
	agree(t, root, root, reflect.TypeFor[report.Build](), "build")
	assert.Contains(t, string(report.JSONSchema), `{"const": "`+report.Schema+`"}`)
	for _, v := range root.Defs["verdict"].Enum {
		assert.NotEqual(t, report.ExitInternal, report.ExitCode(baseline.Verdict(v.(string))), v)
	}
	assert.Len(t, root.Defs["verdict"].Enum, 11)
	for _, v := range root.Properties["exit_code"].Enum {
		assert.Contains(t, []float64{0, 1, 2, 10, 11, 12, 13, 14, 15, 16, 17}, v)
	}
}

func agree(t *testing.T, root, d *definition, typ reflect.Type, at string) {
	t.Helper()
	for d.Ref != "" {
		require.Contains(t, root.Defs, strings.TrimPrefix(d.Ref, "#/$defs/"), at)
		d = root.Defs[strings.TrimPrefix(d.Ref, "#/$defs/")]
	}
	if typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	switch {
	case typ == reflect.TypeFor[time.Time]():
		assert.Equal(t, "string", d.Type, at)
	case typ.Kind() == reflect.Struct:
		require.NotNil(t, d.AdditionalProperties, at)
		assert.False(t, *d.AdditionalProperties, at)
		var names, required []string
		for i := range typ.NumField() {
			field := typ.Field(i)
			name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
			names = append(names, name)
			if options == "" {
				required = append(required, name)
			}
			require.Contains(t, d.Properties, name, at)
			agree(t, root, d.Properties[name], field.Type, at+"."+name)
		}
		assert.Len(t, d.Properties, len(names), at)
		assert.ElementsMatch(t, required, d.Required, at)
	case typ.Kind() == reflect.Slice:
		assert.True(t, d.Type == "array" || slices.Contains(d.Type.([]any), any("array")), at)
		agree(t, root, d.Items, typ.Elem(), at+"[]")
	case d.Type != nil:
		want := map[reflect.Kind]string{reflect.String: "string", reflect.Int: "integer", reflect.Float64: "number", reflect.Bool: "boolean"}
		assert.Equal(t, want[typ.Kind()], d.Type, at)
	}
}
