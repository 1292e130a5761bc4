-- A row for each calendar day and topic, also for days without a story.
with stories as (
    select day, topic, status, coalesce(score, 0) as points from {{ ref('stories') }}
),

daily as (
    select day, topic, count(*) as stories, sum(points) as points
    from stories
    where status = 'ok' and topic is not null
    group by day, topic
),

topics as (
    select distinct topic from daily
),

span as (
    select min(day) as first_day, max(day) as last_day from stories
),

numbers as (
    {{ dbt.generate_series(20000) }}  -- days: more than fifty years
),

calendar as (
    select
        cast(
            {{ dbt.dateadd('day', 'cast(numbers.generated_number - 1 as integer)', 'span.first_day') }} as date
        ) as day
    from span
    inner join numbers
        on numbers.generated_number <= {{ dbt.datediff('span.first_day', 'span.last_day', 'day') }} + 1
),

dense as (
    select
        calendar.day,
        topics.topic,
        coalesce(daily.stories, 0) as stories,
        coalesce(daily.points, 0) as points
    from calendar
    cross join topics
    left join daily on calendar.day = daily.day and topics.topic = daily.topic
),

windows as (
    select
        day,
        topic,
        stories,
        points,
        -- Every day has a row, so that ROWS counts days.
        sum(stories) over (
            partition by topic order by day rows between 6 preceding and current row
        ) as stories_7d,
        coalesce(sum(stories) over (
            partition by topic order by day rows between 13 preceding and 7 preceding
        ), 0) as stories_previous_7d
    from dense
),

final as (
    select
        day,
        topic,
        cast(stories as bigint) as stories,
        cast(points as bigint) as points,
        cast(stories_7d as bigint) as stories_7d,
        cast(stories_previous_7d as bigint) as stories_previous_7d,
        coalesce(
            cast(stories_7d as double) / nullif(sum(stories_7d) over (partition by day), 0), 0
        ) as share_7d,
        cast(stories_7d - stories_previous_7d as bigint) as change_7d
    from windows
)

select * from final
