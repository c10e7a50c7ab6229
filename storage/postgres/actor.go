package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/saoy/saoy/storage"
)

// actorData is the key under which a connection remembers for whom it was last set.
const actorData = "saoy.actor"

// prepare makes a connection that leaves the pool work for the actor of the context: row
// security and the audit go by these settings. They are set outside of transactions, so that
// no rollback takes them back, and only when they differ from what is set. A connection that
// cannot be set is not given out.
func prepare(ctx context.Context, conn *pgx.Conn) (bool, error) {
	actor := storage.ActorOf(ctx)
	data := conn.PgConn().CustomData()
	if set, ok := data[actorData].(storage.Actor); ok && set == actor {
		return true, nil
	}
	delete(data, actorData)
	_, err := conn.Exec(ctx, `SELECT set_config('saoy.agency', $1, false), set_config('saoy.account', $2, false), set_config('saoy.client', $3, false)`,
		string(actor.Agency), string(actor.Account), actor.Client)
	if err != nil {
		return false, err
	}
	data[actorData] = actor
	return true, nil
}
