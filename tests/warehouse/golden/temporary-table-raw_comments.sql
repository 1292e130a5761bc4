CREATE OR REPLACE TEMPORARY TABLE incoming_2 AS SELECT id, story_id, parent, depth, status, text, author, posted_at, content_hash, run_id, loaded_at FROM raw.comments WHERE FALSE
