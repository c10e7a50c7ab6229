-- +goose Up
-- Client systems of the API: who they are, their tokens, and what they were answered.

CREATE TABLE api_client (
  -- The identifier is the channel of the requests the client makes.
  id          text PRIMARY KEY CHECK (id ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
  agency      text NOT NULL REFERENCES agency (id),
  name        text NOT NULL CHECK (name <> ''),
  -- The account in whose name it makes and submits requests.
  account     uuid NOT NULL REFERENCES account (id),
  created_at  timestamptz NOT NULL DEFAULT book_clock(),
  disabled_at timestamptz
);

-- Only the hash of a token is kept. To certify and seal, a scope is not enough: it also takes a
-- living row of authorisation that binds the client to one named official.
CREATE TABLE api_token (
  hash       bytea PRIMARY KEY CHECK (length(hash) = 32),
  client     text NOT NULL REFERENCES api_client (id),
  scopes     text[] NOT NULL CHECK (scopes <@ ARRAY['requests', 'verify', 'certify', 'seal']),
  created_at timestamptz NOT NULL DEFAULT book_clock(),
  expires_at timestamptz NOT NULL,
  revoked_at timestamptz
);
CREATE INDEX api_token_client ON api_token (client);

-- One row per Idempotency-Key: what was asked, and once it is done, what was answered.
CREATE TABLE api_reply (
  client       text NOT NULL REFERENCES api_client (id),
  key          text NOT NULL CHECK (length(key) BETWEEN 8 AND 128),
  request      bytea NOT NULL CHECK (length(request) = 32),
  status       int CHECK (status BETWEEN 200 AND 599),
  content_type text,
  body         bytea,
  created_at   timestamptz NOT NULL DEFAULT book_clock(),
  PRIMARY KEY (client, key),
  CHECK ((status IS NULL) = (body IS NULL))
);
CREATE INDEX api_reply_created ON api_reply (created_at);

-- A file is looked up by its digest.
CREATE INDEX copy_final_digest ON copy (final_digest) WHERE final_digest IS NOT NULL;

GRANT SELECT, INSERT ON api_client, api_token, api_reply TO saoy_office;
GRANT UPDATE (name, disabled_at) ON api_client TO saoy_office;
GRANT UPDATE (revoked_at) ON api_token TO saoy_office;
GRANT UPDATE (status, content_type, body) ON api_reply TO saoy_office;
GRANT SELECT, DELETE ON api_token, api_reply TO saoy_retention;
