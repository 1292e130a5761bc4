-- A condition on raw.comments: those below the stories of a day. Parameter: the first day whose text is kept.
text IS NOT NULL AND story_id IN (SELECT id FROM raw.items WHERE day < ?)
