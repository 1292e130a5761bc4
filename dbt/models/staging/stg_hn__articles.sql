-- raw.articles without its bookkeeping.
with source as (
    select * from {{ source('raw', 'articles') }}
),

final as (
    select
        canonical_url,
        url,
        status,
        reason,
        nullif(trim(title), '') as title,
        author,
        published_on,
        language,
        text,
        description,
        site_name,
        fetched_at
    from source
)

select * from final
