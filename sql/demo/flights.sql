-- Which flights will arrive late? The 336,776 flights that left New York City in 2013, with the weather and the planes.
USE nycflights13;

-- One row a flight. A cancelled flight has no delay: NULL.
SELECT month, day, sched_dep_time, dep_delay, arr_delay, carrier, flight, tailnum, origin, dest, distance
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

-- What is known when the doors close: the schedule, the delay so far, the plane, and the weather an hour ago.
-- What is to be forecast: whether the flight arrives 15 minutes late or later. Nothing that is known only after the
-- take-off is in this view, but for that answer.
CREATE OR REPLACE VIEW departures AS
SELECT f.month, f.carrier, f.origin, f.dest, f.flight, f.distance, f.dep_delay,
       f.hour AS scheduled_hour,
       dayofweek(f.time_hour) AS weekday,
       pmod((f.sched_arr_time DIV 100 - f.sched_dep_time DIV 100) * 60 + f.sched_arr_time % 100 - f.sched_dep_time % 100,
            1440) AS scheduled_minutes,
       p.year AS built, p.seats, p.manufacturer,
       w.temp, w.wind_dir, w.wind_speed, w.wind_gust, w.precip, w.pressure, w.visib,
       f.arr_delay >= 15 AS late
FROM flights AS f
LEFT JOIN weather AS w ON w.origin = f.origin AND w.time_hour = f.time_hour - INTERVAL 1 HOUR
LEFT JOIN planes AS p ON p.tailnum = f.tailnum;

-- Learn from January to October. Numbers, texts and NULLs go in as they are; flights that never landed are left out.
TRAIN MODEL late_arrival
  COMMENT 'Will a flight arrive 15 minutes late? Asked when its doors close.'
  USING gradient_boosting
  TARGET late
  FEATURES * EXCEPT (month, flight)
AS SELECT * FROM departures WHERE month <= 10;

SHOW MODELS LIKE 'late_arrival';

-- What the model wants to know, and what it makes of a NULL.
DESCRIBE MODEL late_arrival;

-- Forecast November and December, which the model has not seen. A forecast is an expression; here, in a view.
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

-- Is it better than a rule of thumb? Percent of the forecasts that came true: of the model, of "late out is late in",
-- and of "always on time".
SELECT count(*) AS flights,
       round(100 * count_if(predicted_late = late) / count(*), 1) AS model,
       round(100 * count_if((dep_delay >= 15) = late) / count(*), 1) AS late_out_late_in,
       round(100 * count_if(NOT late) / count(*), 1) AS always_on_time
FROM forecasts;

-- And it knows how sure it is: of the flights with a risk of about 30%, about 30% should be late.
SELECT concat(20 * least(floor(5 * risk), 4), '–', 20 * least(floor(5 * risk), 4) + 20, '%') AS risk,
       count(*) AS flights,
       round(100 * avg(risk), 1) AS expected_percent_late,
       round(100 * count_if(late) / count(*), 1) AS actual_percent_late
FROM forecasts
GROUP BY 1
ORDER BY 3;

-- The view is SQL like any other: the airlines, forecast and actual.
SELECT a.name AS airline,
       count(*) AS flights,
       round(100 * avg(risk), 1) AS expected_percent_late,
       round(100 * count_if(late) / count(*), 1) AS actual_percent_late
FROM forecasts JOIN airlines AS a USING (carrier)
GROUP BY a.name
HAVING count(*) >= 500
ORDER BY actual_percent_late DESC;
