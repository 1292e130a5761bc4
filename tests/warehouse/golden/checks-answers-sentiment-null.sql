-- How many answers to a question a day has, and how many of them are at fault. Answers to an earlier question, which the
-- view shows until it is asked anew, made other promises. Parameters: fingerprint, day.
SELECT count(*) AS answers, count(CASE WHEN sentiment IS NULL THEN 1 END) AS at_fault
FROM enriched.sentiment
WHERE fingerprint = ?
  AND item_id IN (SELECT id FROM raw.items WHERE day = ?)
