-- +goose Up
-- Agencies do not see one another. The program says in the setting saoy.agency for whom a
-- connection works (storage.WithActor); the database holds every statement to it:
--   · whatever the role, a connection that works for an agency touches no row of another;
--   · the office without an agency sees nothing of any but what signing in needs;
--   · the worker and the retention role, which work for all, set none.
-- What belongs to a copy, a request, a link, an account or a client follows it.

CREATE FUNCTION saoy_agency() RETURNS text
  LANGUAGE sql STABLE PARALLEL SAFE
  RETURN nullif(current_setting('saoy.agency', true), '');

ALTER TABLE request ENABLE ROW LEVEL SECURITY;
CREATE POLICY request_of_agency ON request AS RESTRICTIVE FOR ALL TO PUBLIC USING (saoy_agency() IS NULL OR agency = saoy_agency());
CREATE POLICY request_office ON request FOR ALL TO saoy_office USING (saoy_agency() IS NOT NULL);
CREATE POLICY request_all ON request FOR ALL TO saoy_worker, saoy_retention USING (true);

ALTER TABLE copy ENABLE ROW LEVEL SECURITY;
CREATE POLICY copy_of_agency ON copy AS RESTRICTIVE FOR ALL TO PUBLIC USING (saoy_agency() IS NULL OR agency = saoy_agency());
CREATE POLICY copy_office ON copy FOR ALL TO saoy_office USING (saoy_agency() IS NOT NULL);
CREATE POLICY copy_all ON copy FOR ALL TO saoy_worker, saoy_retention USING (true);

ALTER TABLE book_row ENABLE ROW LEVEL SECURITY;
CREATE POLICY book_row_of_agency ON book_row AS RESTRICTIVE FOR ALL TO PUBLIC USING (saoy_agency() IS NULL OR agency = saoy_agency());
CREATE POLICY book_row_office ON book_row FOR ALL TO saoy_office USING (saoy_agency() IS NOT NULL);
CREATE POLICY book_row_all ON book_row FOR ALL TO saoy_worker, saoy_retention USING (true);

ALTER TABLE counter ENABLE ROW LEVEL SECURITY;
CREATE POLICY counter_of_agency ON counter AS RESTRICTIVE FOR ALL TO PUBLIC USING (saoy_agency() IS NULL OR agency = saoy_agency());
CREATE POLICY counter_office ON counter FOR ALL TO saoy_office USING (saoy_agency() IS NOT NULL);
CREATE POLICY counter_all ON counter FOR ALL TO saoy_worker, saoy_retention USING (true);

ALTER TABLE signing_key ENABLE ROW LEVEL SECURITY;
CREATE POLICY signing_key_of_agency ON signing_key AS RESTRICTIVE FOR ALL TO PUBLIC USING (saoy_agency() IS NULL OR agency = saoy_agency());
CREATE POLICY signing_key_office ON signing_key FOR ALL TO saoy_office USING (saoy_agency() IS NOT NULL);
CREATE POLICY signing_key_all ON signing_key FOR ALL TO saoy_worker, saoy_retention USING (true);

ALTER TABLE look ENABLE ROW LEVEL SECURITY;
CREATE POLICY look_of_agency ON look AS RESTRICTIVE FOR ALL TO PUBLIC USING (saoy_agency() IS NULL OR agency = saoy_agency());
CREATE POLICY look_office ON look FOR ALL TO saoy_office USING (saoy_agency() IS NOT NULL);
CREATE POLICY look_all ON look FOR ALL TO saoy_worker, saoy_retention USING (true);

ALTER TABLE retention_policy ENABLE ROW LEVEL SECURITY;
CREATE POLICY retention_policy_of_agency ON retention_policy AS RESTRICTIVE FOR ALL TO PUBLIC USING (saoy_agency() IS NULL OR agency = saoy_agency());
CREATE POLICY retention_policy_office ON retention_policy FOR ALL TO saoy_office USING (saoy_agency() IS NOT NULL);
CREATE POLICY retention_policy_all ON retention_policy FOR ALL TO saoy_worker, saoy_retention USING (true);

