CREATE OR REPLACE TEMPORARY TABLE incoming_1 AS SELECT item_id, CAST(PARSE_JSON(companies) AS ARRAY) AS companies FROM incoming_1_text
