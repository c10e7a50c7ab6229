-- +goose Up
-- The audit: who used a key, saw, changed or took out what, and who signed in. Events are only
-- ever added; once a second they are bound into a chain of hashes whose head is signed.

CREATE TABLE audit_event (
  id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at      timestamptz NOT NULL,
  kind    text NOT NULL CHECK (kind IN ('key', 'view', 'change', 'export', 'sign-in')),
  action  text NOT NULL CHECK (length(action) BETWEEN 1 AND 100),
  -- before: about to be done; done; refused: not allowed; failed: tried without success.
  phase   text NOT NULL CHECK (phase IN ('before', 'done', 'refused', 'failed')),
  role    text NOT NULL, -- database role that did it
  agency  text,
  account uuid,
  client  text NOT NULL DEFAULT '',
  copy    uuid,
  -- Identifier of what else it is about; never personal data.
  subject text NOT NULL DEFAULT '' CHECK (length(subject) <= 200),
  digest  bytea
);
CREATE INDEX audit_event_agency ON audit_event (agency, id);
CREATE INDEX audit_event_copy ON audit_event (copy, id) WHERE copy IS NOT NULL;
CREATE TRIGGER audit_event_permanent BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_event
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Events that are not in the chain yet.
CREATE TABLE audit_pending (
  event bigint PRIMARY KEY
);

-- The chain: hash = SHA-256 of the hash before and the canonical lines of these events.
CREATE TABLE audit_batch (
  seq    bigint PRIMARY KEY CHECK (seq >= 1),
  events bigint[] NOT NULL CHECK (cardinality(events) >= 1),
  hash   bytea NOT NULL CHECK (length(hash) = 32),
  -- How many events the chain holds with this batch.
  size   bigint NOT NULL UNIQUE CHECK (size >= 1),
  at     timestamptz NOT NULL DEFAULT book_clock()
);
CREATE TRIGGER audit_batch_permanent BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_batch
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE audit_head (
  seq        bigint PRIMARY KEY REFERENCES audit_batch (seq),
  note       bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT book_clock()
);
CREATE TRIGGER audit_head_permanent BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_head
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- The one way to add an event. What is not given comes from the connection's settings, which
-- the program sets to whom it works for.
-- +goose StatementBegin
CREATE FUNCTION audit(kind text, action text, phase text, agency text, account uuid, client text, copy uuid, subject text, digest bytea)
  RETURNS void LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  added bigint;
BEGIN
  INSERT INTO audit_event (at, kind, action, phase, role, agency, account, client, copy, subject, digest)
  VALUES (book_clock(), audit.kind, audit.action, audit.phase,
    coalesce(nullif(current_setting('role', true), 'none'), session_user),
    coalesce(audit.agency, nullif(current_setting('saoy.agency', true), ''), (SELECT c.agency FROM copy c WHERE c.id = audit.copy)),
    coalesce(audit.account, nullif(current_setting('saoy.account', true), '')::uuid),
    coalesce(nullif(audit.client, ''), current_setting('saoy.client', true), ''), audit.copy, coalesce(audit.subject, ''), audit.digest)
  RETURNING id INTO added;
  INSERT INTO audit_pending (event) VALUES (added);
