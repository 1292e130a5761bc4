-- What a page says of its article in a sentence (its meta description), and the name of its site; NULL where it says none.
ALTER TABLE raw.articles ADD COLUMN IF NOT EXISTS description VARCHAR;

ALTER TABLE raw.articles ADD COLUMN IF NOT EXISTS site_name VARCHAR;

-- The address that a page declares as its own (rel=canonical), as a key; NULL where it declares none.
ALTER TABLE raw.articles ADD COLUMN IF NOT EXISTS declared_url VARCHAR;

-- Addresses that were found to be other ones of an article: one row each, with the article's key.
CREATE TABLE IF NOT EXISTS raw.article_keys (
    alias          VARCHAR NOT NULL PRIMARY KEY,
    canonical_url  VARCHAR NOT NULL,
    run_id         VARCHAR NOT NULL,
    loaded_at      TIMESTAMP NOT NULL
);
