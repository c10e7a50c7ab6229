-- +goose Up
-- Row security (see 0011_agencies.sql) and audit (0010_audit.sql) of tables that came later.

ALTER TABLE wording ENABLE ROW LEVEL SECURITY;
CREATE POLICY wording_of_agency ON wording AS RESTRICTIVE FOR ALL TO PUBLIC USING (saoy_agency() IS NULL OR agency = saoy_agency());
CREATE POLICY wording_office ON wording FOR ALL TO saoy_office USING (saoy_agency() IS NOT NULL);
CREATE POLICY wording_all ON wording FOR ALL TO saoy_worker, saoy_retention USING (true);

ALTER TABLE upload ENABLE ROW LEVEL SECURITY;
CREATE POLICY upload_of_agency ON upload AS RESTRICTIVE FOR ALL TO PUBLIC USING (saoy_agency() IS NULL OR EXISTS (SELECT FROM copy c WHERE c.id = upload.copy));
CREATE POLICY upload_office ON upload FOR ALL TO saoy_office USING (saoy_agency() IS NOT NULL);
CREATE POLICY upload_all ON upload FOR ALL TO saoy_worker, saoy_retention USING (true);

ALTER TABLE upload_piece ENABLE ROW LEVEL SECURITY;
CREATE POLICY upload_piece_of_agency ON upload_piece AS RESTRICTIVE FOR ALL TO PUBLIC USING (saoy_agency() IS NULL OR EXISTS (SELECT FROM upload u WHERE u.id = upload_piece.upload));
CREATE POLICY upload_piece_office ON upload_piece FOR ALL TO saoy_office USING (saoy_agency() IS NOT NULL);
CREATE POLICY upload_piece_all ON upload_piece FOR ALL TO saoy_worker, saoy_retention USING (true);

CREATE TRIGGER audit_wording AFTER INSERT ON wording FOR EACH ROW EXECUTE FUNCTION audit_row('change', 'wording', 'id');

-- The worker gives up uploads that were left.
GRANT SELECT, DELETE ON upload, upload_piece TO saoy_worker;
