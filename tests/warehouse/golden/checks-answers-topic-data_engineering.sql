-- How many answers to a question a day has, and how many of them are at fault. Answers to an earlier question, which the
-- view shows until it is asked anew, made other promises. Parameters: fingerprint, day.
SELECT count(*) AS answers, count(CASE WHEN topic NOT IN ('ai', 'data_engineering', 'databases', 'programming', 'systems', 'security', 'web', 'cloud_devops', 'hardware', 'science', 'startups', 'policy', 'careers', 'culture', 'other') THEN 1 END) AS at_fault
FROM enriched.topic
WHERE fingerprint = ?
  AND item_id IN (SELECT id FROM raw.items WHERE day = ?)
