-- Which flights will arrive late? All 336,776 flights that left New York City
-- in 2013, with the planes and the weather.
USE nycflights13;

-- One row a flight. A flight that never landed has no delay: NULL.
SELECT month, day, dep_delay, arr_delay, carrier, tailnum, origin, dest
FROM flights
ORDER BY time_hour, flight
LIMIT 5;

SELECT origin,
       count(*) AS flights,
       count_if(arr_delay IS NULL) AS never_landed,
       round(100 * avg(int(arr_delay >= 15)), 1) AS percent_late
FROM flights
GROUP BY origin
ORDER BY origin;

-- What is known when the doors close: the schedule, the delay so far, the
-- plane, the weather an hour ago. And what is to be forecast: late, by 15
-- minutes or more on arrival. Nothing else from after the take-off is here.
CREATE OR REPLACE VIEW departures AS
SELECT f.month, f.carrier, f.origin, f.dest, f.flight, f.distance,
       f.dep_delay, f.hour, dayofweek(f.time_hour) AS weekday,
       -- The schedule's times are written as 1745; the flight's minutes by it.
       pmod((f.sched_arr_time DIV 100 - f.sched_dep_time DIV 100) * 60
            + f.sched_arr_time % 100 - f.sched_dep_time % 100,
            1440) AS minutes,
       p.year AS built, p.seats, p.manufacturer,
       w.temp, w.wind_dir, w.wind_speed, w.wind_gust, w.precip, w.pressure,
       w.visib,
       f.arr_delay >= 15 AS late
FROM flights AS f
LEFT JOIN planes AS p ON p.tailnum = f.tailnum
LEFT JOIN weather AS w
  ON w.origin = f.origin AND w.time_hour = f.time_hour - INTERVAL 1 HOUR;

-- Learn from January to October. Numbers, texts, NULLs go in as they are.
TRAIN MODEL late_arrival
  COMMENT 'Asked when the doors close: 15 minutes late or more?'
  USING gradient_boosting
  TARGET late
  FEATURES * EXCEPT (month, flight)
AS SELECT * FROM departures WHERE month <= 10;

SHOW MODELS LIKE 'late_arrival';

-- What the model wants to know, and what it makes of a NULL.
DESCRIBE MODEL late_arrival;

-- Forecast November and December, which the model has never seen. A forecast
-- is an expression like any other; here it is part of a view.
CREATE OR REPLACE VIEW forecasts AS
SELECT *,
       PREDICT(late_arrival, *) AS predicted_late,
       PREDICT_PROBA(late_arrival, *)[true] AS risk
FROM departures
WHERE month >= 11 AND late IS NOT NULL;

-- Forecast and truth.
SELECT predicted_late, late, count(*) AS flights
FROM forecasts
GROUP BY ALL
ORDER BY ALL;

-- Is it better than a rule of thumb? Percent of forecasts that came true:
-- the model's, those of "late out, late in", and those of "always on time".
SELECT count(*) AS flights,
       round(100 * avg(int(predicted_late = late)), 1) AS model,
       round(100 * avg(int((dep_delay >= 15) = late)), 1) AS late_out_late_in,
       round(100 * avg(int(NOT late)), 1) AS always_on_time
FROM forecasts;

-- The rule knows nothing about flights that leave on time. The model does:
-- the higher it says the risk is, the more of them arrive late.
SELECT CASE WHEN risk < 0.1 THEN 'below 10%'
            WHEN risk < 0.2 THEN 'below 20%'
            WHEN risk < 0.4 THEN 'below 40%'
            ELSE '40% and more' END AS risk_says_the_model,
       count(*) AS flights,
       round(100 * avg(risk), 1) AS expected_percent_late,
       round(100 * avg(int(late)), 1) AS actual_percent_late
FROM forecasts
WHERE dep_delay < 15
GROUP BY 1
ORDER BY 3;

-- To whoever reads it the view is a table: the airlines, expected and actual.
SELECT name AS airline,
       count(*) AS flights,
       round(100 * avg(risk), 1) AS expected_percent_late,
       round(100 * avg(int(late)), 1) AS actual_percent_late
FROM forecasts JOIN airlines USING (carrier)
GROUP BY name
HAVING count(*) >= 500
ORDER BY actual_percent_late DESC;
