-- The accepted answers on what to remember of an item.
with source as (
    select * from {{ source('enriched', 'takeaway_current') }}
),

final as (
    select
        item_id,
        takeaway,
        model,
        enriched_at
    from source
)

select * from final
