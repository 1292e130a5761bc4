-- What a page says of its article in a sentence (its meta description), and the name of its site; NULL where it says none.
ALTER TABLE raw.articles ADD COLUMN IF NOT EXISTS description VARCHAR;

ALTER TABLE raw.articles ADD COLUMN IF NOT EXISTS site_name VARCHAR;
