package latencytest_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/latencytest"
)

func TestFileName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"TestLatencySupportChat":                      "TestLatencySupportChat",
		"TestLatency/short_prompt/4":                  "TestLatency_short_prompt_4",
		"us.anthropic.claude-haiku-4-5-20251001-v1:0": "us.anthropic.claude-haiku-4-5-20251001-v1_0",
		"m,us-east-1,optimized":                       "m,us-east-1,optimized",
		"prompt=short/conc=8#01":                      "prompt=short_conc=8_01",
		`a\b`:                                         "a_b",
		"with  blanks":                                "with_blanks",
		"..":                                          "_",
		".":                                           "_",
		"":                                            "_",
		".hidden":                                     "hidden",
		"trailing...":                                 "trailing",
		"../../etc/passwd":                            "_.._etc_passwd",
		"con":                                         "_con",
		"CON":                                         "_CON",
		"Nul.txt":                                     "_Nul.txt",
		"com1":                                        "_com1",
		"LPT9.samples":                                "_LPT9.samples",
		"console":                                     "console",
		"com10":                                       "com10",
		"auxiliary":                                   "auxiliary",
		"a:b*c?d\"e<f>g|h":                            "a_b_c_d_e_f_g_h",
		"line\nend\x00":                               "line_end_",
		"TestX/" + strings.Repeat("a", 200):           "TestX_" + strings.Repeat("a", 85) + "-631dd92c",
		"TestX/" + strings.Repeat("a", 94):            "TestX_" + strings.Repeat("a", 94),
		"TestLatency/東京":                              "TestLatency_-a34f76f9",
		"TestLatency/München":                         "TestLatency_M_nchen-f0f5f2ec",
		"arn:aws:bedrock:us-east-1:***:profile/abcdef": "arn_aws_bedrock_us-east-1_profile_abcdef",
	} {
		assert.Equal(t, want, latencytest.FileName(name), "%q", name)
	}
}

// Tests whose names differ in what a file name cannot hold, or beyond where it
// ends, must not write over each other's files.
func TestFileNamesDiffer(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a very long name ", 10)
	seen := map[string]string{}
	for _, name := range []string{
		"TestLatency/東京", "TestLatency/大阪", "TestLatency/S\u00e3o", "TestLatency/Sa\u0303o", "TestLatency/",
		"TestLatency/" + long, "TestLatency/" + long + "b", "TestLatency/" + long + "c", "TestLatency/" + long + "東",
	} {
		file := latencytest.FileName(name)
		assert.Empty(t, seen[file], "%s is also that of %s", file, name)
		seen[file] = name
	}
}

// Whatever the name, the file can be made, and where it is wanted.
func FuzzFileName(f *testing.F) {
	for _, name := range []string{"TestX/a", "..", "con", "a\x00b", strings.Repeat("ü", 200), "COM1.", ".", "a.", strings.Repeat(".", 150), strings.Repeat("a", 99) + "./b"} {
		f.Add(name)
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, name string) {
		file := latencytest.FileName(name)
		assert.LessOrEqual(t, len(file), 101)
		assert.False(t, strings.HasSuffix(file, "."), "Windows drops it")
		assert.Equal(t, file, filepath.Base(file))
		assert.Equal(t, file, latencytest.FileName(file), "made twice, it is the same")
		path := filepath.Join(dir, file)
		require.NoError(t, os.WriteFile(path, nil, 0o644))
		require.NoError(t, os.Remove(path))
	})
}