ALTER TABLE audit_event ENABLE ROW LEVEL SECURITY;
CREATE POLICY audit_event_of_agency ON audit_event AS RESTRICTIVE FOR ALL TO PUBLIC USING (saoy_agency() IS NULL OR agency = saoy_agency());
CREATE POLICY audit_event_office ON audit_event FOR ALL TO saoy_office USING (saoy_agency() IS NOT NULL);
CREATE POLICY audit_event_all ON audit_event FOR ALL TO saoy_worker, saoy_retention USING (true);

-- Signing in comes before the agency is known.
ALTER TABLE account ENABLE ROW LEVEL SECURITY;
CREATE POLICY account_of_agency ON account AS RESTRICTIVE FOR ALL TO PUBLIC USING (saoy_agency() IS NULL OR agency = saoy_agency());
CREATE POLICY account_office ON account FOR ALL TO saoy_office USING (true);
CREATE POLICY account_all ON account FOR ALL TO saoy_worker, saoy_retention USING (true);

ALTER TABLE authorisation ENABLE ROW LEVEL SECURITY;
CREATE POLICY authorisation_of_agency ON authorisation AS RESTRICTIVE FOR ALL TO PUBLIC USING (saoy_agency() IS NULL OR agency = saoy_agency());
CREATE POLICY authorisation_office ON authorisation FOR ALL TO saoy_office USING (true);
CREATE POLICY authorisation_all ON authorisation FOR ALL TO saoy_worker, saoy_retention USING (true);

ALTER TABLE api_client ENABLE ROW LEVEL SECURITY;
CREATE POLICY api_client_of_agency ON api_client AS RESTRICTIVE FOR ALL TO PUBLIC USING (saoy_agency() IS NULL OR agency = saoy_agency());
CREATE POLICY api_client_office ON api_client FOR ALL TO saoy_office USING (true);
CREATE POLICY api_client_all ON api_client FOR ALL TO saoy_worker, saoy_retention USING (true);

ALTER TABLE session ENABLE ROW LEVEL SECURITY;
CREATE POLICY session_of_agency ON session AS RESTRICTIVE FOR ALL TO PUBLIC USING (saoy_agency() IS NULL OR EXISTS (SELECT FROM account a WHERE a.id = session.account));
CREATE POLICY session_office ON session FOR ALL TO saoy_office USING (true);
CREATE POLICY session_all ON session FOR ALL TO saoy_worker, saoy_retention USING (true);

ALTER TABLE api_token ENABLE ROW LEVEL SECURITY;
CREATE POLICY api_token_of_agency ON api_token AS RESTRICTIVE FOR ALL TO PUBLIC USING (saoy_agency() IS NULL OR EXISTS (SELECT FROM api_client c WHERE c.id = api_token.client));
CREATE POLICY api_token_office ON api_token FOR ALL TO saoy_office USING (true);
CREATE POLICY api_token_all ON api_token FOR ALL TO saoy_worker, saoy_retention USING (true);

ALTER TABLE api_reply ENABLE ROW LEVEL SECURITY;
CREATE POLICY api_reply_of_agency ON api_reply AS RESTRICTIVE FOR ALL TO PUBLIC USING (saoy_agency() IS NULL OR EXISTS (SELECT FROM api_client c WHERE c.id = api_reply.client));
CREATE POLICY api_reply_office ON api_reply FOR ALL TO saoy_office USING (saoy_agency() IS NOT NULL);
CREATE POLICY api_reply_all ON api_reply FOR ALL TO saoy_worker, saoy_retention USING (true);

-- Old replies are the retention role's to delete; whose they are it must be able to ask.
GRANT SELECT ON api_client TO saoy_retention;

