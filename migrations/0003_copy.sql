-- +goose Up
-- Requests and copies: what changes during the life of a copy, and what may be deleted of it.

CREATE TABLE request (
  id           uuid PRIMARY KEY,
  agency       text NOT NULL REFERENCES agency (id),
  requester    text NOT NULL CHECK (requester <> ''),
  channel      text NOT NULL CHECK (channel <> ''),
  dossier_code text NOT NULL DEFAULT '',
  external_id  text NOT NULL DEFAULT '',
  created_by   uuid NOT NULL REFERENCES account (id),
  created_at   timestamptz NOT NULL DEFAULT book_clock()
);
CREATE UNIQUE INDEX request_external ON request (agency, channel, external_id) WHERE external_id <> '';
CREATE INDEX request_agency_created ON request (agency, created_at);

-- Contact and identity of the requester. Retention may delete the row; the name stays with the
-- request because it stays in the book.
CREATE TABLE request_private (
  request   uuid PRIMARY KEY REFERENCES request (id),
  id_number text NOT NULL DEFAULT '',
  phone     text NOT NULL DEFAULT '',
  email     text NOT NULL DEFAULT ''
);

-- The states a copy may pass through. The same table is in internal/certcopy; a test compares.
CREATE TABLE copy_transition (
  from_state text NOT NULL,
  to_state   text NOT NULL,
  PRIMARY KEY (from_state, to_state)
);
INSERT INTO copy_transition (from_state, to_state) VALUES
  ('received', 'scanned'), ('received', 'refused'), ('received', 'withdrawn'),
  ('scanned', 'received'), ('scanned', 'submitted'), ('scanned', 'refused'), ('scanned', 'withdrawn'),
  ('submitted', 'numbered'), ('submitted', 'returned'), ('submitted', 'refused'), ('submitted', 'withdrawn'),
  ('returned', 'received'), ('returned', 'scanned'), ('returned', 'submitted'), ('returned', 'refused'), ('returned', 'withdrawn'),
  ('numbered', 'stamped'), ('numbered', 'void'),
  ('stamped', 'signed'), ('stamped', 'void'),
  ('signed', 'sealed'), ('signed', 'void'),
  ('sealed', 'registered'), ('sealed', 'void'),
  ('registered', 'released'), ('registered', 'annulled'),
  ('released', 'annulled');

CREATE TABLE copy (
  id            uuid PRIMARY KEY,
  request       uuid NOT NULL REFERENCES request (id),
  agency        text NOT NULL REFERENCES agency (id),
  position      int NOT NULL,
  code          text NOT NULL UNIQUE,
  code_hash     bytea NOT NULL UNIQUE CHECK (length(code_hash) = 32),
  created_at    timestamptz NOT NULL DEFAULT book_clock(),

  state         text NOT NULL DEFAULT 'received' CHECK (state IN ('received', 'scanned', 'submitted', 'numbered',
                  'stamped', 'signed', 'sealed', 'registered', 'released', 'returned', 'refused', 'withdrawn', 'void', 'annulled')),
  revision      int NOT NULL DEFAULT 1,
  document_type text NOT NULL REFERENCES document_type (code),
  title         text NOT NULL,
  issuing_body  text NOT NULL,
  pages         int NOT NULL CHECK (pages BETWEEN 1 AND 200),
  copies        int NOT NULL CHECK (copies BETWEEN 1 AND 1000),

  clean_digest  bytea CHECK (length(clean_digest) = 32),
  clean_size    bigint CHECK (clean_size > 0),
  clean_pages   jsonb,

  checked       boolean NOT NULL DEFAULT false,
  submission    bytea CHECK (length(submission) = 32),
  submitted_by  uuid REFERENCES account (id),
  submitted_at  timestamptz,
  low_resolution_reason text NOT NULL DEFAULT '',

  certified_by    uuid REFERENCES account (id),
  certified_name  text,
  certified_title text,
  certified_client text NOT NULL DEFAULT '',
  certified_at    timestamptz,
  sealed_by       uuid REFERENCES account (id),
  sealed_client   text NOT NULL DEFAULT '',
  sealed_at       timestamptz,

  final_digest  bytea CHECK (length(final_digest) = 32),
  final_size    bigint CHECK (final_size > 0),
  final_pages   int CHECK (final_pages > 0),
  final_level   text,

  left_by       uuid REFERENCES account (id),
  reason        text NOT NULL DEFAULT '',
  reason_text   text NOT NULL DEFAULT '',
  trouble_vi    text NOT NULL DEFAULT '',
  trouble_en    text NOT NULL DEFAULT '',
  changed_at    timestamptz NOT NULL DEFAULT book_clock(),

  UNIQUE (request, position),
  CONSTRAINT scanned_has_document CHECK (state IN ('received', 'returned', 'refused', 'withdrawn') OR clean_digest IS NOT NULL),
  CONSTRAINT submitted_is_frozen CHECK (state IN ('received', 'scanned', 'returned', 'refused', 'withdrawn')
    OR (checked AND submission IS NOT NULL AND submitted_at IS NOT NULL)),
  CONSTRAINT numbered_is_certified CHECK (state IN ('received', 'scanned', 'submitted', 'returned', 'refused', 'withdrawn')
    OR (certified_by IS NOT NULL AND certified_at IS NOT NULL AND certified_name <> '')),
  CONSTRAINT registered_has_file CHECK (state NOT IN ('registered', 'released', 'annulled')
    OR (final_digest IS NOT NULL AND final_size IS NOT NULL AND final_pages IS NOT NULL AND final_level <> '')),
  CONSTRAINT leaving_has_reason CHECK (state NOT IN ('returned', 'refused', 'withdrawn', 'void') OR reason <> '')
);
CREATE INDEX copy_agency_state ON copy (agency, state, changed_at);
CREATE INDEX copy_pending ON copy (certified_at) WHERE certified_at IS NOT NULL
  AND state IN ('submitted', 'numbered', 'stamped', 'signed', 'sealed', 'registered');
