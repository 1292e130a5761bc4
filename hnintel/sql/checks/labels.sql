-- How often each label was given on each day in answer to the same question. Parameters: fingerprint, first day, last day.
SELECT items.day, {{ label }} AS label, count(*) AS answers
FROM {{ table }} AS answers
INNER JOIN raw.items AS items ON items.id = answers.item_id
WHERE answers.fingerprint = ?
  AND items.day BETWEEN ? AND ?
GROUP BY items.day, {{ label }}
ORDER BY items.day, {{ label }}
