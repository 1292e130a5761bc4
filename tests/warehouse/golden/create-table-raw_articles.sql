CREATE TABLE IF NOT EXISTS raw.articles (
    canonical_url  VARCHAR NOT NULL PRIMARY KEY,
    url            VARCHAR NOT NULL,
    status         VARCHAR NOT NULL,
    reason         VARCHAR,
    http_status    BIGINT,
    content_type   VARCHAR,
    title          VARCHAR,
    author         VARCHAR,
    published_on   DATE,
    language       VARCHAR,
    text           VARCHAR,
    text_hash      VARCHAR,
    attempts       BIGINT NOT NULL,
    retry_at       TIMESTAMP,
    run_id         VARCHAR NOT NULL,
    fetched_at     TIMESTAMP NOT NULL
)
