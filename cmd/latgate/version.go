package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
)

func (p *program) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the version of the command",
		Example: `  latgate version`,
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			info, _ := debug.ReadBuildInfo() // nil where there is none
			_, err := fmt.Fprintln(p.stdout, versionText(info))
			return printed(err)
		},
	}
}

// versionText is "latgate v1.2.0 (4f1c2ab8…, 2026-11-20T03:17:05Z, go1.26.0 linux/amd64)".
func versionText(info *debug.BuildInfo) string {
	version, details := "of unknown origin", []string{}
	if info != nil {
		if info.Main.Version != "" {
			version = info.Main.Version
		}
		settings := make(map[string]string)
		for _, s := range info.Settings {
			settings[s.Key] = s.Value
		}
		if revision := settings["vcs.revision"]; revision != "" {
			if settings["vcs.modified"] == "true" {
				revision += " with changes"
			}
			details = append(details, revision)
		}
		if time := settings["vcs.time"]; time != "" {
			details = append(details, time)
		}
	}
	details = append(details, runtime.Version()+" "+runtime.GOOS+"/"+runtime.GOARCH)
	return "latgate " + version + " (" + strings.Join(details, ", ") + ")"
}
