-- A row for each story, job or poll, live or not.
{{ config(
    materialized='incremental',
    incremental_strategy='replace_days',
    unique_key='item_id',
    on_schema_change='append_new_columns',
) }}

with items as (
    select item_id, day, canonical_url from {{ ref('stg_hn__items') }}
),

changed as (
    select item_id
    from items
    where ({{ days_to_build() }})
    {%- if is_incremental() %}
        -- An article belongs to its URL: reading it again for a story changes stories of other days with that URL too.
        or canonical_url in (select canonical_url from items where {{ days_to_build() }})
    {%- endif %}
),

final as (
    select
        stories.* exclude (canonical_url)
    from {{ ref('int_stories__enriched') }} as stories
    inner join changed on stories.item_id = changed.item_id
)

select * from final
