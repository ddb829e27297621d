-- Which flights will arrive late? The 336,776 flights that left New York City in 2013,
-- with the planes and the weather.
USE nycflights13;

-- One row a flight. A flight that never landed has no delay: NULL.
SELECT month, day, dep_delay, arr_delay, carrier, tailnum, origin, dest, distance
FROM flights
ORDER BY time_hour, flight
LIMIT 5;

SELECT origin,
       count(*) AS flights,
       count_if(arr_delay IS NULL) AS never_landed,
       round(100 * count_if(arr_delay >= 15) / count(arr_delay), 1) AS percent_late
FROM flights
GROUP BY origin
ORDER BY origin;

-- What is known when the doors close: the schedule, the delay so far, the plane, and
-- the weather an hour ago. And what is to be forecast: late, 15 minutes or more on
-- arrival. Of all that is known only after the take-off, nothing else is here.
CREATE OR REPLACE VIEW departures AS
SELECT f.month, f.carrier, f.origin, f.dest, f.flight, f.distance, f.dep_delay,
       f.hour AS scheduled_hour,
       dayofweek(f.time_hour) AS weekday,
       pmod((f.sched_arr_time DIV 100 - f.sched_dep_time DIV 100) * 60
            + f.sched_arr_time % 100 - f.sched_dep_time % 100, 1440) AS scheduled_minutes,
       p.year AS built, p.seats, p.manufacturer,
       w.temp, w.wind_dir, w.wind_speed, w.wind_gust, w.precip, w.pressure, w.visib,
       f.arr_delay >= 15 AS late
FROM flights AS f
LEFT JOIN planes AS p ON p.tailnum = f.tailnum
LEFT JOIN weather AS w
  ON w.origin = f.origin AND w.time_hour = f.time_hour - INTERVAL 1 HOUR;

-- Learn from January to October. Numbers, texts and NULLs go in as they are.
TRAIN MODEL late_arrival
  COMMENT 'Asked when the doors close: 15 minutes late or more?'
  USING gradient_boosting
  TARGET late
  FEATURES * EXCEPT (month, flight)
AS SELECT * FROM departures WHERE month <= 10;

SHOW MODELS LIKE 'late_arrival';

-- What the model wants to know, and what it makes of a NULL.
DESCRIBE MODEL late_arrival;

-- Forecast November and December, which the model has never seen. A forecast is an
-- expression like any other; here it is part of a view.
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

-- Is it better than a rule of thumb? Percent of forecasts that came true: the model's,
-- those of "late out, late in", and those of "always on time".
SELECT count(*) AS flights,
       round(100 * count_if(predicted_late = late) / count(*), 1) AS model,
       round(100 * count_if((dep_delay >= 15) = late) / count(*), 1) AS late_out_late_in,
       round(100 * count_if(NOT late) / count(*), 1) AS always_on_time
FROM forecasts;

-- Does it know how sure it is? Of the flights with a risk of 30%, 30% should be late.
SELECT format_string('%d–%d%%', 20 * fifth, 20 * fifth + 20) AS risk,
       count(*) AS flights,
       round(100 * avg(risk), 1) AS expected_percent_late,
       round(100 * count_if(late) / count(*), 1) AS actual_percent_late
FROM (SELECT risk, late, CAST(least(floor(5 * risk), 4) AS INT) AS fifth FROM forecasts)
GROUP BY fifth
ORDER BY fifth;

-- The view is a table to whoever reads it: the airlines, expected and actual.
SELECT name AS airline,
       count(*) AS flights,
       round(100 * avg(risk), 1) AS expected_percent_late,
       round(100 * count_if(late) / count(*), 1) AS actual_percent_late
FROM forecasts JOIN airlines USING (carrier)
GROUP BY name
HAVING count(*) >= 500
ORDER BY actual_percent_late DESC;
