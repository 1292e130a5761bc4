-- How far the listing of each day is proven to be complete: one row a day and source, of its last listing.
CREATE TABLE IF NOT EXISTS ops.listings (
    day            DATE NOT NULL,
    source         VARCHAR NOT NULL,   -- as the user named it: live, sample, replay:PATH
    proof          VARCHAR NOT NULL,   -- whole, sampled, unproven
    looked_for     BIGINT NOT NULL,    -- live stories that were looked for and found; 0 unless sampled
    reason         VARCHAR NOT NULL,   -- one line, may be empty
    listed         BIGINT NOT NULL,    -- stories, jobs and polls of the day that were stored, or wait in the dead letters
    starts_at      TIMESTAMP NOT NULL, -- the window that was listed
    ends_at        TIMESTAMP NOT NULL,
    run_id         VARCHAR NOT NULL,
    listed_at      TIMESTAMP NOT NULL,
    PRIMARY KEY (day, source)
);

-- Stories whose time Hacker News moved: the day that first listed one keeps it; one row a later day that lists it again.
CREATE TABLE IF NOT EXISTS raw.listed_again (
    id             BIGINT NOT NULL,
    day            DATE NOT NULL,      -- the later day
    first_day      DATE NOT NULL,      -- the day that keeps the story
    run_id         VARCHAR NOT NULL,
    listed_at      TIMESTAMP NOT NULL,
    PRIMARY KEY (id, day)
);
