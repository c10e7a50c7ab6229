-- +goose Up
-- The process that serves everybody opens shared files without the vault's master key: a link
-- carries the file's key, encrypted under a key that only the link's token gives.

ALTER TABLE sharing_link ADD COLUMN file_key bytea CHECK (length(file_key) BETWEEN 16 AND 1024);
-- Revoking destroys it.
GRANT UPDATE (file_key) ON sharing_link TO saoy_office;

-- Erasing a file destroys its key wherever it stands, whoever erases.
-- +goose StatementBegin
CREATE FUNCTION forget_shared_keys() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  UPDATE sharing_link SET file_key = NULL WHERE copy = OLD.copy AND file_key IS NOT NULL;
  RETURN OLD;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER file_key_forgotten BEFORE DELETE ON file_key FOR EACH ROW EXECUTE FUNCTION forget_shared_keys();
-- A link made while the file is being erased must not keep what the erasure destroys: it needs
-- the row of the file's key, and holds it until it is stored itself.
-- +goose StatementBegin
CREATE FUNCTION shared_key_has_file() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  PERFORM FROM file_key WHERE copy = NEW.copy FOR KEY SHARE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'the file of copy % has no key any more', NEW.copy USING ERRCODE = 'foreign_key_violation';
  END IF;
  RETURN NEW;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER sharing_link_has_file BEFORE INSERT ON sharing_link FOR EACH ROW WHEN (NEW.file_key IS NOT NULL)
  EXECUTE FUNCTION shared_key_has_file();

-- To whom file keys are encrypted: a process with another master key would make files that
-- nobody opens, so it is told before it does.
CREATE TABLE vault_recipient (
  one        boolean PRIMARY KEY DEFAULT true CHECK (one),
  recipient  text NOT NULL CHECK (recipient <> ''),
  created_at timestamptz NOT NULL DEFAULT book_clock()
);
CREATE TRIGGER vault_recipient_permanent BEFORE UPDATE OR DELETE OR TRUNCATE ON vault_recipient
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
GRANT SELECT ON vault_recipient TO saoy_office, saoy_worker, saoy_retention;
GRANT INSERT ON vault_recipient TO saoy_office;

-- The issuers of a signing certificate, nearest first, where token and service do not hold them.
ALTER TABLE signing_key ADD COLUMN chain bytea[] NOT NULL DEFAULT '{}';
