-- The first shape of the warehouse: what was read (raw), what was answered (enriched), and the ledger (ops).
-- Times are UTC without a zone. Keys are declared for both engines; DuckDB holds them, Snowflake only records them.

CREATE SCHEMA IF NOT EXISTS raw;

CREATE SCHEMA IF NOT EXISTS enriched;

CREATE SCHEMA IF NOT EXISTS ops;

-- One row an item of a listed day: stories, jobs, polls and poll options. Comments have a table of their own.
CREATE TABLE IF NOT EXISTS raw.items (
    id             BIGINT NOT NULL PRIMARY KEY,
    day            DATE NOT NULL,      -- the business day that listed it
    type           VARCHAR,            -- story, job, poll, pollopt; NULL where the source answered null
    status         VARCHAR NOT NULL,   -- ok, dead, deleted, null
    title          VARCHAR,
    url            VARCHAR,            -- as posted
    canonical_url  VARCHAR,            -- key into raw.articles; NULL where there is nothing to fetch
    domain         VARCHAR,            -- registrable host of the url, without www.
    text           VARCHAR,            -- the item's own text, HTML taken out
    author         VARCHAR,
    score          BIGINT,
    comments       BIGINT,             -- as Hacker News counts them ("descendants")
    parent         BIGINT,             -- of a poll option: its poll
    posted_at      TIMESTAMP,
    source         VARCHAR NOT NULL,
    content_hash   VARCHAR NOT NULL,   -- of all the above; a row is rewritten only when it differs
    run_id         VARCHAR NOT NULL,
    loaded_at      TIMESTAMP NOT NULL
);

-- One row a comment below a story of a listed day, down to the set depth and number.
CREATE TABLE IF NOT EXISTS raw.comments (
    id             BIGINT NOT NULL PRIMARY KEY,
    story_id       BIGINT NOT NULL,
    parent         BIGINT,
    depth          BIGINT NOT NULL,    -- 1: an answer to the story itself
    status         VARCHAR NOT NULL,   -- ok, dead, deleted, null
    text           VARCHAR,
    author         VARCHAR,
    posted_at      TIMESTAMP,
    content_hash   VARCHAR NOT NULL,
    run_id         VARCHAR NOT NULL,
    loaded_at      TIMESTAMP NOT NULL
);

-- One row a canonical URL, so that reading an item again never destroys text.
CREATE TABLE IF NOT EXISTS raw.articles (
    canonical_url  VARCHAR NOT NULL PRIMARY KEY,
    url            VARCHAR NOT NULL,   -- as asked for
    status         VARCHAR NOT NULL,   -- ok, empty, gone, refused, too_large, wrong_type, retry_at, gave_up, no_pages
    reason         VARCHAR,            -- one line, where the status is not ok
    http_status    BIGINT,
    content_type   VARCHAR,
    title          VARCHAR,
    author         VARCHAR,
    published_on   DATE,
    language       VARCHAR,            -- ISO 639-1, where the page says it
    text           VARCHAR,
    text_hash      VARCHAR,
    attempts       BIGINT NOT NULL,
    retry_at       TIMESTAMP,
    run_id         VARCHAR NOT NULL,
    fetched_at     TIMESTAMP NOT NULL
);

-- Score, comments and rank over time; appended to when one of them has moved.
CREATE TABLE IF NOT EXISTS raw.item_snapshots (
    id             BIGINT NOT NULL,
    taken_at       TIMESTAMP NOT NULL,
    score          BIGINT,
    comments       BIGINT,
    rank           BIGINT,
    run_id         VARCHAR NOT NULL,
    PRIMARY KEY (id, taken_at)
);

-- One row a day and wording of the question; its claims cite stories of that day.
CREATE TABLE IF NOT EXISTS enriched.briefings (
    day            DATE NOT NULL,
    fingerprint    VARCHAR NOT NULL,
    input_hash     VARCHAR NOT NULL,
    claims         VARCHAR NOT NULL,   -- JSON: [{"section", "text", "ids"}]
    stories        BIGINT NOT NULL,    -- how many were analysed
    text           VARCHAR NOT NULL,   -- Markdown
    model          VARCHAR NOT NULL,
    run_id         VARCHAR NOT NULL,
    written_at     TIMESTAMP NOT NULL,
    PRIMARY KEY (day, fingerprint)
);

-- The truth about what is done: one row a day and stage.
CREATE TABLE IF NOT EXISTS ops.partitions (
    day            DATE NOT NULL,
    stage          VARCHAR NOT NULL,
    status         VARCHAR NOT NULL,   -- running, complete, partial, failed
    row_count      BIGINT,
    fingerprint    VARCHAR,
    run_id         VARCHAR NOT NULL,
    attempts       BIGINT NOT NULL,
    started_at     TIMESTAMP NOT NULL,
    finished_at    TIMESTAMP,
    error          VARCHAR,
    PRIMARY KEY (day, stage)
);

CREATE TABLE IF NOT EXISTS ops.runs (
    run_id         VARCHAR NOT NULL PRIMARY KEY,
    day            DATE NOT NULL,
    source         VARCHAR NOT NULL,
    status         VARCHAR NOT NULL,   -- running, complete, partial, failed
    started_at     TIMESTAMP NOT NULL,
    finished_at    TIMESTAMP,
    summary        VARCHAR             -- JSON, as `flows/main.py --json` prints it
);

-- What could not be taken, with enough to try it again.
CREATE TABLE IF NOT EXISTS ops.dead_letters (
    stage          VARCHAR NOT NULL,   -- items, articles, enrich:<name>
    key            VARCHAR NOT NULL,   -- item id or URL
    fingerprint    VARCHAR NOT NULL,   -- '' where the stage has none
    day            DATE NOT NULL,
    reason         VARCHAR NOT NULL,
    input_hash     VARCHAR,
    attempts       BIGINT NOT NULL,
    first_seen     TIMESTAMP NOT NULL,
    last_seen      TIMESTAMP NOT NULL,
    run_id         VARCHAR NOT NULL,
    PRIMARY KEY (stage, key, fingerprint)
);

-- What was asked and what it came to: one row a run, day, enrichment, function and model.
CREATE TABLE IF NOT EXISTS ops.ai_usage (
    run_id         VARCHAR NOT NULL,
    day            DATE NOT NULL,
    enrichment     VARCHAR NOT NULL,
    fingerprint    VARCHAR NOT NULL,
    function       VARCHAR NOT NULL,
    model          VARCHAR NOT NULL,
    calls          BIGINT NOT NULL,
    input_tokens   BIGINT NOT NULL,
    output_tokens  BIGINT NOT NULL,
    counting       VARCHAR NOT NULL,   -- counted, estimated
    credits        DOUBLE NOT NULL,
    asked_at       TIMESTAMP NOT NULL
);

CREATE TABLE IF NOT EXISTS ops.checks (
    run_id         VARCHAR NOT NULL,
    day            DATE NOT NULL,
    name           VARCHAR NOT NULL,
    blocking       BOOLEAN NOT NULL,
    passed         BOOLEAN NOT NULL,
    detail         VARCHAR,
    checked_at     TIMESTAMP NOT NULL
);
