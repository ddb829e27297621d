{#
  The rows of a relation or a common table expression with the model's prediction for each, to select from.

    model    ref('…') of a model with materialized='model'
    data     what to score: ref('…'), source('…') or a name; its columns are matched by name
    output   the name of the new column
#}
{% macro predict(model, data, output='prediction') -%}
  (SELECT *, PREDICT({{ model }}, *) AS {{ adapter.quote(output) }} FROM {{ data }})
{%- endmacro %}
