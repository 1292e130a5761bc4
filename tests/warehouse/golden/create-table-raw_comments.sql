CREATE TABLE IF NOT EXISTS raw.comments (
    id             BIGINT NOT NULL PRIMARY KEY,
    story_id       BIGINT NOT NULL,
    parent         BIGINT,
    depth          BIGINT NOT NULL,
    status         VARCHAR NOT NULL,
    text           VARCHAR,
    author         VARCHAR,
    posted_at      TIMESTAMP,
    content_hash   VARCHAR NOT NULL,
    run_id         VARCHAR NOT NULL,
    loaded_at      TIMESTAMP NOT NULL
)