CREATE INDEX copy_registered ON copy (id) WHERE state = 'registered';

-- The salt that blinds the private facts in the leaf. Deleting it makes the commitment opaque.
CREATE TABLE copy_private (
  copy uuid PRIMARY KEY REFERENCES copy (id),
  salt bytea NOT NULL CHECK (length(salt) = 32)
);

CREATE TABLE scan (
  id        uuid PRIMARY KEY,
  copy      uuid NOT NULL REFERENCES copy (id),
  position  int NOT NULL,
  file_name text NOT NULL,
  size      bigint NOT NULL CHECK (size > 0),
  digest    bytea NOT NULL CHECK (length(digest) = 32),
  pages     int NOT NULL CHECK (pages > 0),
  UNIQUE (copy, position)
);

-- The book (sổ chứng thực), with its statutory columns: permanent (NĐ 23/2015 Điều 13, 14).
CREATE TABLE book_row (
  agency         text NOT NULL,
  book           text NOT NULL,
  year           int NOT NULL,
  seq            bigint NOT NULL CHECK (seq >= 1),
  volume         int NOT NULL CHECK (volume >= 1),
  date           date NOT NULL CHECK (extract(year FROM date) = year),
  copy           uuid NOT NULL UNIQUE REFERENCES copy (id),
  requester      text NOT NULL,
  title          text NOT NULL,
  signer_account uuid NOT NULL REFERENCES account (id),
  signer_name    text NOT NULL,
  signer_title   text NOT NULL,
  copies         int NOT NULL,
  original_pages int NOT NULL,
  fee            bigint,
  note           text NOT NULL DEFAULT '',
  entered_at     timestamptz NOT NULL,
  PRIMARY KEY (agency, book, year, seq),
  FOREIGN KEY (agency, book) REFERENCES book (agency, code)
);

-- Consecutive from 1, dates never decreasing: held here too, not only where numbers are taken.
-- +goose StatementBegin
CREATE FUNCTION book_row_follows() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  last_year int;
  last_seq bigint;
  last_date date;
BEGIN
  SELECT b.year, b.seq, b.date INTO last_year, last_seq, last_date FROM book_row b
    WHERE b.agency = NEW.agency AND b.book = NEW.book
    ORDER BY b.year DESC, b.seq DESC LIMIT 1;
  IF NEW.date < last_date OR NEW.seq <> (CASE WHEN NEW.year = last_year THEN last_seq + 1 ELSE 1 END) THEN
    RAISE EXCEPTION 'number %/% of % does not follow %/% of %', NEW.seq, NEW.year, NEW.date, last_seq, last_year, last_date
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER book_row_follows BEFORE INSERT ON book_row FOR EACH ROW EXECUTE FUNCTION book_row_follows();
CREATE TRIGGER book_row_permanent BEFORE UPDATE OR DELETE OR TRUNCATE ON book_row
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- A copy moves only along copy_transition, and past submitted only with a row in the book.
-- +goose StatementBegin
CREATE FUNCTION copy_moves() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM copy_transition t WHERE t.from_state = OLD.state AND t.to_state = NEW.state) THEN
    RAISE EXCEPTION 'a copy that is % cannot become %', OLD.state, NEW.state USING ERRCODE = 'check_violation';
  END IF;
  IF OLD.state = 'submitted' AND NEW.state = 'numbered' AND NOT EXISTS (SELECT FROM book_row b WHERE b.copy = NEW.id) THEN
    RAISE EXCEPTION 'a copy without a row in the book cannot become numbered' USING ERRCODE = 'check_violation';
  END IF;
  NEW.changed_at := book_clock();
  PERFORM pg_notify('saoy_copy', NEW.id::text);
  RETURN NEW;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER copy_moves BEFORE UPDATE OF state ON copy
  FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION copy_moves();

-- A new copy begins at the beginning.
-- +goose StatementBegin
CREATE FUNCTION copy_begins() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.state <> 'received' THEN
    RAISE EXCEPTION 'a new copy cannot be %', NEW.state USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER copy_begins BEFORE INSERT ON copy FOR EACH ROW EXECUTE FUNCTION copy_begins();

GRANT SELECT ON request, request_private, copy, copy_private, copy_transition, scan, book_row
  TO saoy_office, saoy_worker, saoy_retention;
GRANT INSERT ON request, request_private, copy, copy_private, scan TO saoy_office;
GRANT DELETE ON scan TO saoy_office, saoy_retention;
GRANT DELETE ON request_private, copy_private TO saoy_retention;
GRANT INSERT ON book_row TO saoy_worker;
GRANT UPDATE (state, revision, document_type, title, issuing_body, pages, copies, clean_digest, clean_size, clean_pages,
  checked, submission, submitted_by, submitted_at, low_resolution_reason, certified_by, certified_name, certified_title, certified_client,
  certified_at, sealed_by, sealed_client, sealed_at, left_by, reason, reason_text, trouble_vi, trouble_en, changed_at) ON copy TO saoy_office;
GRANT UPDATE (state, revision, clean_digest, clean_size, clean_pages, submission, submitted_at, checked, certified_by, certified_name, certified_title,
  certified_client, certified_at, final_digest, final_size, final_pages, final_level, left_by, reason, reason_text, trouble_vi, trouble_en, changed_at) ON copy TO saoy_worker;
-- A row lock needs one updatable column; requester is not among what the office may rewrite.
GRANT UPDATE (dossier_code) ON request TO saoy_office, saoy_worker;