END
$$;
-- +goose StatementEnd
REVOKE EXECUTE ON FUNCTION audit(text, text, text, text, uuid, text, uuid, text, bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audit(text, text, text, text, uuid, text, uuid, text, bytea) TO saoy_office, saoy_worker, saoy_retention;

-- What happens to a row, as an event in the same transaction. Arguments: kind, name of the
-- thing, the column that names it.
-- +goose StatementBegin
CREATE FUNCTION audit_row() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  j jsonb;
BEGIN
  IF TG_OP = 'DELETE' THEN j := to_jsonb(OLD); ELSE j := to_jsonb(NEW); END IF;
  PERFORM audit(TG_ARGV[0], TG_ARGV[1] || '.' || lower(TG_OP), 'done', j->>'agency',
    coalesce(j->>'by_account', j->>'created_by', j->>'revoked_by')::uuid, NULL, (j->>'copy')::uuid, j->>TG_ARGV[2], NULL);
  RETURN NULL;
END
$$;
-- +goose StatementEnd

-- A copy: each state, each act of a person, each change of its facts or pages.
-- +goose StatementBegin
CREATE FUNCTION audit_copy() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    PERFORM audit('change', 'copy.received', 'done', NEW.agency, NULL, NULL, NEW.id, NULL, NULL);
    RETURN NULL;
  END IF;
  IF NEW.state <> OLD.state THEN
    PERFORM audit('change', 'copy.' || NEW.state, 'done', NEW.agency,
      CASE WHEN NEW.state = 'submitted' THEN NEW.submitted_by
        WHEN NEW.state IN ('returned', 'refused', 'withdrawn', 'void') THEN NEW.left_by END,
      NULL, NEW.id, NEW.reason, CASE WHEN NEW.state = 'submitted' THEN NEW.submission WHEN NEW.state = 'registered' THEN NEW.final_digest END);
  ELSIF (NEW.document_type, NEW.title, NEW.issuing_body, NEW.pages, NEW.copies) IS DISTINCT FROM
      (OLD.document_type, OLD.title, OLD.issuing_body, OLD.pages, OLD.copies) THEN
    PERFORM audit('change', 'copy.edit', 'done', NEW.agency, NULL, NULL, NEW.id, NULL, NULL);
  ELSIF NEW.clean_digest IS DISTINCT FROM OLD.clean_digest THEN
    PERFORM audit('change', 'copy.pages', 'done', NEW.agency, NULL, NULL, NEW.id, NULL, NEW.clean_digest);
  END IF;
  IF NEW.certified_at IS DISTINCT FROM OLD.certified_at THEN
    PERFORM audit('change', CASE WHEN NEW.certified_at IS NULL THEN 'copy.certify-cancelled' ELSE 'copy.certify' END, 'done',
      NEW.agency, NEW.certified_by, NEW.certified_client, NEW.id, NULL, NEW.submission);
  END IF;
  IF NEW.sealed_at IS DISTINCT FROM OLD.sealed_at THEN
    PERFORM audit('change', 'copy.seal', 'done', NEW.agency, NEW.sealed_by, NEW.sealed_client, NEW.id, NULL, NEW.submission);
  END IF;
  RETURN NULL;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER audit_copy AFTER INSERT OR UPDATE ON copy FOR EACH ROW EXECUTE FUNCTION audit_copy();

-- A key was used with success when its value is stored; that it was going to be is said before.
-- +goose StatementBegin
CREATE FUNCTION audit_signature() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  PERFORM audit('key', NEW.role || '.sign', 'done', NULL, NULL, NULL, NEW.copy, 'generation ' || NEW.generation, NEW.digest);
  RETURN NULL;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER audit_signature AFTER INSERT ON artifact FOR EACH ROW WHEN (NEW.kind = 'signature') EXECUTE FUNCTION audit_signature();

-- An account, without its password's hash: what changed of it is named.
-- +goose StatementBegin
CREATE FUNCTION audit_account() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  PERFORM audit('change', CASE WHEN TG_OP = 'INSERT' THEN 'account.insert'
      WHEN NEW.password_hash <> OLD.password_hash THEN 'account.password'
      WHEN NEW.disabled_at IS DISTINCT FROM OLD.disabled_at THEN CASE WHEN NEW.disabled_at IS NULL THEN 'account.enable' ELSE 'account.disable' END
      WHEN NEW.roles <> OLD.roles THEN 'account.roles'
      ELSE 'account.update' END, 'done', NEW.agency, NULL, NULL, NULL, NEW.id::text || ' ' || array_to_string(NEW.roles, ' '), NULL);
  RETURN NULL;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER audit_account AFTER INSERT OR UPDATE ON account FOR EACH ROW EXECUTE FUNCTION audit_account();

-- Signing in, and out.
-- +goose StatementBegin
CREATE FUNCTION audit_session() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  who uuid;
BEGIN
  IF TG_OP = 'DELETE' THEN who := OLD.account; ELSE who := NEW.account; END IF;
  PERFORM audit('sign-in', CASE WHEN TG_OP = 'DELETE' THEN 'session.end' ELSE 'session.begin' END, 'done',
    (SELECT a.agency FROM account a WHERE a.id = who), who, NULL, NULL, NULL, NULL);
  RETURN NULL;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER audit_session AFTER INSERT OR DELETE ON session FOR EACH ROW EXECUTE FUNCTION audit_session();

-- A wrong sign-in: whose name was typed is not known, and may be a password.
-- +goose StatementBegin
CREATE FUNCTION audit_login_failure() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  PERFORM audit('sign-in', 'session.begin', 'refused', NULL, NULL, NULL, NULL, NULL, NULL);
  RETURN NULL;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER audit_login_failure AFTER INSERT ON login_failure FOR EACH ROW EXECUTE FUNCTION audit_login_failure();

-- A sharing link opened the file: a view by somebody without an account.
-- +goose StatementBegin
CREATE FUNCTION audit_opening() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  PERFORM audit('view', 'link.open', 'done', NULL, NULL, NULL, (SELECT l.copy FROM sharing_link l WHERE l.id = NEW.link), NEW.link::text, NULL);
  RETURN NULL;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER audit_opening AFTER INSERT ON link_opening FOR EACH ROW EXECUTE FUNCTION audit_opening();

CREATE TRIGGER audit_agency AFTER INSERT OR UPDATE ON agency FOR EACH ROW EXECUTE FUNCTION audit_row('change', 'agency', 'id');
CREATE TRIGGER audit_agency_name AFTER INSERT ON agency_name FOR EACH ROW EXECUTE FUNCTION audit_row('change', 'agency-name', 'from_date');
CREATE TRIGGER audit_request AFTER INSERT ON request FOR EACH ROW EXECUTE FUNCTION audit_row('change', 'request', 'id');
CREATE TRIGGER audit_contact AFTER DELETE ON request_private FOR EACH ROW EXECUTE FUNCTION audit_row('change', 'contact', 'request');
CREATE TRIGGER audit_authorisation AFTER INSERT OR UPDATE ON authorisation FOR EACH ROW EXECUTE FUNCTION audit_row('change', 'authorisation', 'id');
CREATE TRIGGER audit_signing_key AFTER INSERT OR UPDATE ON signing_key FOR EACH ROW EXECUTE FUNCTION audit_row('change', 'signing-key', 'id');
CREATE TRIGGER audit_look AFTER INSERT ON look FOR EACH ROW EXECUTE FUNCTION audit_row('change', 'look', 'id');
CREATE TRIGGER audit_api_client AFTER INSERT OR UPDATE ON api_client FOR EACH ROW EXECUTE FUNCTION audit_row('change', 'api-client', 'id');
CREATE TRIGGER audit_api_token AFTER INSERT OR UPDATE ON api_token FOR EACH ROW EXECUTE FUNCTION audit_row('change', 'api-token', 'client');
CREATE TRIGGER audit_sharing_link AFTER INSERT OR UPDATE OR DELETE ON sharing_link FOR EACH ROW EXECUTE FUNCTION audit_row('change', 'sharing-link', 'id');
CREATE TRIGGER audit_annulment AFTER INSERT ON annulment FOR EACH ROW EXECUTE FUNCTION audit_row('change', 'annulment', 'decision_number');
CREATE TRIGGER audit_erasure AFTER INSERT ON erasure FOR EACH ROW EXECUTE FUNCTION audit_row('change', 'erasure', 'decision_number');
CREATE TRIGGER audit_retention_policy AFTER INSERT ON retention_policy FOR EACH ROW EXECUTE FUNCTION audit_row('change', 'retention-policy', 'decision_number');
CREATE TRIGGER audit_installation AFTER INSERT ON installation FOR EACH ROW EXECUTE FUNCTION audit_row('change', 'installation', 'founded_at');

GRANT SELECT ON audit_event, audit_batch, audit_head, audit_pending TO saoy_office, saoy_worker, saoy_retention;
GRANT INSERT ON audit_batch, audit_head TO saoy_worker;
GRANT DELETE ON audit_pending TO saoy_worker;
