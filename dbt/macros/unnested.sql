{#- One row an element of a list column: VARCHAR[] in DuckDB, ARRAY in Snowflake. -#}

{% macro unnested(relation, kept, list_column, element) -%}
    {{ return(adapter.dispatch('unnested', 'hnintel')(relation, kept, list_column, element)) }}
{%- endmacro %}

{% macro default__unnested(relation, kept, list_column, element) -%}
    select {{ kept }}, unnest({{ list_column }}) as {{ element }} from {{ relation }}
{%- endmacro %}

{% macro snowflake__unnested(relation, kept, list_column, element) -%}
    select {{ kept }}, flattened.value::varchar as {{ element }}
    from {{ relation }}, lateral flatten(input => {{ relation }}.{{ list_column }}) as flattened
{%- endmacro %}
