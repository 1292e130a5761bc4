-- A row for each day: its posts and their figures.
with stories as (
    select * from {{ ref('stories') }}
),

live as (
    select
        day,
        count(*) as stories,
        count_if(kind = 'link') as links,
        count_if(kind = 'ask') as asks,
        count_if(kind = 'show') as shows,
        count_if(kind = 'launch') as launches,
        count_if(kind = 'tell') as tells,
        count_if(kind = 'text') as texts,
        count_if(kind = 'job') as jobs,
        count_if(kind = 'poll') as polls,
        count_if(has_article) as with_article,
        sum(coalesce(score, 0)) as points,
        sum(coalesce(comments, 0)) as comments,
        median(score) as median_score,
        count(distinct author) as authors,
        count(distinct domain) as domains
    from stories
    where status = 'ok'
    group by day
),

gone as (
    select
        day,
        count_if(status = 'dead') as dead,
        count_if(status = 'deleted') as deleted,
        count_if(status = 'null') as nulls
    from stories
    group by day
),

final as (
    select
        gone.day,
        {%- for count in [
            'stories', 'links', 'asks', 'shows', 'launches', 'tells', 'texts', 'jobs', 'polls',
            'with_article', 'points', 'comments', 'authors', 'domains',
        ] %}
        cast(coalesce(live.{{ count }}, 0) as bigint) as {{ count }},
        {%- endfor %}
        cast(live.median_score as double) as median_score,
        cast(gone.dead as bigint) as dead,
        cast(gone.deleted as bigint) as deleted,
        cast(gone.nulls as bigint) as nulls
    from gone
    left join live on gone.day = live.day
)

select * from final
