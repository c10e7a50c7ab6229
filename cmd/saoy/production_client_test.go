package main

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// untilSubmitted takes a copy as far as it waits for the certifier.
func (c *client) untilSubmitted(ctx context.Context, key string) (id string, err error) {
	var r struct {
		Copies []copyState `json:"copies"`
	}
	if err := c.call(ctx, "POST", "/requests", key+"-create", "application/json", requestBody(key), &r); err != nil {
		return "", err
	}
	id = r.Copies[0].ID
	for {
		var now copyState
		if err := c.call(ctx, "GET", "/copies/"+id, "", "", nil, &now); err != nil {
			return id, err
		}
		if now.State != "received" && now.State != "scanned" {
			return id, nil
		}
		if err := c.next(ctx, key, now); err != nil {
			return id, err
		}
	}
}

// trouble is what the people of a copy read about its waiting.
func (p *production) trouble(id string) (text string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), 10*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, p.owner)
	p.must(err)
	defer conn.Close(ctx)
	p.must(conn.QueryRow(ctx, `SELECT trouble_vi FROM copy WHERE id = $1`, id).Scan(&text))
	return text
}
