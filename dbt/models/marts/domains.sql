-- A row for each day and linked domain.
{{ config(
    materialized='incremental',
    incremental_strategy='replace_days',
    on_schema_change='fail',
    meta={'window_days': 30},
) }}

with stories as (
    select
        item_id,
        day,
        domain,
        coalesce(score, 0) as points,
        coalesce(comments, 0) as comments,
        row_number() over (
            partition by day, domain
            order by coalesce(score, 0) desc, item_id  -- of equal stories the first posted
        ) as place
    from {{ ref('stories') }}
    where status = 'ok' and domain is not null and {{ days_to_read() }}
),

daily as (
    select
        day,
        domain,
        count(*) as stories,
        sum(points) as points,
        sum(comments) as comments,
        max(case when place = 1 then item_id end) as best_item_id
    from stories
    group by day, domain
),

windows as (
    select
        day,
        domain,
        stories,
        points,
        comments,
        best_item_id,
        -- RANGE counts calendar days; ROWS would count only days that have a row.
        sum(stories) over (
            partition by domain order by day
            range between interval '29 days' preceding and current row
        ) as stories_30d
    from daily
),

final as (
    select
        day,
        domain,
        cast(stories as bigint) as stories,
        cast(points as bigint) as points,
        cast(comments as bigint) as comments,
        cast(stories_30d as bigint) as stories_30d,
        best_item_id
    from windows
    where {{ days_to_build() }}
)

select * from final
