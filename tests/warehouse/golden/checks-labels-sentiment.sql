-- How often each label was given on each day in answer to the same question. Parameters: fingerprint, first day, last day.
SELECT items.day, coalesce(answers.sentiment, '(absent)') AS label, count(*) AS answers
FROM enriched.sentiment AS answers
INNER JOIN raw.items AS items ON items.id = answers.item_id
WHERE answers.fingerprint = ?
  AND items.day BETWEEN ? AND ?
GROUP BY items.day, coalesce(answers.sentiment, '(absent)')
ORDER BY items.day, coalesce(answers.sentiment, '(absent)')
