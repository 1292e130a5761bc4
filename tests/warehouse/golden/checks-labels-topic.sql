-- How often each label was given on each day in answer to the same question. Parameters: fingerprint, first day, last day.
SELECT items.day, coalesce(answers.topic, '(absent)') AS label, count(*) AS answers
FROM enriched.topic AS answers
INNER JOIN raw.items AS items ON items.id = answers.item_id
WHERE answers.fingerprint = ?
  AND items.day BETWEEN ? AND ?
GROUP BY items.day, coalesce(answers.topic, '(absent)')
ORDER BY items.day, coalesce(answers.topic, '(absent)')
