-- A row for each day and sentiment.
with daily as (
    select day, sentiment, count(*) as stories, avg(cast(score as double)) as average_score
    from {{ ref('stories') }}
    where status = 'ok' and sentiment is not null
    group by day, sentiment
),

final as (
    select
        day,
        sentiment,
        cast(stories as bigint) as stories,
        cast(stories as double) / sum(stories) over (partition by day) as share,
        average_score
    from daily
)

select * from final
