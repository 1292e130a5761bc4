-- How many rows of a day have each status. Parameters: day.
SELECT status, count(*) AS rows_of_day
FROM raw.comments
WHERE story_id IN (SELECT id FROM raw.items WHERE day = ?)
GROUP BY status
ORDER BY status
