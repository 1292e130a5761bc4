-- Articles with a text that may be one with an article that was read: by key, by what they declare, by the very same text.
-- Parameters: keys, keys, hashes of texts, as many as {{ counts }}.
{% macro marks(count) %}{% for _ in range(count) %}?{{ ", " if not loop.last }}{% endfor %}{% endmacro %}
SELECT canonical_url, text, declared_url
FROM raw.articles
WHERE status = 'ok'
  AND text IS NOT NULL
  AND (canonical_url IN ({{ marks(counts[0]) }})
       OR declared_url IN ({{ marks(counts[1]) }})
       OR text_hash IN ({{ marks(counts[2]) }}))
ORDER BY fetched_at, canonical_url
