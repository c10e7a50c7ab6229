-- +goose Up
-- What signing left behind, each create-once, so that it can be resumed and is never repeated
-- with different bytes under one generation.

CREATE TABLE generation (
  copy       uuid NOT NULL REFERENCES copy (id),
  role       text NOT NULL CHECK (role IN ('certifier', 'agency')),
  generation int NOT NULL CHECK (generation >= 1),
  opened_at  timestamptz NOT NULL DEFAULT book_clock(),
  dead_at    timestamptz,
  reason     text NOT NULL DEFAULT '',
  PRIMARY KEY (copy, role, generation),
  CHECK (dead_at IS NULL OR reason <> '')
);
CREATE UNIQUE INDEX generation_living ON generation (copy, role) WHERE dead_at IS NULL;

CREATE TABLE artifact (
  copy       uuid NOT NULL,
  role       text NOT NULL,
  generation int NOT NULL,
  kind       text NOT NULL CHECK (kind IN ('prepared', 'signature', 'cms', 'dss')),
  bytes      bytea NOT NULL,
  digest     bytea NOT NULL GENERATED ALWAYS AS (sha256(bytes)) STORED,
  created_at timestamptz NOT NULL DEFAULT book_clock(),
  PRIMARY KEY (copy, role, generation, kind),
  FOREIGN KEY (copy, role, generation) REFERENCES generation (copy, role, generation)
);
-- Signatures are near random: compressing them costs and gains nothing.
ALTER TABLE artifact ALTER COLUMN bytes SET STORAGE EXTERNAL;

CREATE TABLE state_file (
  copy       uuid NOT NULL REFERENCES copy (id),
  state      text NOT NULL CHECK (state IN ('stamped', 'signed', 'sealed')),
  key        text NOT NULL,
  digest     bytea NOT NULL CHECK (length(digest) = 32),
  size       bigint NOT NULL CHECK (size > 0),
  created_at timestamptz NOT NULL DEFAULT book_clock(),
  PRIMARY KEY (copy, state)
);

-- The wrapped key of a copy's final file. Deleting it erases the file.
CREATE TABLE file_key (
  copy       uuid PRIMARY KEY REFERENCES copy (id),
  wrapped    bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT book_clock()
);

GRANT SELECT ON generation, artifact, state_file, file_key TO saoy_office, saoy_worker, saoy_retention;
GRANT INSERT ON generation, artifact, state_file, file_key TO saoy_worker;
GRANT UPDATE (dead_at, reason) ON generation TO saoy_worker;
GRANT DELETE ON artifact, state_file, file_key TO saoy_retention;
