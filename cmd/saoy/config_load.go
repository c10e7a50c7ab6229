package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/saoy/saoy/internal/certcopy"
)

// filePath is the path of a file; in the configuration it may be relative to that file.
type filePath string

// AfterApply makes --data what the configuration says where no flag does.
func (d *dataFlag) AfterApply() error {
	if d.Data != "" {
		return nil
	}
	c, err := Config{dataFlag: *d}.load()
	d.Data = c.Data
	return err
}

// load returns the whole configuration: c, whose fields are the flags, completed by the
// environment, the file and the defaults. What cannot be used is certcopy.Invalid and names
// the field.
func (c Config) load() (Config, error) { return c.loadWith(os.LookupEnv) }

func (c Config) loadWith(environment func(string) (string, bool)) (Config, error) {
	if c.loaded {
		return c, nil
	}
	whole, err := readConfig(c.ConfigFile)
	if err != nil {
		return c, err
	}
	if err := fromEnvironment(reflect.ValueOf(&whole).Elem(), "SAOY", environment); err != nil {
		return c, err
	}
	given(&whole.Data, c.Data)
	given(&whole.ConfigFile, c.ConfigFile)
	given(&whole.Listen, c.Listen)
	given(&whole.PublicURL, c.PublicURL)
	given(&whole.Production, c.Production)
	given(&whole.Workers, c.Workers)
	given(&whole.Metrics, c.Metrics)
	given(&whole.ResultKey, c.ResultKey)
	if len(c.Roles) > 0 {
		whole.Roles = c.Roles
	}
	whole.defaults()
	if err := whole.databaseURL(environment); err != nil {
		return whole, err
	}
	whole.loaded = true
	return whole, whole.check()
}

// given replaces a value by one that was said with more force.
func given[T comparable](value *T, by T) {
	var none T
	if by != none {
		*value = by
	}
}

func (c *Config) defaults() {
	fallback := func(value *string, by string) {
		if *value == "" {
			*value = by
		}
	}
	fallback(&c.Data, "data")
	if absolute, err := filepath.Abs(c.Data); err == nil {
		c.Data = absolute
	}
	fallback(&c.Listen, defaultListen)
	if len(c.Roles) == 0 {
		c.Roles = allRoles
	}
	c.Workers = cmp.Or(c.Workers, 4)
	c.Keys.Sessions = cmp.Or(c.Keys.Sessions, 4)
	c.Revocation.MaxAge = cmp.Or(c.Revocation.MaxAge, revocationMaxAge)
	if c.Log.S3.Endpoint != "" {
		c.Log.RetentionDays = cmp.Or(c.Log.RetentionDays, 3650)
	}
	for i := range c.TimeStamps {
		c.TimeStamps[i].Timeout = cmp.Or(c.TimeStamps[i].Timeout, time.Minute)
	}
}

// databaseURL reads the connection string: from the environment, else from its file.
func (c *Config) databaseURL(environment func(string) (string, bool)) error {
	if c.Database.url, _ = environment("DATABASE_URL"); c.Database.url != "" || c.Database.URLFile == "" {
		return nil
	}
	secret, err := secretFile(string(c.Database.URLFile))
	if err != nil {
		return badConfig("database.url_file", err)
	}
	c.Database.url = strings.TrimSpace(string(secret.Reveal()))
	return nil
}

// readConfig reads the file; none is an empty one. Keys it does not know are errors: a
// misspelt setting would otherwise be one that is not made.
func readConfig(path string) (Config, error) {
	if path == "" {
		return Config{}, nil
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return Config{}, badConfig(path, err)
	}
	c, err := parseConfig(b)
	if err != nil {
		return c, badConfig(path, err)
	}
	resolvePaths(reflect.ValueOf(&c).Elem(), filepath.Dir(path))
	for _, p := range []*string{&c.Data, &c.ResultKey} {
		if *p != "" && !filepath.IsAbs(*p) {
			*p = filepath.Join(filepath.Dir(path), *p)
		}
	}
	return c, nil
}

func parseConfig(b []byte) (c Config, err error) {
	d := yaml.NewDecoder(bytes.NewReader(b))
	d.KnownFields(true)
	if err = d.Decode(&c); errors.Is(err, io.EOF) {
		err = nil // nothing but comments
	}
	if err == nil && !errors.Is(d.Decode(new(any)), io.EOF) {
		err = errors.New("more than one document")
	}
	return c, err
}

func badConfig(subject string, err error) error {
	return certcopy.Errorf(certcopy.Invalid, subject, err, certcopy.Msg(
		"Cấu hình không dùng được. Hãy sửa mục nêu dưới đây; xem examples/saoy.yaml.",
		"The configuration cannot be used. Correct what is named below; see examples/saoy.yaml."))
}

// resolvePaths makes the paths in a configuration absolute, seen from the file's directory.
func resolvePaths(v reflect.Value, dir string) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Field(i); f.CanSet() || f.Kind() == reflect.Struct {
				resolvePaths(f, dir)
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			resolvePaths(v.Index(i), dir)
		}
	case reflect.String:
		if p, ok := v.Interface().(filePath); ok && p != "" && !filepath.IsAbs(string(p)) {
			v.SetString(filepath.Join(dir, string(p)))
		}
	}
}

// fromEnvironment sets the fields whose variables are set: PREFIX_FIELD by the names of the
// file. Lists of sections can only stand in the file.
func fromEnvironment(v reflect.Value, prefix string, lookup func(string) (string, bool)) error {
	for i := range v.NumField() {
		field := v.Type().Field(i)
		name, options, _ := strings.Cut(field.Tag.Get("yaml"), ",")
		if options == "inline" {
			if err := fromEnvironment(v.Field(i), prefix, lookup); err != nil {
				return err
			}
			continue
		}
		if name == "" || name == "-" {
			continue
		}
		variable := prefix + "_" + strings.ToUpper(name)
		if v.Field(i).Kind() == reflect.Struct {
			if err := fromEnvironment(v.Field(i), variable, lookup); err != nil {
				return err
			}
			continue
		}
		text, ok := lookup(variable)
		if !ok || text == "" {
			continue
		}
		if err := setSetting(v.Field(i), text); err != nil {
			return badConfig(variable, err)
		}
	}
	return nil
}

func setSetting(f reflect.Value, text string) error {
	switch f.Interface().(type) {
	case string, filePath:
		f.SetString(text)
	case []string:
		f.Set(reflect.ValueOf(strings.Split(text, ",")))
	case bool:
		b, err := strconv.ParseBool(text)
		f.SetBool(b)
		return err
	case int:
		n, err := strconv.Atoi(text)
		f.SetInt(int64(n))
		return err
	case time.Duration:
		d, err := time.ParseDuration(text)
		f.SetInt(int64(d))
		return err
	default:
		return fmt.Errorf("it can be set in the file only")
	}
	return nil
}
