package main

import (
	"context"
	"fmt"

	"github.com/saoy/saoy/migrations"
	"github.com/saoy/saoy/storage/postgres"
)

// migrateCommand brings a database to this program's schema.
type migrateCommand struct {
	dataFlag
	Plan bool `help:"Print the steps that are to come, with their SQL and whether each is safe beside the running version; change nothing."`
}

// Run migrates the database of the configuration or DATABASE_URL, or the private one of the data directory.
func (c migrateCommand) Run(ctx context.Context) error {
	config, err := Config{dataFlag: c.dataFlag}.load()
	if err != nil {
		return err
	}
	url := config.Database.url
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
	if c.Plan {
		return printPlan(ctx, url)
	}
	version, err := postgres.Migrate(ctx, url)
	if err != nil {
		return err
	}
	fmt.Println("schema", version)
	return nil
}

// printPlan prints the steps that the database has not passed.
func printPlan(ctx context.Context, url string) error {
	steps, err := migrations.Plan(ctx, url)
	if err != nil {
		return err
	}
	if len(steps) == 0 {
		fmt.Println("Không có bước nào: cơ sở dữ liệu đã ở lược đồ của chương trình này. / Nothing to do: the database has this program's schema.")
		return nil
	}
	for _, s := range steps {
		verdict := "an toàn khi phiên bản cũ đang chạy / safe beside the running version"
		for i, why := range s.Hinders {
			if i == 0 {
				verdict = "PHẢI DỪNG phiên bản cũ trước / STOP the running version first:"
			}
			verdict += "\n--   " + why
		}
		fmt.Printf("-- %s\n-- %s\n%s\n", s.Name, verdict, s.SQL)
	}
	return nil
}
