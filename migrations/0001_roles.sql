-- +goose Up
-- The roles under which the program works. They belong to the server, not to one database:
-- several databases may be migrated at once, so losing a race is no error. Where the owner may
-- not create roles, an administrator creates them beforehand and this does nothing.
-- +goose StatementBegin
DO $$
DECLARE
  r text;
  attempt int;
BEGIN
  FOREACH r IN ARRAY ARRAY['saoy_office', 'saoy_public', 'saoy_worker', 'saoy_retention', 'saoy_service'] LOOP
    FOR attempt IN 1..20 LOOP
      BEGIN
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = r) THEN
          EXECUTE format('CREATE ROLE %I NOLOGIN', r);
        END IF;
        EXIT;
      EXCEPTION WHEN duplicate_object OR unique_violation OR internal_error THEN
        PERFORM pg_sleep(0.02);
      END;
    END LOOP;
  END LOOP;
  -- saoy_service is all the daily roles in one process. The retention role is not among them.
  FOREACH r IN ARRAY ARRAY['saoy_office', 'saoy_public', 'saoy_worker'] LOOP
    FOR attempt IN 1..20 LOOP
      BEGIN
        IF NOT pg_has_role('saoy_service', r, 'MEMBER') THEN
          EXECUTE format('GRANT %I TO saoy_service', r);
        END IF;
        EXIT;
      EXCEPTION WHEN duplicate_object OR unique_violation OR internal_error THEN
        PERFORM pg_sleep(0.02);
      END;
    END LOOP;
  END LOOP;
  -- The owner must be able to take on each of them.
  FOREACH r IN ARRAY ARRAY['saoy_service', 'saoy_retention', 'saoy_office', 'saoy_public', 'saoy_worker'] LOOP
    FOR attempt IN 1..20 LOOP
      BEGIN
        -- From PostgreSQL 16 on, who created a role may grant it but not take it on.
        IF NOT pg_has_role(current_user, r, CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END) THEN
          EXECUTE format('GRANT %I TO %I', r, current_user);
        END IF;
        EXIT;
      EXCEPTION WHEN duplicate_object OR unique_violation OR internal_error THEN
        PERFORM pg_sleep(0.02);
      END;
    END LOOP;
  END LOOP;
END
$$;
-- +goose StatementEnd

GRANT USAGE ON SCHEMA public TO saoy_office, saoy_public, saoy_worker, saoy_retention;

-- The clock of the book. Dates and years of certificate numbers and the times of the log come
-- from here and nowhere else; tests replace the function in their own database.
-- +goose StatementBegin
CREATE FUNCTION book_clock() RETURNS timestamptz
  LANGUAGE sql VOLATILE PARALLEL UNSAFE
  RETURN clock_timestamp();
-- +goose StatementEnd

-- Permanent rows refuse change whoever asks, the owner included, unless he drops the trigger.
-- +goose StatementBegin
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% of % is refused: its rows are permanent', TG_OP, TG_TABLE_NAME
    USING ERRCODE = 'insufficient_privilege';
END
$$;
-- +goose StatementEnd
