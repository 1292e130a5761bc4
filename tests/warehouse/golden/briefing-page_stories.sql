-- The stories that the page of a day shows, with what their discussions came to. Parameter: day.
SELECT
    s.item_id, s.title, s.url, s.domain, s.kind, s.author, s.score, s.comments, s.topic, s.sentiment, s.takeaway,
    d.agreement, d.disagreement, d.tone, s.wall
FROM marts.stories AS s
LEFT JOIN marts.discussions AS d ON d.item_id = s.item_id
WHERE s.day = ? AND s.status = 'ok' AND s.title IS NOT NULL
ORDER BY s.item_id
