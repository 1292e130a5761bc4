-- The lines each section of a briefing is asked over. Parameters: day, day.
WITH lines AS (
    SELECT
        item_id,
        '[' || CAST(item_id AS VARCHAR) || '] ' || title
        || CASE WHEN rtrim(lower(takeaway), '.!? ') <> rtrim(lower(title), '.!? ') THEN ' — ' || takeaway ELSE '' END AS line
    FROM marts.stories
    WHERE day = ? AND status = 'ok' AND title IS NOT NULL
),
-- Names that are mentioned more in the last seven days than in the seven before, and by more than one story.
rising AS (
    SELECT DISTINCT mentions.item_id
    FROM staging.int_entities__mentions AS mentions
    INNER JOIN marts.entity_trends AS trends
        ON trends.day = mentions.day
       AND trends.entity_type = mentions.entity_type
       AND lower(trends.entity) = mentions.entity_key
    WHERE mentions.day = ?
      AND trends.entity_type <> 'funding_amount'
      AND trends.mentions_7d >= 2
      AND trends.mentions_7d > trends.mentions_previous_7d
)
SELECT 'themes' AS section, item_id, line FROM lines
UNION ALL
SELECT 'launches' AS section, item_id, line FROM lines
UNION ALL
SELECT 'trends' AS section, lines.item_id, lines.line
FROM lines
INNER JOIN rising ON rising.item_id = lines.item_id
ORDER BY section, item_id
