-- Adds what a chunk came to. Parameters: run id, day, enrichment, fingerprint, function, model, calls, input tokens,
-- output tokens, counting, credits, currency, price date, now.
MERGE INTO ops.ai_usage AS t
USING (
    SELECT
        CAST(? AS VARCHAR) AS run_id, CAST(? AS DATE) AS day, CAST(? AS VARCHAR) AS enrichment,
        CAST(? AS VARCHAR) AS fingerprint, CAST(? AS VARCHAR) AS function, CAST(? AS VARCHAR) AS model,
        CAST(? AS BIGINT) AS calls, CAST(? AS BIGINT) AS input_tokens, CAST(? AS BIGINT) AS output_tokens,
        CAST(? AS VARCHAR) AS counting, CAST(? AS DOUBLE) AS credits, CAST(? AS VARCHAR) AS currency,
        CAST(? AS DATE) AS price_date, CAST(? AS TIMESTAMP) AS asked_at
) AS s
ON t.run_id = s.run_id AND t.day = s.day AND t.enrichment = s.enrichment AND t.fingerprint = s.fingerprint
   AND t.function = s.function AND t.model = s.model
WHEN MATCHED THEN UPDATE SET
    calls = t.calls + s.calls,
    input_tokens = t.input_tokens + s.input_tokens,
    output_tokens = t.output_tokens + s.output_tokens,
    counting = CASE WHEN t.counting = s.counting THEN t.counting ELSE 'estimated' END,
    credits = t.credits + s.credits,
    currency = s.currency,
    price_date = s.price_date,
    asked_at = s.asked_at
WHEN NOT MATCHED THEN INSERT
    (run_id, day, enrichment, fingerprint, function, model, calls, input_tokens, output_tokens, counting, credits, currency, price_date, asked_at)
VALUES
    (s.run_id, s.day, s.enrichment, s.fingerprint, s.function, s.model, s.calls, s.input_tokens, s.output_tokens, s.counting, s.credits, s.currency, s.price_date, s.asked_at)
