-- The accepted answers on who and what an item names.
with source as (
    select * from {{ source('enriched', 'entities_current') }}
),

final as (
    select
        item_id,
        companies,
        products,
        people,
        technologies,
        funding_amounts,
        model,
        enriched_at
    from source
)

select * from final
