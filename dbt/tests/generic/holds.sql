{#- Every rule holds in every row; a rule that comes to null counts as broken. -#}

{% test holds(model, rules) %}

select *
from {{ model }}
where {% for rule in rules %}{{ 'or ' if not loop.first }}not coalesce({{ rule }}, false)
    {% endfor %}

{% endtest %}
