-- One text an item of the many it has, NULL where AI_AGG fails (it has no error details to ask for), and
-- about how many tokens were read for it: the texts and what is asked of them.
SELECT
    item_id,
    input_hash,
    input_cut,
    AI_AGG(input, {{ task | literal }}) AS input,
    sum({{ tokens('input') }}) + max({{ tokens(task | literal) }}) AS digest_read
FROM pending
GROUP BY item_id, input_hash, input_cut
