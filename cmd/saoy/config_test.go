package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/storage/postgres"
)

// TestExampleConfiguration loads the example that ships, which must set every section.
func TestExampleConfiguration(t *testing.T) {
	c, err := Config{dataFlag: dataFlag{ConfigFile: filepath.Join("..", "..", "examples", "saoy.yaml")}}.loadWith(func(string) (string, bool) { return "", false })
	// The file it names for the database is not here; all the rest was read before.
	if err == nil || !strings.Contains(err.Error(), "database") {
		t.Fatalf("the example: %v", err)
	}
	if c.Vault.S3.Bucket == "" || c.Log.S3.Bucket == "" || c.Scratch.S3.Bucket == "" || len(c.TimeStamps) != 2 || len(c.Revocation.Hosts) == 0 ||
		c.Anchors == "" || len(c.Keys.Modules) == 0 || len(c.Keys.Services) != 1 || c.Vault.RetentionDays == 0 || c.DrainDelay != 5*time.Second {
		t.Errorf("the example leaves something out: %+v", c)
	}
	if err := c.check(); err != nil {
		t.Errorf("the example is refused: %v", err)
	}
}

func TestConfigurationIsRefused(t *testing.T) {
	for name, c := range map[string]struct{ text, says string }{
		"an unknown key":              {"retention_dayz: 3", "retention_dayz"},
		"an unknown key in depth":     {"vault: {s3: {buckets: x}}", "buckets"},
		"a secret in the file":        {"database: {url: 'postgres://u:p@h/d'}", "url"},
		"two documents":               {"workers: 1\n---\nworkers: 2", "document"},
		"a role that is none":         {"roles: [office, sealer]", "sealer"},
		"everybody as a proxy":        {"trusted_proxies: ['0.0.0.0/0']", "everybody"},
		"a bucket without a place":    {"vault: {s3: {bucket: x}}", "endpoint"},
		"S3 without a retention":      {"production: true\nvault: {s3: {bucket: x, endpoint: 'https://h'}}", "retention_days"},
		"two stores in one place":     {"vault: {s3: {bucket: x, endpoint: 'https://h'}}\nscratch: {s3: {bucket: x, endpoint: 'https://h'}}", "share"},
		"a module by a relative path": {"keys: {modules: [softhsm.so]}", "softhsm.so"},
		"an authority that is none":   {"time_stamps: [{url: tsa.example.vn}]", "tsa.example.vn"},
		"a duration that is none":     {"drain_delay: soon", "soon"},
	} {
		path := filepath.Join(t.TempDir(), "saoy.yaml")
		if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Config{dataFlag: dataFlag{ConfigFile: path}}.loadWith(func(string) (string, bool) { return "", false })
		if certcopy.CodeOf(err) != certcopy.Invalid || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want it to name %q", name, err, c.says)
		}
	}
}

// TestWhatIsSaidWithMoreForce: flag before environment before file before default.
func TestWhatIsSaidWithMoreForce(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "saoy.yaml")
	if err := os.WriteFile(path, []byte("workers: 7\nlisten: 127.0.0.1:1\ndata: d\nanchors: a.json\nvault: {s3: {endpoint: 'https://f', bucket: file}}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	environment := map[string]string{"SAOY_VAULT_S3_BUCKET": "environment", "SAOY_LISTEN": "127.0.0.1:2", "SAOY_DRAIN_DELAY": "3s",
		"SAOY_KEYS_MODULES": "/a.so,/b.so", "DATABASE_URL": "host=x"}
	lookup := func(name string) (string, bool) { v, ok := environment[name]; return v, ok }
	c, err := Config{dataFlag: dataFlag{ConfigFile: path}, Listen: "127.0.0.1:3"}.loadWith(lookup)
	if err != nil {
		t.Fatal(err)
	}
	if c.Workers != 7 || c.Listen != "127.0.0.1:3" || c.Vault.S3.Bucket != "environment" || c.Vault.S3.Endpoint != "https://f" ||
		c.DrainDelay != 3*time.Second || len(c.Keys.Modules) != 2 || c.Database.url != "host=x" || c.Keys.Sessions != 4 {
		t.Errorf("%+v", c)
	}
	if c.Data != filepath.Join(dir, "d") || string(c.Anchors) != filepath.Join(dir, "a.json") {
		t.Errorf("paths are not seen from the file: %q %q", c.Data, c.Anchors)
	}
	environment["SAOY_DRAIN_DELAY"] = "soon"
	if _, err := (Config{dataFlag: dataFlag{ConfigFile: path}}).loadWith(lookup); err == nil || !strings.Contains(err.Error(), "SAOY_DRAIN_DELAY") {
		t.Errorf("a wrong variable: %v", err)
	}
}

// TestDatabaseRoles: each process has the narrowest role that covers its parts.
func TestDatabaseRoles(t *testing.T) {
	for roles, want := range map[string]postgres.Role{
		"office": postgres.OfficeRole, "api": postgres.OfficeRole, "office,api": postgres.OfficeRole, "public": postgres.PublicRole, "worker": postgres.WorkerRole,
		"office,public": postgres.AllRoles, "public,worker": postgres.AllRoles, "office,public,api,worker": postgres.AllRoles,
	} {
		c := Config{Roles: strings.Split(roles, ",")}
		if got := c.databaseRole(); got != want || c.whole() != (roles == strings.Join(allRoles, ",")) || c.opensFiles() == (roles == "public") {
			t.Errorf("%s: %s", roles, got)
		}
	}
}

// TestSecretFiles: what others can read, or an existing installation lacks, is refused.
func TestSecretFiles(t *testing.T) {
	dir := t.TempDir()
	if _, err := (secrets{dir: dir}).master(); certcopy.CodeOf(err) != certcopy.NotFound {
		t.Errorf("a missing master key of an existing installation: %v", err)
	}
	first, err := secrets{dir: dir, mayMake: true}.master()
	if err != nil {
		t.Fatal(err)
	}
	again, err := secrets{dir: dir, mayMake: true}.master()
	if err != nil || again.String() != first.String() {
		t.Errorf("made twice: %v", err)
	}
	if err := os.Chmod(filepath.Join(dir, masterFile), 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := (secrets{dir: dir}).master(); certcopy.CodeOf(err) != certcopy.Invalid || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("readable by others: %v", err)
	}
}
