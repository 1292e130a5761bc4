-- A digest a section: prose in which every statement carries the ids of its stories.
{% for section in sections %}
SELECT
    {{ section.name | literal }} AS section,
    AI_AGG(line, {{ section.task | literal }}) AS digest,
    sum({{ tokens('line') }}) AS line_tokens
FROM pending
WHERE section = {{ section.name | literal }}
HAVING count(*) > 0
{{ "UNION ALL" if not loop.last }}
{% endfor %}
