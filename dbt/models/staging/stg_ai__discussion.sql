-- The accepted answers on what the commenters of an item say.
with source as (
    select * from {{ source('enriched', 'discussion_current') }}
),

final as (
    select
        item_id,
        agreement,
        disagreement,
        tone,
        model,
        enriched_at
    from source
)

select * from final
