package s3store

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// settings are what the address of a bucket may say of its server, as in
// s3://bucket/prefix?endpoint=https://s3.example.com&use_path_style=true.
var settings = map[string]struct {
	set func(o *Options, value string) error
	get func(o Options) string // empty where it says nothing
}{
	"anonymous": {
		func(o *Options, value string) (err error) { o.Anonymous, err = yesOrNo(value); return err },
		func(o Options) string { return onlyYes(o.Anonymous) },
	},
	"endpoint": {
		func(o *Options, value string) error { o.Endpoint = value; _, err := checkedURL(value); return err },
		func(o Options) string { return o.Endpoint },
	},
	"region": {
		func(o *Options, value string) error {
			if o.Region = value; !regionName.MatchString(value) {
				return errors.New("want the name of a region, as in eu-west-1")
			}
			return nil
		},
		func(o Options) string { return o.Region },
	},
	"use_path_style": {
		func(o *Options, value string) (err error) { o.PathStyle, err = yesOrNo(value); return err },
		func(o Options) string { return onlyYes(o.PathStyle) },
	},
}

var (
	regionName  = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)
	settingName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,32}$`)
)

func yesOrNo(value string) (bool, error) {
	if value != "true" && value != "false" {
		return false, errors.New("want true or false")
	}
	return value == "true", nil
}

func onlyYes(yes bool) string {
	if yes {
		return "true"
	}
	return ""
}

// readSettings reads the query of an address into the options. Values are not quoted
// in errors: they may be secrets that belong elsewhere.
func readSettings(query string, o *Options) error {
	known := strings.Join(slices.Sorted(maps.Keys(settings)), ", ")
	values, err := url.ParseQuery(query)
	if err != nil {
		return errors.New("s3://bucket/prefix?…: what follows the question mark cannot be read: want settings as in endpoint=https://s3.example.com&use_path_style=true")
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		setting, ok := settings[name]
		switch {
		case !ok && settingName.MatchString(name):
			return fmt.Errorf("s3://bucket/prefix?…: there is no setting %q: there are %s; credentials come from the environment", name, known)
		case !ok:
			return fmt.Errorf("s3://bucket/prefix?…: a setting that there is not: there are %s; credentials come from the environment", known)
		case len(values[name]) > 1:
			return fmt.Errorf("s3://bucket/prefix?…: %s is given twice", name)
		}
		if err := setting.set(o, values[name][0]); err != nil {
			return fmt.Errorf("s3://bucket/prefix?%s=…: %w", name, err)
		}
	}
	return nil
}

// query are the settings that options hold, as an address has them.
func (o Options) query() string {
	values := make(url.Values)
	for name, setting := range settings {
		if value := setting.get(o); value != "" {
			values.Set(name, value)
		}
	}
	if len(values) == 0 {
		return ""
	}
	return "?" + strings.NewReplacer("%3A", ":", "%2F", "/").Replace(values.Encode()) // both are allowed there
}

// SplitRun takes the address of a run apart, as [Store.Add] returns it, or with
// settings at its end: into that of its store, and what [Store.Stored] reads there.
func SplitRun(address string) (store, object string, err error) {
	path, query, _ := strings.Cut(address, "?")
	segments := strings.Split(path, "/")
	at := len(segments) - 4 // runs/<TestName>/<scenario>@<hash>/<file>
	if at < 3 || segments[at] != "runs" || !strings.HasSuffix(path, ".bench") {
		return "", "", errors.New("the address of a run is that of its store and runs/<TestName>/<scenario>@<hash>/<file>.bench")
	}
	store, object = strings.Join(segments[:at], "/"), strings.Join(segments[at:], "/")
	if strings.HasPrefix(address, "http") { // a mirror, whose addresses are escaped
		if object, err = url.PathUnescape(object); err != nil {
			return "", "", errors.New("the address of a run: an escape in it is none")
		}
	}
	if query != "" {
		store += "?" + query
	}
	return store, object, nil
}
