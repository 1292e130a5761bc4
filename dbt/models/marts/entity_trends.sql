-- A row for each day and mentioned entity.
{{ config(materialized='view') }}

with daily as (
    select * from {{ ref('int_entities__daily') }}
),

canonical as (
    select * from {{ ref('int_entities__canonical') }}
),

final as (
    select
        daily.day,
        daily.entity_type,
        canonical.entity,
        daily.mentions,
        daily.points,
        daily.mentions_7d,
        daily.mentions_previous_7d,
        canonical.first_seen_day,
        daily.day = canonical.first_seen_day as is_new
    from daily
    inner join canonical
        on daily.entity_type = canonical.entity_type and daily.entity_key = canonical.entity_key
)

select * from final
