package main

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"github.com/saoy/saoy/internal/web"
	"github.com/saoy/saoy/storage/postgres"
)

// The parts of the service.
const (
	roleOffice = "office"
	rolePublic = "public"
	roleAPI    = "api"
	roleWorker = "worker"
)

var allRoles = []string{roleOffice, rolePublic, roleAPI, roleWorker}

// runs reports whether this process runs a part.
func (c Config) runs(role string) bool { return slices.Contains(c.Roles, role) }

// whole reports whether this process runs all parts, and so may found and migrate.
func (c Config) whole() bool {
	return !slices.ContainsFunc(allRoles, func(r string) bool { return !c.runs(r) })
}

// opensFiles reports whether a part of this process opens the vault with its master key.
func (c Config) opensFiles() bool { return c.runs(roleOffice) || c.runs(roleAPI) || c.runs(roleWorker) }

// databaseRole is the narrowest role that covers the parts of this process.
func (c Config) databaseRole() postgres.Role {
	office := c.runs(roleOffice) || c.runs(roleAPI)
	switch {
	case office && !c.runs(rolePublic) && !c.runs(roleWorker):
		return postgres.OfficeRole
	case c.runs(rolePublic) && !office && !c.runs(roleWorker):
		return postgres.PublicRole
	case c.runs(roleWorker) && !office && !c.runs(rolePublic):
		return postgres.WorkerRole
	}
	return postgres.AllRoles
}

// check refuses what cannot be meant. What only trying can tell is left to `saoy doctor`.
func (c Config) check() error {
	for _, r := range c.Roles {
		if !slices.Contains(allRoles, r) {
			return badConfig("roles", fmt.Errorf("%q is none of %s", r, strings.Join(allRoles, ", ")))
		}
	}
	if _, err := web.ParseProxies(c.TrustedProxies); err != nil {
		return badConfig("trusted_proxies", err)
	}
	for _, m := range c.Keys.Modules {
		if !filepath.IsAbs(m) {
			return badConfig("keys.modules", fmt.Errorf("%q is no absolute path", m))
		}
	}
	for i, t := range c.TimeStamps {
		if u, err := url.Parse(t.URL); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return badConfig(fmt.Sprintf("time_stamps[%d].url", i), fmt.Errorf("%q is no http address", t.URL))
		}
	}
	for i, s := range c.Keys.Services {
		if u, err := url.Parse(s.URL); err != nil || u.Host == "" {
			return badConfig(fmt.Sprintf("keys.services[%d].url", i), fmt.Errorf("%q is no address", s.URL))
		}
	}
	if c.Metrics != "" {
		if _, _, err := net.SplitHostPort(c.Metrics); err != nil {
			return badConfig("metrics", err)
		}
	}
	return c.checkStores()
}

func (c Config) checkStores() error {
	for name, b := range map[string]bucketConfig{"vault.s3": c.Vault.S3, "log.s3": c.Log.S3, "scratch.s3": c.Scratch.S3} {
		if (b.Endpoint == "") != (b.Bucket == "") {
			return badConfig(name, errors.New("endpoint and bucket belong together"))
		}
	}
	if c.Vault.RetentionDays < 0 || c.Log.RetentionDays < 0 {
		return badConfig("retention_days", errors.New("it is negative"))
	}
	if c.Production && c.Vault.S3.Endpoint != "" && c.Vault.RetentionDays == 0 {
		return badConfig("vault.retention_days", errors.New("say for how many days nobody may delete an issued file"))
	}
	if same(c.Vault.S3, c.Scratch.S3) || same(c.Vault.S3, c.Log.S3) || same(c.Log.S3, c.Scratch.S3) {
		return badConfig("s3", errors.New("two stores share a place; give each a bucket or a prefix of its own"))
	}
	return nil
}

func same(a, b bucketConfig) bool {
	return a.Endpoint != "" && a.Endpoint == b.Endpoint && a.Bucket == b.Bucket && strings.Trim(a.Prefix, "/") == strings.Trim(b.Prefix, "/")
}
