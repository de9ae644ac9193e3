package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/latgate/latgate/report"
	"github.com/latgate/latgate/report/github"
	"github.com/latgate/latgate/report/gitlab"
	"github.com/latgate/latgate/report/junit"
	"github.com/latgate/latgate/report/markdown"
	"github.com/latgate/latgate/report/text"
)

// A reportFile is a file that a format consists of.
type reportFile struct {
	format, name string
	write        func(io.Writer, *report.Build, markdown.Options) error
}

var reportFiles = []reportFile{
	{"md", "report.md", markdown.Summary},
	{"junit", "junit.xml", plainly(junit.Write)},
	{"gitlab", "metrics.txt", plainly(gitlab.Metrics)},
	{"gitlab", "codequality.json", plainly(gitlab.CodeQuality)},
	{"github", "annotations.txt", plainly(github.Annotations)},
	{"text", "report.txt", plainly(text.Write)},
}

// plainly is a renderer that has no options.
func plainly(write func(io.Writer, *report.Build) error) func(io.Writer, *report.Build, markdown.Options) error {
	return func(w io.Writer, b *report.Build, _ markdown.Options) error { return write(w, b) }
}

// reportFormats are the formats there are.
func reportFormats() []string {
	formats := []string{"json"}
	for _, f := range reportFiles {
		formats = append(formats, f.format)
	}
	return slices.Compact(formats)
}

// reportFlags are the flags of the commands that tell a verdict.
type reportFlags struct {
	formats  []string
	summary  string
	annotate string
}

func (f *reportFlags) register(cmd *cobra.Command, formats ...string) {
	cmd.Flags().StringSliceVar(&f.formats, "formats", formats, "the `formats` to write: "+strings.Join(reportFormats(), ","))
	cmd.Flags().StringVar(&f.summary, "summary", "", "a `file` to add the verdict to as Markdown, such as $GITHUB_STEP_SUMMARY")
	cmd.Flags().StringVar(&f.annotate, "annotate", "", "print annotations for a CI `system`: github")
	choices(cmd, "formats", reportFormats()...)
	choices(cmd, "annotate", "github")
}

func (f *reportFlags) check() error {
	for _, format := range f.formats {
		if err := oneOf("formats", format, reportFormats()...); err != nil {
			return err
		}
	}
	if f.annotate != "" {
		return oneOf("annotate", f.annotate, "github")
	}
	return nil
}

func (p *program) reportCommand() *cobra.Command {
	var flags reportFlags
	var verdict, out string
	cmd := &cobra.Command{
		Use:   "report",
		Short: "Tell a verdict in other formats",
		Long: `Report prints a verdict that latgate gate has reached as a table, and writes it in
other formats:

  json     verdict.json
  md       report.md, which GitHub and GitLab show
  junit    junit.xml, for all that show test results
  gitlab   metrics.txt and codequality.json, reports of a merge request
  github   annotations.txt, commands of GitHub Actions; --annotate prints them
  text     report.txt, the table

It judges nothing: it exits with 0 whatever the verdict is.`,
		Example: `  latgate report --verdict .latgate/verdict.json
  latgate report --verdict verdict.json --formats md,junit,gitlab --out reports
  latgate report --verdict verdict.json --summary "$GITHUB_STEP_SUMMARY" --annotate github`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := flags.check(); err != nil {
				return err
			}
			if len(flags.formats) > 0 && out == "" {
				return fmt.Errorf("--formats: say where to write them, with --out")
			}
			build, err := report.Read(verdict)
			if err != nil {
				return err
			}
			return printed(p.report(flags, out, build))
		},
	}
	cmd.Flags().StringVar(&verdict, "verdict", "", "the `file` verdict.json")
	cmd.Flags().StringVar(&out, "out", "", "the `directory` to write the formats to")
	_ = cmd.MarkFlagRequired("verdict") // the flag exists
	flags.register(cmd)
	return cmd
}

// report prints the verdict as a table, and writes the formats to a directory.
func (p *program) report(f reportFlags, directory string, b *report.Build) error {
	if err := text.Write(p.stdout, b); err != nil {
		return err
	}
	o := markdown.Options{Run: p.runAddress()}
	if len(f.formats) > 0 {
		if err := os.MkdirAll(directory, 0o755); err != nil {
			return err
		}
	}
	if slices.Contains(f.formats, "json") {
		if err := b.Write(filepath.Join(directory, "verdict.json")); err != nil {
			return err
		}
	}
	for _, file := range reportFiles {
		if !slices.Contains(f.formats, file.format) {
			continue
		}
		var content bytes.Buffer
		if err := file.write(&content, b, o); err != nil {
			return err
		}
		if err := report.WriteFile(filepath.Join(directory, file.name), content.Bytes()); err != nil {
			return err
		}
	}
	if f.summary != "" {
		if err := addSummary(f.summary, b, o); err != nil {
			return err
		}
	}
	if f.annotate == "github" {
		return github.Annotations(p.stdout, b)
	}
	return nil
}

// addSummary adds to a file that the CI system and other steps write to as well.
func addSummary(path string, b *report.Build, o markdown.Options) error {
	var content bytes.Buffer
	if err := markdown.Summary(&content, b, o); err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = file.Write(content.Bytes())
	if closing := file.Close(); err == nil {
		err = closing
	}
	return err
}

// runAddress is where the CI system shows the run that this is a part of, or "".
func (p *program) runAddress() string {
	value := func(name string) string {
		v, _ := p.lookup(name)
		return v
	}
	if server, repository, run := value("GITHUB_SERVER_URL"), value("GITHUB_REPOSITORY"), value("GITHUB_RUN_ID"); server != "" && repository != "" && run != "" {
		return server + "/" + repository + "/actions/runs/" + run
	}
	for _, name := range []string{"CI_JOB_URL", "BUILDKITE_BUILD_URL", "BUILD_URL"} { // GitLab, Buildkite, Jenkins
		if address := value(name); address != "" {
			return address
		}
	}
	return ""
}
