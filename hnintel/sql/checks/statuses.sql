-- How many rows of a day have each status. Parameters: day.
SELECT status, count(*) AS rows_of_day
FROM raw.{{ table }}
{% if table == "items" %}
WHERE day = ?
{% else %}
WHERE story_id IN (SELECT id FROM raw.items WHERE day = ?)
{% endif %}
GROUP BY status
ORDER BY status
