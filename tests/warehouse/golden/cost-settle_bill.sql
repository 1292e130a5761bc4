-- Writes what was billed beside what was estimated: by run, day, enrichment, question, function, and model if one is named.
MERGE INTO ops.ai_usage AS t
USING (
    SELECT run_id, day, enrichment, fingerprint, function, model, sum(tokens) AS tokens, sum(credits) AS credits
    FROM ops.ai_billed
    GROUP BY run_id, day, enrichment, fingerprint, function, model
) AS s
ON t.run_id = s.run_id AND t.day = s.day AND t.enrichment = s.enrichment AND t.fingerprint = s.fingerprint
   AND upper(t.function) = s.function AND (s.model = '' OR lower(t.model) = s.model)
WHEN MATCHED THEN UPDATE SET
    billed_tokens = s.tokens,
    billed_credits = s.credits
