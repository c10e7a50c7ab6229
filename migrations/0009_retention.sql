-- +goose Up
-- Retention: how long things are kept, and the record of what was destroyed.

-- Dated, by decision. What is null is kept for ever. The book and the log always are.
CREATE TABLE retention_policy (
  agency          text NOT NULL REFERENCES agency (id),
  from_date       date NOT NULL,
  -- Years from the registration until a copy's file, its key and its private facts are erased.
  file_years      int CHECK (file_years BETWEEN 1 AND 200),
  -- Days from the last copy's end until a request's identity number and contact are deleted.
  contact_days    int CHECK (contact_days BETWEEN 1 AND 73000),
  -- Days from a copy's end until its scans and the files of its states are deleted.
  working_days    int CHECK (working_days BETWEEN 1 AND 73000),
  decision_number text NOT NULL CHECK (decision_number <> ''),
  by_account      uuid NOT NULL REFERENCES account (id),
  created_at      timestamptz NOT NULL DEFAULT book_clock(),
  PRIMARY KEY (agency, from_date)
);
CREATE TRIGGER retention_policy_permanent BEFORE UPDATE OR DELETE OR TRUNCATE ON retention_policy
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- One row per erased copy, for ever. by_account is null where the policy erased it.
CREATE TABLE erasure (
  copy            uuid PRIMARY KEY REFERENCES copy (id),
  reason          text NOT NULL CHECK (reason IN ('request', 'retention', 'order')),
  decision_number text NOT NULL CHECK (decision_number <> ''),
  by_account      uuid REFERENCES account (id),
  at              timestamptz NOT NULL
);
CREATE TRIGGER erasure_permanent BEFORE UPDATE OR DELETE OR TRUNCATE ON erasure
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Objects that are to go. A key that ends in "/" means everything below it. A row is deleted
-- when its objects are gone and nothing can bring them back.
CREATE TABLE doomed_object (
  store    text NOT NULL CHECK (store IN ('vault', 'scratch')),
  key      text NOT NULL,
  copy     uuid NOT NULL REFERENCES copy (id),
  -- When to try (again): after the end of a lock.
  due      timestamptz NOT NULL,
  made_at  timestamptz NOT NULL DEFAULT book_clock(),
  PRIMARY KEY (store, key)
);
CREATE INDEX doomed_object_due ON doomed_object (due);

-- Locks a copy's row for a role that may change nothing of it.
-- +goose StatementBegin
CREATE FUNCTION lock_copy(id uuid) RETURNS text
  LANGUAGE sql VOLATILE STRICT SECURITY DEFINER SET search_path = public, pg_temp
  AS $$ SELECT c.state FROM copy c WHERE c.id = lock_copy.id FOR UPDATE $$;
-- +goose StatementEnd
REVOKE EXECUTE ON FUNCTION lock_copy(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION lock_copy(uuid) TO saoy_retention;

-- What was destroyed does not come back, not even by a job that slept through it. The lock on
-- the copy's row makes this insert and the erasure follow one another.
-- +goose StatementBegin
CREATE FUNCTION refuse_erased() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  PERFORM FROM copy WHERE id = NEW.copy FOR KEY SHARE;
  IF EXISTS (SELECT FROM erasure WHERE copy = NEW.copy) THEN
    RAISE EXCEPTION 'copy % was erased', NEW.copy USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER file_key_not_erased BEFORE INSERT ON file_key FOR EACH ROW EXECUTE FUNCTION refuse_erased();
CREATE TRIGGER copy_private_not_erased BEFORE INSERT ON copy_private FOR EACH ROW EXECUTE FUNCTION refuse_erased();
CREATE TRIGGER scan_not_erased BEFORE INSERT ON scan FOR EACH ROW EXECUTE FUNCTION refuse_erased();
CREATE TRIGGER state_file_not_erased BEFORE INSERT ON state_file FOR EACH ROW EXECUTE FUNCTION refuse_erased();
CREATE TRIGGER sharing_link_not_erased BEFORE INSERT ON sharing_link FOR EACH ROW EXECUTE FUNCTION refuse_erased();

GRANT SELECT ON retention_policy, erasure TO saoy_office, saoy_worker, saoy_retention;
GRANT SELECT (copy, reason, decision_number, at) ON erasure TO saoy_public;
GRANT INSERT ON retention_policy TO saoy_office;
GRANT INSERT ON erasure TO saoy_retention;
GRANT SELECT, INSERT, DELETE ON doomed_object TO saoy_retention;
GRANT UPDATE (due) ON doomed_object TO saoy_retention;
GRANT SELECT ON doomed_object TO saoy_office, saoy_worker;
