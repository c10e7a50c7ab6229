-- +goose Up
-- Files that arrive piece by piece, until they are added to their copy or given up.

CREATE TABLE upload (
  id         uuid PRIMARY KEY,
  copy       uuid NOT NULL REFERENCES copy (id),
  account    uuid NOT NULL REFERENCES account (id),
  file_name  text NOT NULL,
  -- What a browser knows of a file besides its name and size: by it the same file is found again.
  modified   bigint NOT NULL,
  size       bigint NOT NULL CHECK (size >= 0),
  received   bigint NOT NULL DEFAULT 0 CHECK (received BETWEEN 0 AND size),
  created_at timestamptz NOT NULL,
  changed_at timestamptz NOT NULL
);
CREATE INDEX upload_account ON upload (account, copy);
CREATE INDEX upload_changed ON upload (changed_at);

-- The pieces that arrived; each lies in the scratch store under its upload, offset and digest.
CREATE TABLE upload_piece (
  upload uuid NOT NULL REFERENCES upload (id) ON DELETE CASCADE,
  at     bigint NOT NULL CHECK (at >= 0),
  size   int NOT NULL CHECK (size > 0),
  digest bytea NOT NULL CHECK (length(digest) = 32),
  PRIMARY KEY (upload, at)
);

GRANT SELECT, INSERT, DELETE ON upload, upload_piece TO saoy_office;
GRANT UPDATE (received, changed_at) ON upload TO saoy_office;
GRANT SELECT, DELETE ON upload, upload_piece TO saoy_retention;
