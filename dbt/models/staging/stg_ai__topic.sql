-- The accepted answers on the topic of an item.
with source as (
    select * from {{ source('enriched', 'topic_current') }}
),

final as (
    select
        item_id,
        topic,
        model,
        enriched_at
    from source
)

select * from final
