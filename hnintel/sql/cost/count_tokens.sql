-- What was asked and answered, and how many tokens that was: as whoever is paid counted them, else about.
-- The answers are in a table, so none is asked twice. `usage` reads what was counted; without it all is estimated.
-- An engine that cannot believe what it was told estimates the tokens itself, and says so.
-- Where no text could be made of an item's many (`is_undigested`), there was nothing to ask, and nothing is paid for it.
{% set counted = usage | default({"input": "NULL", "output": "NULL", "estimated": "FALSE"}) %}
SELECT
    item_id,
    input_hash,
    input_cut,
    answer,
    digest_read,
    input IS NULL AS is_undigested,
    CASE WHEN digest_read > 0 THEN coalesce({{ tokens('input') }}, 0) ELSE 0 END AS digest_written,
    CASE WHEN input IS NULL THEN 0 ELSE
        coalesce({{ counted.input }}, {{ reads }})
    END AS input_tokens,
    CASE WHEN input IS NULL THEN 0 ELSE
        coalesce({{ counted.output }}, {{ writes }}, 0)
    END AS output_tokens,
    {{ counted.input }} IS NOT NULL AND {{ counted.output }} IS NOT NULL
        AND NOT coalesce({{ counted.estimated }}, FALSE) AS is_counted
FROM asked
