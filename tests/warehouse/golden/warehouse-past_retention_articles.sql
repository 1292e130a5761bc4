-- A condition on raw.articles: no story of a day that is kept names it. Parameter: the first day whose text is kept.
(text IS NOT NULL OR description IS NOT NULL) AND canonical_url NOT IN (
    SELECT canonical_url FROM raw.items WHERE canonical_url IS NOT NULL AND day >= ?
)
