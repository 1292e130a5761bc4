-- The answer that is shown of each item: to the question as it is now, else the latest to an earlier one, so that
-- nothing is lost from sight while a new question is being asked. Nearly all rows come by the first half, which is cheap.
CREATE OR REPLACE VIEW enriched.discussion_current AS
SELECT item_id, fingerprint, agreement, disagreement, tone, input_hash, input_cut, model, run_id, enriched_at
FROM enriched.discussion
WHERE fingerprint = '97ad3b29f5fe6d5d2143d5d41d6b5c8c'
UNION ALL
SELECT item_id, fingerprint, agreement, disagreement, tone, input_hash, input_cut, model, run_id, enriched_at
FROM (
    SELECT old.*
    FROM enriched.discussion AS old
    WHERE old.fingerprint <> '97ad3b29f5fe6d5d2143d5d41d6b5c8c'
      AND NOT EXISTS (
          SELECT 1 FROM enriched.discussion AS now WHERE now.item_id = old.item_id AND now.fingerprint = '97ad3b29f5fe6d5d2143d5d41d6b5c8c'
      )
    QUALIFY row_number() OVER (PARTITION BY old.item_id ORDER BY old.enriched_at DESC, old.fingerprint) = 1
) AS earlier
