{#- The models that follow from the declarations of the enrichments (dbt/declared) are calls of these. -#}

{# The accepted answers of an enrichment, without their bookkeeping. #}
{% macro staged_answers(enrichment, columns) -%}
with source as (
    select * from {{ source('enriched', enrichment ~ '_current') }}
),

final as (
    select
        item_id,
        {%- for column in columns %}
        {{ column }},
        {%- endfor %}
        fingerprint,
        model,
        enriched_at
    from source
)

select * from final
{%- endmacro %}

{# One row an item with the answers about it; `enrichments` says of each which column gets which name. #}
{% macro answers_about_stories(enrichments) -%}
with items as (
    select item_id from {{ ref('stg_hn__items') }}
),

final as (
    select
        items.item_id
        {%- for enrichment, columns in enrichments.items() %}
        {%- for column, name in columns.items() %},
        ai_{{ enrichment }}.{{ column }} as {{ name }}
        {%- endfor %}
        {%- endfor %}
    from items
    {%- for enrichment in enrichments %}
    left join {{ ref('stg_ai__' ~ enrichment) }} as ai_{{ enrichment }}
        on items.item_id = ai_{{ enrichment }}.item_id
    {%- endfor %}
)

select * from final
{%- endmacro %}

{# One row a live story that has an answer. #}
{% macro answers_of_live_stories(enrichment, columns) -%}
{{ config(materialized='view') }}

with stories as (
    select item_id, day from {{ ref('stories') }}
    where status = 'ok'
),

answers as (
    select item_id, {{ columns | join(', ') }} from {{ ref('stg_ai__' ~ enrichment) }}
),

final as (
    select
        stories.item_id,
        stories.day
        {%- for column in columns %},
        answers.{{ column }}
        {%- endfor %}
    from stories
    inner join answers on stories.item_id = answers.item_id
)

select * from final
{%- endmacro %}

{# One row a live story, list column and entry of the list. #}
{% macro lists_of_live_stories(enrichment, columns) -%}
{{ config(materialized='view') }}

with stories as (
    select item_id, day from {{ ref('stories') }}
    where status = 'ok'
),

answers as (
    select item_id, {{ columns | join(', ') }} from {{ ref('stg_ai__' ~ enrichment) }}
),

entries as (
    {%- for column in columns %}
    {{ unnested('answers', "item_id, '" ~ column ~ "' as list_name", column, 'entry') }}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

final as (
    select distinct
        stories.item_id,
        stories.day,
        entries.list_name,
        trim(entries.entry) as entry
    from stories
    inner join entries on stories.item_id = entries.item_id
    where trim(entries.entry) <> ''
)

select * from final
{%- endmacro %}
