package main

import (
	"context"
	"fmt"
	"os"

	"github.com/saoy/saoy/storage/postgres"
)

// migrateCommand brings a database to this program's schema.
type migrateCommand struct {
	dataFlag
}

// Run migrates the database of DATABASE_URL, or the private one of the data directory.
func (c migrateCommand) Run(ctx context.Context) error {
	url := os.Getenv("DATABASE_URL")
	if url == "" {
		p := place(c.Data)
		if err := p.make(); err != nil {
			return err
		}
		local, holder, err := p.server(ctx, false)
		if err != nil {
			return err
		}
		url = holder.DSN
		if local != nil {
			defer local.Stop(context.WithoutCancel(ctx)) //nolint:errcheck // its server has done its work
			url = local.DSN()
		}
	}
	version, err := postgres.Migrate(ctx, url)
	if err != nil {
		return err
	}
	fmt.Println("schema", version)
	return nil
}
