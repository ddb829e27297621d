{#
  materialized='model': trains on the model's query. Every run adds a version under the name <schema>.<model>.

    estimator   such as 'random_forest' or 'xgboost'; sqlml's default without it
    target      the column to learn; none for clustering and anomaly detection
    features    the columns to learn from; without it, all but the target
    exclude     or: all but the target and these
    options     TRAIN MODEL's, as a mapping; {'hparam_range': [1, 9]} and {'hparam_candidates': [3, 5]} are calls
#}
{% materialization model, adapter='spark' %}
  {%- set relation = this.incorporate(type='external') -%}
  {%- if load_relation(this) is not none -%}
    {{ exceptions.raise_compiler_error(this ~ " is a table or a view, and shall be a model: drop it or rename one.") }}
  {%- endif -%}
  {{ run_hooks(pre_hooks) }}
  {%- call statement('main', fetch_result=True) -%}
    {{ sqlml.train_model(relation, sql) }}
  {%- endcall -%}
  {%- set trained = load_result('main')['table'].rows[0] -%}
  {{ log(trained['model'] ~ " version " ~ trained['version'] ~ ", " ~ trained['metrics'], info=True) }}
  {{ run_hooks(post_hooks) }}
  {{ return({'relations': [relation]}) }}
{% endmaterialization %}


{% macro train_model(relation, query) -%}
  CREATE OR REPLACE MODEL {{ relation }}
  {%- if model.description %}
  COMMENT {{ sqlml.literal(model.description) }}
  {%- endif %}
  {%- if config.get('estimator') %}
  USING {{ config.get('estimator') }}
  {%- endif %}
  {%- if config.get('target') %}
  TARGET {{ adapter.quote(config.get('target')) }}
  {%- endif %}
  {%- if config.get('features') %}
  FEATURES ({{ sqlml.columns(config.get('features')) }})
  {%- elif config.get('exclude') %}
  FEATURES * EXCEPT ({{ sqlml.columns(config.get('exclude')) }})
  {%- endif %}
  {%- if config.get('options') %}
  OPTIONS (
    {%- for name, value in config.get('options').items() %}{{ ', ' if not loop.first }}{{ adapter.quote(name) }} = {{ sqlml.literal(value) }}{% endfor -%}
  )
  {%- endif %}
  AS {{ query }}
{%- endmacro %}


{% macro columns(names) -%}
  {% for name in names %}{{ ', ' if not loop.first }}{{ adapter.quote(name) }}{% endfor %}
{%- endmacro %}


{% macro literal(value) -%}
  {%- if value is none -%} null
  {%- elif value is boolean -%} {{ 'true' if value else 'false' }}
  {%- elif value is number -%} {{ value }}
  {%- elif value is string -%} '{{ value | replace("\\", "\\\\") | replace("'", "\\'") }}'
  {%- elif value is mapping -%}
    {%- for name, items in value.items() -%}
      {{ name }}(
      {%- if name == 'hparam_candidates' -%} {{ sqlml.literal(items) }}
      {%- else -%} {%- for item in items %}{{ ', ' if not loop.first }}{{ sqlml.literal(item) }}{% endfor -%}
      {%- endif -%})
    {%- endfor -%}
  {%- else -%}
    [{%- for item in value %}{{ ', ' if not loop.first }}{{ sqlml.literal(item) }}{% endfor -%}]
  {%- endif -%}
{%- endmacro %}
