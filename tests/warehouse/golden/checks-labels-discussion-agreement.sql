-- How often each label was given on each day in answer to the same question. Parameters: fingerprint, first day, last day.
SELECT items.day, CASE WHEN answers.agreement IS NULL THEN '(absent)' END AS label, count(*) AS answers
FROM enriched.discussion AS answers
INNER JOIN raw.items AS items ON items.id = answers.item_id
WHERE answers.fingerprint = ?
  AND items.day BETWEEN ? AND ?
GROUP BY items.day, CASE WHEN answers.agreement IS NULL THEN '(absent)' END
ORDER BY items.day, CASE WHEN answers.agreement IS NULL THEN '(absent)' END