-- What belongs to a copy.
ALTER TABLE copy_private ENABLE ROW LEVEL SECURITY;
CREATE POLICY copy_private_of_agency ON copy_private AS RESTRICTIVE FOR ALL TO PUBLIC USING (saoy_agency() IS NULL OR EXISTS (SELECT FROM copy c WHERE c.id = copy_private.copy));
CREATE POLICY copy_private_office ON copy_private FOR ALL TO saoy_office USING (saoy_agency() IS NOT NULL);
CREATE POLICY copy_private_all ON copy_private FOR ALL TO saoy_worker, saoy_retention USING (true);

ALTER TABLE scan ENABLE ROW LEVEL SECURITY;
CREATE POLICY scan_of_agency ON scan AS RESTRICTIVE FOR ALL TO PUBLIC USING (saoy_agency() IS NULL OR EXISTS (SELECT FROM copy c WHERE c.id = scan.copy));
CREATE POLICY scan_office ON scan FOR ALL TO saoy_office USING (saoy_agency() IS NOT NULL);
CREATE POLICY scan_all ON scan FOR ALL TO saoy_worker, saoy_retention USING (true);

ALTER TABLE generation ENABLE ROW LEVEL SECURITY;
CREATE POLICY generation_of_agency ON generation AS RESTRICTIVE FOR ALL TO PUBLIC USING (saoy_agency() IS NULL OR EXISTS (SELECT FROM copy c WHERE c.id = generation.copy));
CREATE POLICY generation_office ON generation FOR ALL TO saoy_office USING (saoy_agency() IS NOT NULL);
CREATE POLICY generation_all ON generation FOR ALL TO saoy_worker, saoy_retention USING (true);

ALTER TABLE artifact ENABLE ROW LEVEL SECURITY;
CREATE POLICY artifact_of_agency ON artifact AS RESTRICTIVE FOR ALL TO PUBLIC USING (saoy_agency() IS NULL OR EXISTS (SELECT FROM copy c WHERE c.id = artifact.copy));
CREATE POLICY artifact_office ON artifact FOR ALL TO saoy_office USING (saoy_agency() IS NOT NULL);
CREATE POLICY artifact_all ON artifact FOR ALL TO saoy_worker, saoy_retention USING (true);

ALTER TABLE state_file ENABLE ROW LEVEL SECURITY;
CREATE POLICY state_file_of_agency ON state_file AS RESTRICTIVE FOR ALL TO PUBLIC USING (saoy_agency() IS NULL OR EXISTS (SELECT FROM copy c WHERE c.id = state_file.copy));
CREATE POLICY state_file_office ON state_file FOR ALL TO saoy_office USING (saoy_agency() IS NOT NULL);
CREATE POLICY state_file_all ON state_file FOR ALL TO saoy_worker, saoy_retention USING (true);

ALTER TABLE file_key ENABLE ROW LEVEL SECURITY;
CREATE POLICY file_key_of_agency ON file_key AS RESTRICTIVE FOR ALL TO PUBLIC USING (saoy_agency() IS NULL OR EXISTS (SELECT FROM copy c WHERE c.id = file_key.copy));
CREATE POLICY file_key_office ON file_key FOR ALL TO saoy_office USING (saoy_agency() IS NOT NULL);
CREATE POLICY file_key_all ON file_key FOR ALL TO saoy_worker, saoy_retention USING (true);

ALTER TABLE annulment ENABLE ROW LEVEL SECURITY;
CREATE POLICY annulment_of_agency ON annulment AS RESTRICTIVE FOR ALL TO PUBLIC USING (saoy_agency() IS NULL OR EXISTS (SELECT FROM copy c WHERE c.id = annulment.copy));
CREATE POLICY annulment_office ON annulment FOR ALL TO saoy_office USING (saoy_agency() IS NOT NULL);
CREATE POLICY annulment_all ON annulment FOR ALL TO saoy_worker, saoy_retention USING (true);

