-- Sixty customers of a telephone company: who left, by age, plan, price and tenure, with some values missing.
-- Young customers on the basic plan and all who pay 80 and more have left; a few exceptions keep it honest.
CREATE OR REPLACE VIEW customers AS
SELECT
  id,
  IF(id % 11 = 5, NULL, 18 + (id * 37) % 50) AS age,
  IF(id % 13 = 7, NULL, element_at(array('basic', 'plus', 'premium'), CAST(id % 3 + 1 AS INT))) AS plan,
  round(20 + (id * 29) % 71 + 0.25D * (id % 4), 2) AS monthly,
  date_add(DATE'2020-01-15', CAST((id * 53) % 1400 AS INT)) AS since,
  id % 5 <> 0 AS paperless,
  IF(((18 + (id * 37) % 50 < 40 AND id % 3 = 0) OR (id * 29) % 71 >= 60) <> (id % 29 = 28), 'yes', 'no') AS churned
FROM range(60);
