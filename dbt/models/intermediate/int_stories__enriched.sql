-- One row a story, job or poll: what was posted, what became of its article, what was answered about it.
with items as (
    select * from {{ ref('stg_hn__items') }}
    where type is null or type <> 'pollopt'  -- null: the source answered null, which is worth counting
),

articles as (
    select canonical_url, status as article_status from {{ ref('stg_hn__articles') }}
),

sentiment as (
    select item_id, sentiment from {{ ref('stg_ai__sentiment') }}
),

topic as (
    select item_id, topic from {{ ref('stg_ai__topic') }}
),

takeaway as (
    select item_id, takeaway from {{ ref('stg_ai__takeaway') }}
),

final as (
    select
        items.item_id,
        items.day,
        items.type,
        case
            when items.type in ('job', 'poll') then items.type
            -- Hacker News itself tells these apart by how the title begins, and by nothing else.
            when lower(items.title) like 'launch hn%' then 'launch'
            when lower(items.title) like 'show hn%' then 'show'
            when lower(items.title) like 'ask hn%' then 'ask'
            when lower(items.title) like 'tell hn%' then 'tell'
            when items.url is not null then 'link'
            -- A live one may lack its title as well: without a link it is a text.
            when items.title is not null or items.status = 'ok' then 'text'
        end as kind,  -- null: deleted, so that nothing is left to tell it by
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
        sentiment.sentiment,
        topic.topic,
        takeaway.takeaway
    from items
    left join articles on items.canonical_url = articles.canonical_url
    left join sentiment on items.item_id = sentiment.item_id
    left join topic on items.item_id = topic.item_id
    left join takeaway on items.item_id = takeaway.item_id
)

select * from final
