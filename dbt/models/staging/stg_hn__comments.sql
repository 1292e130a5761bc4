-- raw.comments with its keys named.
with source as (
    select * from {{ source('raw', 'comments') }}
),

final as (
    select
        id as comment_id,
        story_id as item_id,
        parent as parent_id,
        depth,
        status,
        nullif(trim(text), '') as text,
        author,
        posted_at,
        loaded_at
    from source
)

select * from final
