-- A row for each site and kind of page that it sends in place of articles.
with walled as (
    select canonical_url, reason as wall
    from {{ ref('stg_hn__articles') }}
    where status = 'walled'
),

sites as (
    select canonical_url, min(domain) as domain, min(day) as first_day, max(day) as last_day
    from {{ ref('stg_hn__items') }}
    where canonical_url is not null and domain is not null
    group by canonical_url
),

final as (
    select
        sites.domain,
        walled.wall,
        cast(count(*) as bigint) as pages,
        min(sites.first_day) as first_day,
        max(sites.last_day) as last_day
    from walled
    inner join sites on walled.canonical_url = sites.canonical_url
    group by sites.domain, walled.wall
)

select * from final
