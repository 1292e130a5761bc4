-- The accepted answers on the sentiment of an item.
with source as (
    select * from {{ source('enriched', 'sentiment_current') }}
),

final as (
    select
        item_id,
        sentiment,
        model,
        enriched_at
    from source
)

select * from final
