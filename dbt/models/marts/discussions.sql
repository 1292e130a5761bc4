-- One row a live story whose comments were read and digested.
{{ config(materialized='view') }}

with stories as (
    select item_id, day from {{ ref('stories') }}
    where status = 'ok'
),

discussion as (
    select item_id, agreement, disagreement, tone from {{ ref('stg_ai__discussion') }}
),

final as (
    select
        stories.item_id,
        stories.day,
        discussion.agreement,
        discussion.disagreement,
        discussion.tone
    from stories
    inner join discussion on stories.item_id = discussion.item_id
)

select * from final
