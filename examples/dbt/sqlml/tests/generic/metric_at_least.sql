{# Fails when the model's newest version has not this metric, or less of it. #}
{% test metric_at_least(model, metric, value) %}
  SELECT coalesce(max_by(value, version), -double('infinity')) AS found
  FROM sqlml.metrics
  WHERE model = '{{ model.schema }}.{{ model.identifier }}' AND metric = '{{ metric }}'
  HAVING found < {{ value }}
{% endtest %}
