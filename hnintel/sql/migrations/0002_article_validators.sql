-- What a site gave to ask by whether an article has changed since (RFC 9110, 8.8); NULL where it gave none.
ALTER TABLE raw.articles ADD COLUMN etag VARCHAR;

ALTER TABLE raw.articles ADD COLUMN last_modified VARCHAR;
