-- +goose Up
-- The desk: sessions, wrong sign-ins, refused uploads, sharing links, the search by name.

-- Only the hash of a token is kept, so that who reads the table cannot sign in with it.
CREATE TABLE session (
  token_hash bytea PRIMARY KEY CHECK (length(token_hash) = 32),
  account    uuid NOT NULL REFERENCES account (id),
  created_at timestamptz NOT NULL,
  seen_at    timestamptz NOT NULL
);
CREATE INDEX session_account ON session (account);

-- The name that was typed is kept as a hash: people type passwords there by mistake.
CREATE TABLE login_failure (
  login_hash bytea NOT NULL CHECK (length(login_hash) = 32),
  network    text NOT NULL,
  at         timestamptz NOT NULL
);
CREATE INDEX login_failure_login ON login_failure (login_hash, at);
CREATE INDEX login_failure_network ON login_failure (network, at);

-- Uploaded files that were not taken, until the next upload or the submission.
CREATE TABLE refused_file (
  copy      uuid NOT NULL REFERENCES copy (id),
  position  int NOT NULL,
  file_name text NOT NULL,
  vi        text NOT NULL,
  en        text NOT NULL,
  PRIMARY KEY (copy, position)
);

CREATE TABLE sharing_link (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  token_hash bytea NOT NULL UNIQUE CHECK (length(token_hash) = 32),
  copy       uuid NOT NULL REFERENCES copy (id),
  created_by uuid NOT NULL REFERENCES account (id),
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL CHECK (expires_at > created_at),
  revoked_at timestamptz,
  revoked_by uuid REFERENCES account (id)
);
CREATE INDEX sharing_link_copy ON sharing_link (copy);

-- Who opened a link: a truncated network address and the time, no more.
CREATE TABLE link_opening (
  link    bigint NOT NULL REFERENCES sharing_link (id),
  at      timestamptz NOT NULL,
  network text NOT NULL
);
CREATE INDEX link_opening_link ON link_opening (link, at);

-- A text without marks and in lower case, so that "nguyen thi duc" finds "Nguyễn Thị Đức".
CREATE FUNCTION folded(t text) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
  RETURN lower(translate(regexp_replace(normalize(t, NFD), U&'[\0300-\036F]', '', 'g'), 'đĐ', 'dd'));

ALTER TABLE request ADD COLUMN requester_folded text GENERATED ALWAYS AS (folded(requester)) STORED;
ALTER TABLE copy ADD COLUMN title_folded text GENERATED ALWAYS AS (folded(title)) STORED;

GRANT SELECT, INSERT, DELETE ON session, login_failure, refused_file TO saoy_office;
GRANT UPDATE (seen_at) ON session TO saoy_office;
GRANT UPDATE (file_name, vi, en) ON refused_file TO saoy_office;
GRANT SELECT, INSERT ON sharing_link TO saoy_office;
GRANT UPDATE (revoked_at, revoked_by) ON sharing_link TO saoy_office;
GRANT SELECT ON link_opening TO saoy_office;
GRANT SELECT ON sharing_link, link_opening TO saoy_public;
GRANT INSERT ON link_opening TO saoy_public;
GRANT SELECT, DELETE ON session, login_failure, refused_file, sharing_link, link_opening TO saoy_retention;