ALTER TABLE refused_file ENABLE ROW LEVEL SECURITY;
CREATE POLICY refused_file_of_agency ON refused_file AS RESTRICTIVE FOR ALL TO PUBLIC USING (saoy_agency() IS NULL OR EXISTS (SELECT FROM copy c WHERE c.id = refused_file.copy));
CREATE POLICY refused_file_office ON refused_file FOR ALL TO saoy_office USING (saoy_agency() IS NOT NULL);
CREATE POLICY refused_file_all ON refused_file FOR ALL TO saoy_worker, saoy_retention USING (true);

ALTER TABLE doomed_object ENABLE ROW LEVEL SECURITY;
CREATE POLICY doomed_object_of_agency ON doomed_object AS RESTRICTIVE FOR ALL TO PUBLIC USING (saoy_agency() IS NULL OR EXISTS (SELECT FROM copy c WHERE c.id = doomed_object.copy));
CREATE POLICY doomed_object_office ON doomed_object FOR ALL TO saoy_office USING (saoy_agency() IS NOT NULL);
CREATE POLICY doomed_object_all ON doomed_object FOR ALL TO saoy_worker, saoy_retention USING (true);

ALTER TABLE erasure ENABLE ROW LEVEL SECURITY;
CREATE POLICY erasure_of_agency ON erasure AS RESTRICTIVE FOR ALL TO saoy_office, saoy_worker, saoy_retention USING (saoy_agency() IS NULL OR EXISTS (SELECT FROM copy c WHERE c.id = erasure.copy));
CREATE POLICY erasure_office ON erasure FOR ALL TO saoy_office USING (saoy_agency() IS NOT NULL);
CREATE POLICY erasure_all ON erasure FOR ALL TO saoy_worker, saoy_retention USING (true);

ALTER TABLE sharing_link ENABLE ROW LEVEL SECURITY;
CREATE POLICY sharing_link_of_agency ON sharing_link AS RESTRICTIVE FOR ALL TO saoy_office, saoy_worker, saoy_retention USING (saoy_agency() IS NULL OR EXISTS (SELECT FROM copy c WHERE c.id = sharing_link.copy));
CREATE POLICY sharing_link_office ON sharing_link FOR ALL TO saoy_office USING (saoy_agency() IS NOT NULL);
CREATE POLICY sharing_link_all ON sharing_link FOR ALL TO saoy_worker, saoy_retention, saoy_public USING (true);

ALTER TABLE request_private ENABLE ROW LEVEL SECURITY;
CREATE POLICY request_private_of_agency ON request_private AS RESTRICTIVE FOR ALL TO PUBLIC USING (saoy_agency() IS NULL OR EXISTS (SELECT FROM request r WHERE r.id = request_private.request));
CREATE POLICY request_private_office ON request_private FOR ALL TO saoy_office USING (saoy_agency() IS NOT NULL);
CREATE POLICY request_private_all ON request_private FOR ALL TO saoy_worker, saoy_retention USING (true);

ALTER TABLE link_opening ENABLE ROW LEVEL SECURITY;
CREATE POLICY link_opening_of_agency ON link_opening AS RESTRICTIVE FOR ALL TO saoy_office, saoy_worker, saoy_retention USING (saoy_agency() IS NULL OR EXISTS (SELECT FROM sharing_link l WHERE l.id = link_opening.link));
CREATE POLICY link_opening_office ON link_opening FOR ALL TO saoy_office USING (saoy_agency() IS NOT NULL);
CREATE POLICY link_opening_all ON link_opening FOR ALL TO saoy_worker, saoy_retention, saoy_public USING (true);

-- What everyone may know of erasures, whoever asks and for whom he works.
CREATE VIEW public_erasure AS SELECT copy, reason, decision_number, at FROM erasure;
GRANT SELECT ON public_erasure TO saoy_public, saoy_office, saoy_worker, saoy_retention;
