-- +goose NO TRANSACTION
-- +goose Up
-- What the office looks at all day must not slow down with the years: the newest copies, and
-- the day's figures. Built beside a running service.
CREATE INDEX CONCURRENTLY IF NOT EXISTS copy_agency_changed ON copy (agency, changed_at, id);
CREATE INDEX CONCURRENTLY IF NOT EXISTS copy_agency_certified ON copy (agency, certified_at) WHERE certified_at IS NOT NULL;
