{{ config(
    materialized='model',
    estimator='random_forest',
    target='churned',
    exclude=['id'],
    options={'n_estimators': 20, 'seed': 7},
) }}
SELECT * FROM {{ ref('customers') }}
