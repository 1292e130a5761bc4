-- A condition on raw.items. Parameter: the first day whose text is kept.
text IS NOT NULL AND day < ?
