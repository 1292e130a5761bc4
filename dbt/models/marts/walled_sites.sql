-- One row a site and kind of page that it sends in place of articles.
with walled as (
    select canonical_url, reason as wall, fetched_at
    from {{ ref('stg_hn__articles') }}
    where status = 'walled'
),

sites as (
    select canonical_url, min(domain) as domain
    from {{ ref('stg_hn__items') }}
    where canonical_url is not null and domain is not null
    group by canonical_url
),

final as (
    select
        sites.domain,
        walled.wall,
        cast(count(*) as bigint) as pages,
        min(walled.fetched_at) as first_seen_at,
        max(walled.fetched_at) as last_seen_at
    from walled
    inner join sites on walled.canonical_url = sites.canonical_url
    group by sites.domain, walled.wall
)

select * from final
