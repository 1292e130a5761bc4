-- A row for each day and mentioned entity, with counts of its last seven calendar days and the seven before them.
{{ config(
    materialized='incremental',
    incremental_strategy='replace_days',
    on_schema_change='fail',
    meta={'window_days': 14},
) }}

with mentions as (
    select * from {{ ref('int_entities__mentions') }}
    where {{ days_to_read() }}
),

daily as (
    select day, entity_type, entity_key, count(*) as mentions, sum(points) as points
    from mentions
    group by day, entity_type, entity_key
),

windows as (
    select
        day,
        entity_type,
        entity_key,
        mentions,
        points,
        -- RANGE counts calendar days; ROWS would count only days that have a row.
        sum(mentions) over (
            partition by entity_type, entity_key order by day
            range between interval '6 days' preceding and current row
        ) as mentions_7d,
        sum(mentions) over (
            partition by entity_type, entity_key order by day
            range between interval '13 days' preceding and interval '7 days' preceding
        ) as mentions_previous_7d
    from daily
),

final as (
    select
        day,
        entity_type,
        entity_key,
        cast(mentions as bigint) as mentions,
        cast(points as bigint) as points,
        cast(mentions_7d as bigint) as mentions_7d,
        cast(coalesce(mentions_previous_7d, 0) as bigint) as mentions_previous_7d
    from windows
    where {{ days_to_build() }}
)

select * from final
