-- The live stories of earlier days whose time Hacker News moved to a day. Parameter: day.
SELECT i.title, i.score, a.first_day
FROM raw.listed_again AS a
INNER JOIN raw.items AS i ON i.id = a.id
WHERE a.day = ? AND i.status = 'ok' AND i.title IS NOT NULL
ORDER BY i.score DESC, i.id
