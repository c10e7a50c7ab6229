-- +goose Up
-- What an installation fixed when it was founded, and the images that are drawn on the page.

-- One row. Both are permanent: the address is printed in every QR, the origin is the first
-- line of every checkpoint.
CREATE TABLE installation (
  one           boolean PRIMARY KEY DEFAULT true CHECK (one),
  public_url    text NOT NULL CHECK (public_url <> ''),
  log_key       text NOT NULL CHECK (log_key <> ''),
  demonstration boolean NOT NULL,
  founded_at    timestamptz NOT NULL DEFAULT book_clock()
);
CREATE TRIGGER installation_permanent BEFORE UPDATE OR DELETE OR TRUNCATE ON installation
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- The image of an official's signature, or of the agency's seal where account is null. The
-- newest is drawn; older ones stay, because copies bear them.
CREATE TABLE look (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  agency     text NOT NULL REFERENCES agency (id),
  account    uuid REFERENCES account (id),
  png        bytea NOT NULL CHECK (length(png) BETWEEN 1 AND 1048576),
  created_at timestamptz NOT NULL DEFAULT book_clock()
);
CREATE INDEX look_of ON look (agency, account, id);

GRANT SELECT ON installation TO saoy_office, saoy_public, saoy_worker, saoy_retention;
GRANT INSERT ON installation TO saoy_office;
GRANT SELECT ON look TO saoy_office, saoy_worker;
GRANT INSERT ON look TO saoy_office;
