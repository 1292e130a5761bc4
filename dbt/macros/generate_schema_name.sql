{#- Schemas are named as the models say, behind HNINTEL_SCHEMA_PREFIX: a branch can have marts of its own. -#}

{% macro generate_schema_name(custom_schema_name, node) -%}
    {{- env_var('HNINTEL_SCHEMA_PREFIX', '') ~ (custom_schema_name or target.schema) | trim -}}
{%- endmacro %}
