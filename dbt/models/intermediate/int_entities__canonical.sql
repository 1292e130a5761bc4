-- A row for each entity: the displayed spelling, and the day of its first mention.
{{ config(materialized='table') }}

with spellings as (
    select entity_type, entity_key, entity, count(*) as mentions, min(day) as first_seen_day
    from {{ ref('int_entities__mentions') }}
    group by entity_type, entity_key, entity
),

ranked as (
    select
        entity_type,
        entity_key,
        entity,
        min(first_seen_day) over (partition by entity_type, entity_key) as first_seen_day,
        row_number() over (
            partition by entity_type, entity_key
            order by mentions desc, entity  -- breaks ties deterministically
        ) as place
    from spellings
),

final as (
    select entity_type, entity_key, entity, first_seen_day
    from ranked
    where place = 1
)

select * from final
