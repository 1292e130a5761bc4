CREATE TABLE IF NOT EXISTS raw.article_keys (
    alias          VARCHAR NOT NULL PRIMARY KEY,
    canonical_url  VARCHAR NOT NULL,
    run_id         VARCHAR NOT NULL,
    loaded_at      TIMESTAMP NOT NULL
)
