-- What a site gave to ask by whether an article has changed since (RFC 9110, 8.8); NULL where it gave none.
ALTER TABLE raw.articles ADD COLUMN IF NOT EXISTS etag VARCHAR;

ALTER TABLE raw.articles ADD COLUMN IF NOT EXISTS last_modified VARCHAR;
