CREATE TABLE IF NOT EXISTS ops.schema_versions (
    version     BIGINT NOT NULL PRIMARY KEY,
    name        VARCHAR NOT NULL,
    applied_at  TIMESTAMP NOT NULL
)
