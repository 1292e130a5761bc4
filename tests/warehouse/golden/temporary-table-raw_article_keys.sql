CREATE OR REPLACE TEMPORARY TABLE incoming_1 AS SELECT alias, canonical_url, run_id, loaded_at FROM raw.article_keys WHERE FALSE
