DROP TABLE IF EXISTS incoming_1_text
