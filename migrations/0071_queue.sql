-- +goose Up
-- How long an agency's copies will wait. It counts the copies of all, so it runs with the rights
-- of the owner and tells nothing but sums.

-- +goose StatementBegin
CREATE FUNCTION queue_ahead(of_agency text, OUT mine bigint, OUT ahead bigint, OUT total bigint, OUT done bigint, OUT seconds double precision)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  WITH waiting AS (
    SELECT c.agency, count(*) AS n FROM copy c JOIN agency a ON a.id = c.agency
    WHERE c.certified_at IS NOT NULL AND (c.state IN ('submitted', 'numbered', 'stamped', 'sealed')
      OR c.state = 'signed' AND (a.seal_at_once OR c.sealed_at IS NOT NULL)) GROUP BY c.agency
  ), own AS (
    SELECT coalesce(max(n) FILTER (WHERE agency = of_agency), 0) AS n FROM waiting
  ), recent AS (
    SELECT at FROM (SELECT l.at FROM leaf l ORDER BY l.index DESC LIMIT 2000) x WHERE at > book_clock() - interval '10 minutes'
  )
  -- Agencies take turns: until mine are done, of each other agency as many are done, if it has them.
  SELECT own.n, coalesce((SELECT sum(least(w.n, own.n)) FROM waiting w), 0)::bigint, coalesce((SELECT sum(w.n) FROM waiting w), 0)::bigint,
    (SELECT count(*) FROM recent), coalesce(extract(epoch FROM book_clock() - (SELECT min(at) FROM recent)), 0)
  FROM own
$$;
-- +goose StatementEnd
REVOKE EXECUTE ON FUNCTION queue_ahead(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION queue_ahead(text) TO saoy_office, saoy_worker;

-- The oldest program, by the newest step it knows, that may work on this schema. Steps only
-- add, so programs of earlier versions go on and may be started again while others are
-- replaced; a step that must end that says so here.
CREATE TABLE oldest_program (
  one  boolean PRIMARY KEY DEFAULT true CHECK (one),
  step bigint NOT NULL
);
INSERT INTO oldest_program (step) VALUES (71);
GRANT SELECT ON oldest_program TO saoy_office, saoy_public, saoy_worker, saoy_retention;
