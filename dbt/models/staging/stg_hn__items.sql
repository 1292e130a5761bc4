-- raw.items with a named key, and null in place of empty texts.
with source as (
    select * from {{ source('raw', 'items') }}
),

final as (
    select
        id as item_id,
        day,
        type,
        status,
        nullif(trim(title), '') as title,
        nullif(url, '') as url,
        canonical_url,
        nullif(domain, '') as domain,
        nullif(trim(text), '') as text,
        author,
        score,
        comments,
        parent as parent_id,
        posted_at,
        loaded_at
    from source
)

select * from final
