-- The answer that is shown of each item: to the question as it is now, else the latest to an earlier one, so that
-- nothing is lost from sight while a new question is being asked. Nearly all rows come by the first half, which is cheap.
CREATE OR REPLACE VIEW enriched.topic_current AS
SELECT item_id, fingerprint, topic, input_hash, input_cut, model, run_id, enriched_at
FROM enriched.topic
WHERE fingerprint = '06a1bc442ad63dc6d1d83dfdc3ede614'
UNION ALL
SELECT item_id, fingerprint, topic, input_hash, input_cut, model, run_id, enriched_at
FROM (
    SELECT old.*
    FROM enriched.topic AS old
    WHERE old.fingerprint <> '06a1bc442ad63dc6d1d83dfdc3ede614'
      AND NOT EXISTS (
          SELECT 1 FROM enriched.topic AS now WHERE now.item_id = old.item_id AND now.fingerprint = '06a1bc442ad63dc6d1d83dfdc3ede614'
      )
    QUALIFY row_number() OVER (PARTITION BY old.item_id ORDER BY old.enriched_at DESC, old.fingerprint) = 1
) AS earlier
