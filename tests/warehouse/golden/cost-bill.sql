-- The bill by day and currency, from a day on: what was estimated and billed of the same answers, what was billed without one kept, and
-- what warehouses cost. What was billed for no partition counts on the day on which it ran. Parameter: the day, three times.
WITH answers AS (
    SELECT
        day, coalesce(currency, 'credits') AS currency, sum(credits) AS estimated,
        sum(CASE WHEN billed_credits IS NOT NULL THEN credits END) AS estimated_of_billed,
        sum(billed_credits) AS billed
    FROM ops.ai_usage
    WHERE day >= CAST(? AS DATE)
    GROUP BY 1, 2
),
ai AS (
    SELECT coalesce(day, CAST(started_at AS DATE)) AS day, sum(credits) AS credits
    FROM ops.ai_billed
    WHERE coalesce(day, CAST(started_at AS DATE)) >= CAST(? AS DATE)
    GROUP BY 1
),
compute AS (
    SELECT coalesce(day, used_on) AS day, sum(credits) AS credits
    FROM ops.compute_billed
    WHERE coalesce(day, used_on) >= CAST(? AS DATE)
    GROUP BY 1
),
days AS (
    SELECT day, currency FROM answers
    UNION SELECT day, 'credits' FROM ai
    UNION SELECT day, 'credits' FROM compute
)
SELECT
    days.day, days.currency, coalesce(answers.estimated, 0) AS estimated,
    coalesce(answers.estimated_of_billed, 0) AS estimated_of_billed, coalesce(answers.billed, 0) AS billed,
    CASE WHEN days.currency = 'credits' THEN coalesce(ai.credits, 0) - coalesce(answers.billed, 0) ELSE 0 END AS without_answers, coalesce(compute.credits, 0) AS compute
FROM days
LEFT JOIN answers ON days.day = answers.day AND days.currency = answers.currency
LEFT JOIN ai ON days.day = ai.day AND days.currency = 'credits'
LEFT JOIN compute ON days.day = compute.day AND days.currency = 'credits'
ORDER BY days.day, CASE WHEN days.currency = 'credits' THEN 0 ELSE 1 END, days.currency
