-- The answer that is shown of each item: to the question as it is now, else the latest to an earlier one, so that
-- nothing is lost from sight while a new question is being asked. Nearly all rows come by the first half, which is cheap.
CREATE OR REPLACE VIEW enriched.sentiment_current AS
SELECT item_id, fingerprint, sentiment, input_hash, input_cut, model, run_id, enriched_at
FROM enriched.sentiment
WHERE fingerprint = '0d82a87b4d38496c157d9bfcc961f784'
UNION ALL
SELECT item_id, fingerprint, sentiment, input_hash, input_cut, model, run_id, enriched_at
FROM (
    SELECT old.*
    FROM enriched.sentiment AS old
    WHERE old.fingerprint <> '0d82a87b4d38496c157d9bfcc961f784'
      AND NOT EXISTS (
          SELECT 1 FROM enriched.sentiment AS now WHERE now.item_id = old.item_id AND now.fingerprint = '0d82a87b4d38496c157d9bfcc961f784'
      )
    QUALIFY row_number() OVER (PARTITION BY old.item_id ORDER BY old.enriched_at DESC, old.fingerprint) = 1
) AS earlier
