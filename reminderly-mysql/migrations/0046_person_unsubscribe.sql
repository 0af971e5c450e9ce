CREATE OR REPLACE SQL SECURITY INVOKER VIEW person_unsubscribe AS
SELECT refusals.company_id, JSON_VALUE(said.event, '$.key.value') AS person, refusals.at AS since
FROM refusals
JOIN unsubscribe_events AS said ON said.number = (
    SELECT MAX(latest.number) FROM unsubscribe_events AS latest
    WHERE latest.company_id = refusals.company_id AND latest.digest = refusals.digest
)
WHERE refusals.opted_out AND said.kind = 'person'
