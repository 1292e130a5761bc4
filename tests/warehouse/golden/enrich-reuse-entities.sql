-- Gives the items of a day whose text another item has an answer for, and they have not, that answer. Only items between
-- two ids are looked at: hashes are in no order, and to read all of a grown table would take longer than all else.
-- Parameters: day, fingerprint, run id, now, fingerprint, least id, greatest id.
MERGE INTO enriched.entities AS t
USING (
-- The texts that an enrichment is asked about, of the items of a day worth asking about: `whole` has one row an item. Begins a WITH. Parameter: day.
WITH worth AS (
    SELECT id, title, text, canonical_url
    FROM raw.items
    WHERE day = ?
      AND status = 'ok'
      AND title IS NOT NULL
      AND (type IN ('story', 'job', 'poll'))
),
parts AS (
    -- Where a site sent a wall in place of the article, what the page says of the article and the first comments stand in
    -- for it. A description that another page of the site has too is the site's, and left out.
    WITH walled AS (
        SELECT worth.id AS item_id, worth.text, articles.canonical_url, articles.description
        FROM worth
        INNER JOIN raw.articles AS articles
            ON articles.canonical_url = worth.canonical_url AND articles.status = 'walled'
    ),
    shared AS (
        SELECT DISTINCT walled.canonical_url
        FROM walled
        INNER JOIN raw.articles AS other
            ON other.description = walled.description
           AND split_part(other.canonical_url, '/', 3) = split_part(walled.canonical_url, '/', 3)
        WHERE other.canonical_url <> walled.canonical_url
    ),
    early AS (
        SELECT comments.story_id AS item_id, comments.id, comments.text
        FROM walled
        INNER JOIN raw.comments AS comments
            ON comments.story_id = walled.item_id AND comments.depth = 1
           AND comments.status = 'ok' AND comments.text IS NOT NULL
        QUALIFY row_number() OVER (PARTITION BY comments.story_id ORDER BY comments.id) <= 10
    ),
    said AS (
        SELECT walled.item_id, 0 AS place, walled.description AS text
        FROM walled
        LEFT JOIN shared ON shared.canonical_url = walled.canonical_url
        WHERE shared.canonical_url IS NULL AND walled.description IS NOT NULL
        UNION ALL
        SELECT item_id, 1, text FROM walled WHERE text IS NOT NULL
        UNION ALL
        SELECT item_id, id, 'Comment: ' || left(text, 1000) FROM early
    ),
    around AS (
        SELECT item_id, LISTAGG(chr(10) || chr(10) || text, '') WITHIN GROUP (ORDER BY place) AS text
        FROM said
        GROUP BY item_id
    )
    SELECT
        worth.id AS item_id,
        worth.title || coalesce(chr(10) || chr(10) || articles.text, around.text, chr(10) || chr(10) || worth.text, '') AS part
    FROM worth
    LEFT JOIN raw.articles AS articles
        ON articles.canonical_url = worth.canonical_url AND articles.status = 'ok'
    LEFT JOIN around ON around.item_id = worth.id
),
whole AS (
    SELECT
        item_id,
        left(part, 8000) AS input,
        md5(left(part, 8000)) AS input_hash,
        length(part) > 8000 AS input_cut
    FROM parts
)
,
due AS (
    SELECT whole.item_id, whole.input_hash, whole.input_cut
    FROM whole
    LEFT JOIN enriched.entities AS own ON own.item_id = whole.item_id AND own.fingerprint = ?
    WHERE own.item_id IS NULL OR own.input_hash <> whole.input_hash
)
    SELECT
        due.item_id, given.fingerprint, given.companies, given.products, given.people, given.technologies, given.funding_amounts, due.input_hash, due.input_cut,
        given.model, CAST(? AS VARCHAR) AS run_id, CAST(? AS TIMESTAMP) AS enriched_at
    FROM due
    INNER JOIN enriched.entities AS given ON given.input_hash = due.input_hash
    WHERE given.fingerprint = ? AND given.item_id BETWEEN ? AND ?
    QUALIFY row_number() OVER (PARTITION BY due.item_id ORDER BY given.item_id) = 1
) AS s
ON t.item_id = s.item_id AND t.fingerprint = s.fingerprint
WHEN MATCHED THEN UPDATE SET
    companies = s.companies,
    products = s.products,
    people = s.people,
    technologies = s.technologies,
    funding_amounts = s.funding_amounts,
    input_hash = s.input_hash,
    input_cut = s.input_cut,
    model = s.model,
    run_id = s.run_id,
    enriched_at = s.enriched_at
WHEN NOT MATCHED THEN INSERT
    (item_id, fingerprint, companies, products, people, technologies, funding_amounts, input_hash, input_cut, model, run_id, enriched_at)
VALUES
    (s.item_id, s.fingerprint, s.companies, s.products, s.people, s.technologies, s.funding_amounts, s.input_hash, s.input_cut, s.model, s.run_id, s.enriched_at)
