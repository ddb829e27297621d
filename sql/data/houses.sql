-- Fifty houses: a price that follows area, rooms and city, to the cent.
CREATE OR REPLACE VIEW houses AS
SELECT
  id,
  60.0D + (id * 17) % 90 AS area,
  CAST(1 + (id * 7) % 5 AS INT) AS rooms,
  element_at(array('Bergen', 'Oslo', 'Tromsø'), CAST(id % 3 + 1 AS INT)) AS city,
  1000.0D * (60 + (id * 17) % 90) + 5000.0D * (1 + (id * 7) % 5)
    + element_at(array(10000.0D, 40000.0D, 0.0D), CAST(id % 3 + 1 AS INT)) AS price
FROM range(50);
