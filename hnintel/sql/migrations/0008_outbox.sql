-- What is to be announced, committed with the data it speaks of, and emitted after the commit: at least once.
CREATE TABLE IF NOT EXISTS ops.outbox (
    id             VARCHAR NOT NULL PRIMARY KEY,  -- a uuid5 of the fact: the event's id
    event          VARCHAR NOT NULL,              -- its name; docs/reference/events.md has the payloads
    resource       VARCHAR NOT NULL,
    payload        VARCHAR NOT NULL,              -- JSON
    occurred_at    TIMESTAMP NOT NULL,
    emitted_at     TIMESTAMP                      -- NULL until the server had it
);
