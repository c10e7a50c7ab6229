-- +goose NO TRANSACTION
-- +goose Up
-- For tables of tens of millions of rows; built without stopping those who write.

-- The search by number, in whatever book and year.
CREATE INDEX CONCURRENTLY IF NOT EXISTS book_row_agency_seq ON book_row (agency, seq);
-- What the retention job looks for.
CREATE INDEX CONCURRENTLY IF NOT EXISTS file_key_created ON file_key (created_at);
CREATE INDEX CONCURRENTLY IF NOT EXISTS session_seen ON session (seen_at);
CREATE INDEX CONCURRENTLY IF NOT EXISTS login_failure_at ON login_failure (at);
