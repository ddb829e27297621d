{{ config(materialized='view') }}
WITH of_age AS (SELECT * FROM {{ ref('customers') }} WHERE age >= 18)
SELECT id, plan FROM {{ sqlml.predict(ref('churn'), 'of_age') }} AS scored WHERE prediction
