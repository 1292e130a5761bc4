-- How many ids a day has, and how many rows there are too many of them, on whichever day those are. Parameters: day.
SELECT count(*) AS ids, coalesce(sum(copies - 1), 0) AS too_many
FROM (
    SELECT id, count(*) AS copies
    FROM raw.comments
    WHERE story_id IN (SELECT id FROM raw.items WHERE day = ?)
    GROUP BY id
) AS by_id
