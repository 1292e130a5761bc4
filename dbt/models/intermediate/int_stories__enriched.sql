-- A row for each story, job or poll: the post, the status of its article, and its answers.
with items as (
    select * from {{ ref('stg_hn__items') }}
    where type is null or type <> 'pollopt'  -- null: the source answered null, which is worth counting
),

articles as (
    select
        canonical_url,
        status as article_status,
        case when status = 'walled' then reason end as wall
    from {{ ref('stg_hn__articles') }}
),

answers as (
    select * from {{ ref('int_stories__answers') }}
),

final as (
    select
        items.item_id,
        items.day,
        items.type,
        case
            when items.type in ('job', 'poll') then items.type
            -- Hacker News itself distinguishes these only by the beginning of the title.
            when lower(items.title) like 'launch hn%' then 'launch'
            when lower(items.title) like 'show hn%' then 'show'
            when lower(items.title) like 'ask hn%' then 'ask'
            when lower(items.title) like 'tell hn%' then 'tell'
            when items.url is not null then 'link'
            -- A live story may lack its title as well: without a link it is a text.
            when items.title is not null or items.status = 'ok' then 'text'
        end as kind,  -- null: deleted, so that its kind is unknown
        items.status,
        items.title,
        items.url,
        items.canonical_url,
        items.domain,
        items.author,
        items.score,
        items.comments,
        items.posted_at,
        coalesce(articles.article_status = 'ok', false) as has_article,
        articles.article_status,
        articles.wall,
        answers.* exclude (item_id)
    from items
    left join articles on items.canonical_url = articles.canonical_url
    left join answers on items.item_id = answers.item_id
)

select * from final
