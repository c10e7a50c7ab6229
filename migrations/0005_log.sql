-- +goose Up
-- The append-only Merkle tree (RFC 6962) over the leaves, and what is decided by leaves.

CREATE TABLE leaf (
  index bigint PRIMARY KEY CHECK (index >= 0),
  copy  uuid NOT NULL REFERENCES copy (id),
  kind  text NOT NULL CHECK (kind IN ('issue', 'annul', 'void', 'extend', 'erase')),
  bytes bytea NOT NULL CHECK (length(bytes) BETWEEN 1 AND 65535),
  at    timestamptz NOT NULL
);
CREATE INDEX leaf_copy ON leaf (copy, index);
-- A copy is issued, annulled and voided at most once.
CREATE UNIQUE INDEX leaf_once ON leaf (copy, kind) WHERE kind IN ('issue', 'annul', 'void', 'erase');

-- Hashes by the index of golang.org/x/mod/sumdb/tlog.StoredHashIndex.
CREATE TABLE tree_hash (
  ix   bigint PRIMARY KEY CHECK (ix >= 0),
  hash bytea NOT NULL CHECK (length(hash) = 32)
);

-- One row: whoever holds its lock appends.
CREATE TABLE tree_head (
  one  boolean PRIMARY KEY DEFAULT true CHECK (one),
  size bigint NOT NULL CHECK (size >= 0),
  root bytea NOT NULL CHECK (length(root) = 32)
);
INSERT INTO tree_head (size, root) VALUES (0, sha256(''));

CREATE TABLE checkpoint (
  size       bigint PRIMARY KEY CHECK (size > 0),
  note       bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT book_clock()
);

CREATE TABLE annulment (
  copy            uuid PRIMARY KEY REFERENCES copy (id),
  decision_number text NOT NULL CHECK (decision_number <> ''),
  decision_date   date NOT NULL,
  reason          text NOT NULL CHECK (reason <> ''),
  by_account      uuid NOT NULL REFERENCES account (id),
  at              timestamptz NOT NULL
);

-- The tree only grows, and nobody rewrites what was said.
-- +goose StatementBegin
CREATE FUNCTION tree_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.size <= OLD.size THEN
    RAISE EXCEPTION 'the tree of % leaves cannot become one of %', OLD.size, NEW.size USING ERRCODE = 'check_violation';
  END IF;
  PERFORM pg_notify('saoy_log', '');
  RETURN NEW;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER tree_grows BEFORE UPDATE ON tree_head FOR EACH ROW EXECUTE FUNCTION tree_grows();
CREATE TRIGGER leaf_permanent BEFORE UPDATE OR DELETE OR TRUNCATE ON leaf FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER tree_hash_permanent BEFORE UPDATE OR DELETE OR TRUNCATE ON tree_hash FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER checkpoint_permanent BEFORE UPDATE OR DELETE OR TRUNCATE ON checkpoint FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER annulment_permanent BEFORE UPDATE OR DELETE OR TRUNCATE ON annulment FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER tree_head_stays BEFORE DELETE OR TRUNCATE ON tree_head FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- What the public may know of a copy: facts of issued, annulled and void copies, by the hash of
-- the code. No personal data but the official's name, no title, no code.
CREATE VIEW public_copy AS
  SELECT c.id, c.code_hash, c.state, c.agency, n.name AS agency_name, n.place, n.province, a.demonstration,
    b.book, b.year, b.seq, b.volume, b.date, b.signer_name, b.signer_title,
    c.document_type, t.vi AS document_type_vi, t.en AS document_type_en,
    c.final_digest, c.final_size, c.final_pages, c.final_level,
    l.index AS leaf, l.at AS leaf_at,
    x.decision_number, x.decision_date, x.reason AS annulment_reason, x.at AS annulled_at,
    v.at AS voided_at
  FROM copy c
  JOIN agency a ON a.id = c.agency
  JOIN book_row b ON b.copy = c.id
  JOIN document_type t ON t.code = c.document_type
  JOIN LATERAL (SELECT name, place, province FROM agency_name
    WHERE agency = c.agency ORDER BY (from_date <= b.date) DESC, (CASE WHEN from_date <= b.date THEN from_date END) DESC NULLS LAST, from_date LIMIT 1) n ON true
  LEFT JOIN leaf l ON l.copy = c.id AND l.kind = 'issue'
  LEFT JOIN leaf v ON v.copy = c.id AND v.kind = 'void'
  LEFT JOIN annulment x ON x.copy = c.id
  WHERE c.state IN ('released', 'annulled', 'void');

GRANT SELECT ON leaf, tree_hash, tree_head, checkpoint TO saoy_office, saoy_public, saoy_worker, saoy_retention;
GRANT SELECT ON annulment TO saoy_office, saoy_worker, saoy_retention;
GRANT SELECT ON public_copy TO saoy_public, saoy_office, saoy_worker;
-- The office appends voids and annulments, the worker issues.
GRANT INSERT ON leaf, tree_hash TO saoy_office, saoy_worker, saoy_retention;
GRANT UPDATE (size, root) ON tree_head TO saoy_office, saoy_worker, saoy_retention;
GRANT INSERT ON annulment TO saoy_office;
GRANT INSERT ON checkpoint TO saoy_worker;

-- The schema of the job queue, filled by its own migrations.
CREATE SCHEMA river;
GRANT USAGE ON SCHEMA river TO saoy_office, saoy_worker;
