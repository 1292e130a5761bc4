{#- The incremental strategy `replace_days`: delete the days to build, insert what was built, in one transaction.

    dbt's own delete+insert deletes only the days it has new rows for: a day whose last row has gone (its story died,
    its last mention was taken back) would keep the old rows for ever.
    With a `unique_key`, rows of other days with a key that comes in are deleted too. -#}

{% macro get_incremental_replace_days_sql(arg_dict) %}
    {% set dml = delete_and_insert_days(
        arg_dict['target_relation'], arg_dict['temp_relation'], arg_dict['unique_key'], arg_dict['dest_columns']
    ) %}
    {{ return(adapter.dispatch('in_one_transaction', 'hnintel')(dml)) }}
{% endmacro %}

{% macro delete_and_insert_days(target, built, unique_key, dest_columns) %}
    {%- set columns = dest_columns | map(attribute='quoted') | join(', ') -%}
    delete from {{ target }}
    where ({{ days_to_build() }})
    {%- if unique_key %} or {{ unique_key }} in (select {{ unique_key }} from {{ built }}){% endif %};

    insert into {{ target }} ({{ columns }})
    select {{ columns }} from {{ built }}
{% endmacro %}

{# dbt-duckdb runs a model inside a transaction already. #}
{% macro default__in_one_transaction(dml) %}
    {{ return(dml) }}
{% endmacro %}

{# On Snowflake every statement commits by itself unless told otherwise. #}
{% macro snowflake__in_one_transaction(dml) %}
    {{ return(snowflake_dml_explicit_transaction(dml)) }}
{% endmacro %}
