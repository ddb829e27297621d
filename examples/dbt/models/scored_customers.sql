{{ config(materialized='table') }}
SELECT id, prediction AS will_leave
FROM {{ sqlml.predict(ref('churn'), ref('customers')) }} AS scored
