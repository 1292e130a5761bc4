-- A row for each live story, entity type and entity, without regard to case.
{{ config(materialized='incremental', incremental_strategy='replace_days', on_schema_change='fail') }}

{%- set types = {
    'company': 'companies',
    'product': 'products',
    'person': 'people',
    'technology': 'technologies',
    'funding_amount': 'funding_amounts',
} %}

with stories as (
    -- The mart, not the view that it reads: the view joins everything, and only three columns are needed.
    select item_id, day, coalesce(score, 0) as points
    from {{ ref('stories') }}
    where status = 'ok' and {{ days_to_build() }}
),

lists as (
    select
        stories.item_id,
        stories.day,
        stories.points,
        entities.companies,
        entities.products,
        entities.people,
        entities.technologies,
        entities.funding_amounts
    from stories
    inner join {{ ref('stg_ai__entities') }} as entities on stories.item_id = entities.item_id
),

elements as (
    {%- for type, list_column in types.items() %}
    {{ unnested('lists', "item_id, day, points, '" ~ type ~ "' as entity_type", list_column, 'entity') }}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

spelled as (
    select item_id, day, points, entity_type, lower(trim(entity)) as entity_key, trim(entity) as spelling
    from elements
    where trim(entity) <> ''
),

final as (
    select
        item_id,
        day,
        entity_type,
        entity_key,
        min(spelling) as entity,  -- of two spellings in a story the spelling with capitals, which sort first
        min(points) as points
    from spelled
    group by item_id, day, entity_type, entity_key
)

select * from final
