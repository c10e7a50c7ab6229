-- +goose Up
-- The wording of the statement, by agency and date. A copy keeps the wording of the day of its
-- number: no row may come into force on a day that has begun, none is ever changed, so the
-- wording of a past day is the same for ever. What is not in force yet is taken back by a later
-- row for the same day without a body.

CREATE TABLE wording (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  agency     text NOT NULL REFERENCES agency (id),
  from_date  date NOT NULL,
  body       jsonb CHECK (length(body::text) <= 16384),
  decision   text NOT NULL CHECK (decision <> ''),
  account    uuid NOT NULL REFERENCES account (id),
  created_at timestamptz NOT NULL DEFAULT book_clock()
);
CREATE INDEX wording_of ON wording (agency, from_date, id);

-- +goose StatementBegin
CREATE FUNCTION wording_begins_later() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.from_date <= (book_clock() AT TIME ZONE 'Asia/Ho_Chi_Minh')::date THEN
    RAISE EXCEPTION 'a wording comes into force tomorrow at the earliest' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER wording_begins_later BEFORE INSERT ON wording FOR EACH ROW EXECUTE FUNCTION wording_begins_later();
CREATE TRIGGER wording_permanent BEFORE UPDATE OR DELETE OR TRUNCATE ON wording
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

GRANT SELECT ON wording TO saoy_office, saoy_worker;
GRANT INSERT ON wording TO saoy_office;

-- Who imported an image; those of a foundation have nobody.
ALTER TABLE look ADD COLUMN by_account uuid REFERENCES account (id);
