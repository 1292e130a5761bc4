{#- Which days an incremental model reads and builds, from the vars `from_day` and `to_day` (ISO dates, inclusive).
    The pipeline says them in HNINTEL_DBT_FROM_DAY and HNINTEL_DBT_TO_DAY: with other vars than the last time, dbt would
    read the whole project anew, every day.

    A model whose rows look back over a calendar window says how long it is: `meta={'window_days': 14}`. A change on one
    day then reaches the rows of that day and of the 13 after it, and these need the rows of 13 days before.
    Without the vars, on a first build and with --full-refresh, it is all days. -#}

{# The days whose rows can have changed: they are deleted and inserted again. #}
{% macro days_to_build() -%}
    {{ day_between(0, window_days() - 1) }}
{%- endmacro %}

{# The days that these rows are made of. #}
{% macro days_to_read() -%}
    {{ day_between(window_days() - 1, window_days() - 1) }}
{%- endmacro %}

{% macro day_between(days_before, days_after) -%}
    {%- set bounds = [] -%}
    {%- if is_incremental() and bound('from_day') -%}
        {%- do bounds.append("day >= cast('" ~ shifted_day('from_day', -days_before) ~ "' as date)") -%}
    {%- endif -%}
    {%- if is_incremental() and bound('to_day') -%}
        {%- do bounds.append("day <= cast('" ~ shifted_day('to_day', days_after) ~ "' as date)") -%}
    {%- endif -%}
    {{ bounds | join(' and ') or 'true' }}
{%- endmacro %}

{% macro bound(name) -%}
    {{- return(var(name, env_var('HNINTEL_DBT_' ~ name | upper, ''))) -}}
{%- endmacro %}

{% macro window_days() -%}
    {#- While dbt parses, a model's config answers an empty string. -#}
    {{- return((config.meta_get('window_days', 1) or 1) | int) -}}
{%- endmacro %}

{# The day in a var, as a literal's text: the only thing that comes into the SQL from outside. #}
{% macro shifted_day(name, days) -%}
    {%- set text = bound(name) | string -%}
    {%- if not modules.re.fullmatch('[0-9]{4}-[0-9]{2}-[0-9]{2}', text) -%}
        {%- do exceptions.raise_compiler_error(name ~ " must be an ISO date such as 2026-01-31, not " ~ text) -%}
    {%- endif -%}
    {%- set shifted = modules.datetime.date.fromisoformat(text) + modules.datetime.timedelta(days=days) -%}
    {{- return(shifted.isoformat()) -}}
{%- endmacro %}
