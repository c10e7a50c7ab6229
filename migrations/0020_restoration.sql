-- +goose Up
-- What is recorded when a backup has been restored, and the numbers that are left out of a
-- book because they may have been given after that backup was made.

CREATE TABLE restoration (
  id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  backup      text NOT NULL CHECK (backup <> ''),
  at          timestamptz NOT NULL DEFAULT book_clock(),
  size        bigint NOT NULL CHECK (size >= 0),
  -- The newest checkpoint that was shown; without one nobody knows what was published later.
  known       bytea,
  known_size  bigint NOT NULL DEFAULT 0,
  accepted_at timestamptz,
  accepted_by text NOT NULL DEFAULT '',
  decision    text NOT NULL DEFAULT '',
  CHECK (accepted_at IS NULL OR accepted_by <> '' AND decision <> '')
);

-- Accepted once, never taken back, never forgotten.
-- +goose StatementBegin
CREATE FUNCTION restoration_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP <> 'UPDATE' THEN
    RAISE EXCEPTION '% of restoration is refused: its rows are permanent', TG_OP USING ERRCODE = 'insufficient_privilege';
  END IF;
  IF OLD.accepted_at IS NOT NULL OR (NEW.id, NEW.backup, NEW.at, NEW.size, NEW.known, NEW.known_size)
      IS DISTINCT FROM (OLD.id, OLD.backup, OLD.at, OLD.size, OLD.known, OLD.known_size) THEN
    RAISE EXCEPTION 'restoration % can only be accepted, once', OLD.id USING ERRCODE = 'insufficient_privilege';
  END IF;
  RETURN NEW;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER restoration_stays BEFORE UPDATE OR DELETE ON restoration FOR EACH ROW EXECUTE FUNCTION restoration_stays();
CREATE TRIGGER restoration_kept BEFORE TRUNCATE ON restoration FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Numbers that nobody will be given: they may stand on papers that left the office.
CREATE TABLE book_gap (
  agency      text NOT NULL,
  book        text NOT NULL,
  year        int NOT NULL,
  first_seq   bigint NOT NULL CHECK (first_seq >= 1),
  last_seq    bigint NOT NULL CHECK (last_seq >= first_seq),
  restoration bigint NOT NULL REFERENCES restoration (id),
  PRIMARY KEY (agency, book, year, first_seq),
  FOREIGN KEY (agency, book) REFERENCES book (agency, code)
);
CREATE TRIGGER book_gap_permanent BEFORE UPDATE OR DELETE OR TRUNCATE ON book_gap
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- As before, and past a gap that was left open.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION book_row_follows() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  last_year int;
  last_seq bigint;
  last_date date;
  gap_year int;
  gap_seq bigint;
BEGIN
  SELECT b.year, b.seq, b.date INTO last_year, last_seq, last_date FROM book_row b
    WHERE b.agency = NEW.agency AND b.book = NEW.book
    ORDER BY b.year DESC, b.seq DESC LIMIT 1;
  SELECT g.year, g.last_seq INTO gap_year, gap_seq FROM book_gap g
    WHERE g.agency = NEW.agency AND g.book = NEW.book
    ORDER BY g.year DESC, g.first_seq DESC LIMIT 1;
  IF gap_year IS NOT NULL AND (last_year IS NULL OR (gap_year, gap_seq) > (last_year, last_seq)) THEN
    last_year := gap_year;
    last_seq := gap_seq;
  END IF;
  IF NEW.date < last_date OR NEW.year < last_year OR NEW.seq <> (CASE WHEN NEW.year = last_year THEN last_seq + 1 ELSE 1 END) THEN
    RAISE EXCEPTION 'number %/% of % does not follow %/% of %', NEW.seq, NEW.year, NEW.date, last_seq, last_year, last_date
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END
$$;
-- +goose StatementEnd

GRANT SELECT ON restoration, book_gap TO saoy_office, saoy_public, saoy_worker, saoy_retention;
