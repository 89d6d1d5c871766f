-- The names of a sweep's measures, by number. A program's own have a column of their own in the
-- reports, `slot`, as long as there are some; the others, and what was NaN, are in `more`.
CREATE TABLE measure_names (
  sweep_id INTEGER NOT NULL REFERENCES sweeps (id),
  measure INTEGER NOT NULL CHECK (measure >= 1),
  name TEXT NOT NULL,
  slot INTEGER CHECK (slot BETWEEN 1 AND 12),
  PRIMARY KEY (sweep_id, measure),
  UNIQUE (sweep_id, name),
  UNIQUE (sweep_id, slot)
) STRICT, WITHOUT ROWID;
ALTER TABLE epoch_reports ADD COLUMN v1 REAL;
ALTER TABLE epoch_reports ADD COLUMN v2 REAL;
ALTER TABLE epoch_reports ADD COLUMN v3 REAL;
ALTER TABLE epoch_reports ADD COLUMN v4 REAL;
ALTER TABLE epoch_reports ADD COLUMN v5 REAL;
ALTER TABLE epoch_reports ADD COLUMN v6 REAL;
ALTER TABLE epoch_reports ADD COLUMN v7 REAL;
ALTER TABLE epoch_reports ADD COLUMN v8 REAL;
ALTER TABLE epoch_reports ADD COLUMN v9 REAL;
ALTER TABLE epoch_reports ADD COLUMN v10 REAL;
ALTER TABLE epoch_reports ADD COLUMN v11 REAL;
ALTER TABLE epoch_reports ADD COLUMN v12 REAL;

-- What the measures of a trial that has ended were; its `measures` is then the JSON null. Its key
-- puts all values of a measure together, so that trials are ordered by it. Trials that ended before
-- this version keep their JSON. No foreign keys: the purge of a trial would search the whole table.
CREATE TABLE trial_values (
  sweep_id INTEGER NOT NULL,
  measure INTEGER NOT NULL,
  trial_id INTEGER NOT NULL,
  last REAL,
  low REAL,
  high REAL,
  PRIMARY KEY (sweep_id, measure, trial_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX trials_with_measures ON trials (sweep_id) WHERE epoch > 0 AND measures <> 'null';

-- The measures of each trial as JSON, wherever they are.
CREATE VIEW trial_measures AS
SELECT t.id AS trial_id, iif(t.measures <> 'null', t.measures, (
  SELECT json_group_object(n.name, json_array(
    iif(abs(v.last) < 9e999, json(printf('%!.17g', v.last)),
      iif(v.last > 0, 'Infinity', iif(v.last < 0, '-Infinity', NULL))),
    iif(abs(v.low) < 9e999, json(printf('%!.17g', v.low)),
      iif(v.low > 0, 'Infinity', iif(v.low < 0, '-Infinity', NULL))),
    iif(abs(v.high) < 9e999, json(printf('%!.17g', v.high)),
      iif(v.high > 0, 'Infinity', iif(v.high < 0, '-Infinity', NULL)))))
  FROM measure_names n CROSS JOIN trial_values v
    ON v.sweep_id = n.sweep_id AND v.measure = n.measure AND v.trial_id = t.id
  WHERE n.sweep_id = t.sweep_id)) AS measures
FROM trials t;

-- What was reported of measures that have no name among the columns, and what was NaN.
CREATE VIEW own_measures AS
SELECT * FROM (
  SELECT e.trial_id AS trial_id, e.attempt AS attempt, e.epoch AS epoch, n.name AS name,
    CASE n.slot WHEN 1 THEN e.v1 WHEN 2 THEN e.v2 WHEN 3 THEN e.v3 WHEN 4 THEN e.v4 WHEN 5 THEN e.v5 WHEN 6 THEN e.v6 WHEN 7 THEN e.v7 WHEN 8 THEN e.v8 WHEN 9 THEN e.v9 WHEN 10 THEN e.v10 WHEN 11 THEN e.v11 WHEN 12 THEN e.v12 END AS value
  FROM epoch_reports e JOIN trials t ON t.id = e.trial_id
  JOIN measure_names n ON n.sweep_id = t.sweep_id AND n.slot IS NOT NULL)
WHERE value IS NOT NULL
UNION ALL
SELECT e.trial_id, e.attempt, e.epoch, j.key,
  iif(j.type = 'text', iif(j.value = 'Infinity', 9e999, -9e999), j.value)
FROM epoch_reports e, json_each(e.more) j WHERE e.more IS NOT NULL;

DROP VIEW measures;
DROP VIEW epochs;
DROP VIEW runs;
CREATE VIEW runs AS
SELECT
  s.name AS sweep,
  t.number AS trial,
  iif(t.diverged, 'diverged', t.state) AS state,
  c.model AS model,
  json_extract(c.resolved, '$.lr') AS lr,
  json_extract(c.resolved, '$.momentum') AS momentum,
  json_extract(c.resolved, '$.batch_size') AS batch_size,
  json_extract(c.resolved, '$.dropout') AS dropout,
  t.epoch AS epoch,
  t.epochs AS epochs,
  s.metric AS metric,
  t.best AS best,
  iif(t.measures <> 'null', iif(json_type(t.measures, '$.validation_accuracy[2]') = 'text',
      iif(json_extract(t.measures, '$.validation_accuracy[2]') = 'Infinity', 9e999, -9e999),
      json_extract(t.measures, '$.validation_accuracy[2]')),
    (SELECT v.high FROM measure_names n CROSS JOIN trial_values v
      ON v.sweep_id = n.sweep_id AND v.measure = n.measure AND v.trial_id = t.id
      WHERE n.sweep_id = t.sweep_id AND n.name = 'validation_accuracy')) AS best_accuracy,
  nullif(t.best_epoch, 0) AS best_epoch,
  iif(t.measures <> 'null', iif(json_type(t.measures, '$.validation_accuracy[0]') = 'text',
      iif(json_extract(t.measures, '$.validation_accuracy[0]') = 'Infinity', 9e999, -9e999),
      json_extract(t.measures, '$.validation_accuracy[0]')),
    (SELECT v.last FROM measure_names n CROSS JOIN trial_values v
      ON v.sweep_id = n.sweep_id AND v.measure = n.measure AND v.trial_id = t.id
      WHERE n.sweep_id = t.sweep_id AND n.name = 'validation_accuracy')) AS last_accuracy,
  iif(t.measures <> 'null', iif(json_type(t.measures, '$.validation_loss[1]') = 'text',
      iif(json_extract(t.measures, '$.validation_loss[1]') = 'Infinity', 9e999, -9e999),
      json_extract(t.measures, '$.validation_loss[1]')),
    (SELECT v.low FROM measure_names n CROSS JOIN trial_values v
      ON v.sweep_id = n.sweep_id AND v.measure = n.measure AND v.trial_id = t.id
      WHERE n.sweep_id = t.sweep_id AND n.name = 'validation_loss')) AS best_loss,
  iif(t.measures <> 'null', iif(json_type(t.measures, '$.validation_loss[0]') = 'text',
      iif(json_extract(t.measures, '$.validation_loss[0]') = 'Infinity', 9e999, -9e999),
      json_extract(t.measures, '$.validation_loss[0]')),
    (SELECT v.last FROM measure_names n CROSS JOIN trial_values v
      ON v.sweep_id = n.sweep_id AND v.measure = n.measure AND v.trial_id = t.id
      WHERE n.sweep_id = t.sweep_id AND n.name = 'validation_loss')) AS last_loss,
  nullif(t.epochs_to_target, 0) AS epochs_to_target,
  nullif(c.network_parameters, 0) AS network_parameters,
  iif(t.measures <> 'null', iif(json_type(t.measures, '$.train_seconds') IS NULL
      AND json_type(t.measures, '$.evaluate_seconds') IS NULL, NULL, round(t.seconds, 3)),
    iif(EXISTS (SELECT 1 FROM measure_names n CROSS JOIN trial_values v
      ON v.sweep_id = n.sweep_id AND v.measure = n.measure AND v.trial_id = t.id
      WHERE n.sweep_id = t.sweep_id AND n.name IN ('train_seconds', 'evaluate_seconds')),
      round(t.seconds, 3), NULL)) AS seconds,
  c.number AS configuration,
  t.replicate AS replicate,
  t.seed AS seed,
  t.attempt AS attempts,
  t.failures AS failures,
  t.worker AS worker,
  strftime('%Y-%m-%dT%H:%M:%SZ', t.created_us / 1000000, 'unixepoch') AS created,
  strftime('%Y-%m-%dT%H:%M:%SZ', t.started_us / 1000000, 'unixepoch') AS started,
  strftime('%Y-%m-%dT%H:%M:%SZ', t.ended_us / 1000000, 'unixepoch') AS ended,
  t.reason AS reason,
  c.parameters AS parameters,
  c.resolved AS resolved,
  m.measures AS measures,
  (SELECT round(sum(coalesce(a.ended_us / 1e6, (julianday('now') - 2440587.5) * 86400)
    - a.started_us / 1e6), 3) FROM attempts a WHERE a.trial_id = t.id) AS attempt_seconds
FROM trials t
JOIN trial_measures m ON m.trial_id = t.id
JOIN configurations c ON c.id = t.configuration_id
JOIN sweeps s ON s.id = t.sweep_id;

CREATE VIEW epochs AS
SELECT
  s.name AS sweep,
  t.number AS trial,
  e.epoch AS epoch,
  e.train_loss AS train_loss,
  e.train_accuracy AS train_accuracy,
  e.validation_loss AS validation_loss,
  e.validation_accuracy AS validation_accuracy,
  e.lr AS lr,
  e.train_seconds AS train_seconds,
  e.evaluate_seconds AS evaluate_seconds,
  e.images_per_second AS images_per_second,
  e.attempt AS attempt,
  strftime('%Y-%m-%dT%H:%M:%SZ', e.reported_us / 1000000, 'unixepoch') AS reported,
  (SELECT nullif(json_group_object(o.name, iif(abs(o.value) < 9e999, json(printf('%!.17g', o.value)),
      iif(o.value > 0, 'Infinity', iif(o.value < 0, '-Infinity', NULL)))), '{}')
    FROM (
      SELECT n.name AS name, CASE n.slot WHEN 1 THEN e.v1 WHEN 2 THEN e.v2 WHEN 3 THEN e.v3 WHEN 4 THEN e.v4 
      WHEN 5 THEN e.v5 WHEN 6 THEN e.v6 WHEN 7 THEN e.v7 WHEN 8 THEN e.v8 
      WHEN 9 THEN e.v9 WHEN 10 THEN e.v10 WHEN 11 THEN e.v11 WHEN 12 THEN e.v12 END AS value, 1 AS is_slot
      FROM measure_names n WHERE n.sweep_id = t.sweep_id AND n.slot IS NOT NULL
      UNION ALL
      SELECT j.key, iif(j.type = 'text', iif(j.value = 'Infinity', 9e999, -9e999), j.value), 0
      FROM json_each(e.more) j) o
    WHERE o.value IS NOT NULL OR NOT o.is_slot) AS more
FROM epoch_reports e
JOIN trials t ON t.id = e.trial_id
JOIN sweeps s ON s.id = t.sweep_id
WHERE NOT EXISTS (
  SELECT 1 FROM epoch_reports f
  WHERE f.trial_id = e.trial_id AND f.epoch = e.epoch AND f.attempt < e.attempt);

-- One row per number that was reported; NULL for NaN. JSON has infinities as words.
CREATE VIEW measures AS
SELECT sweep, trial, epoch, name, value FROM (
  SELECT sweep, trial, epoch, 'train_loss' AS name, train_loss AS value FROM epochs WHERE train_loss IS NOT NULL
  UNION ALL
  SELECT sweep, trial, epoch, 'train_accuracy' AS name, train_accuracy AS value FROM epochs WHERE train_accuracy IS NOT NULL
  UNION ALL
  SELECT sweep, trial, epoch, 'validation_loss' AS name, validation_loss AS value FROM epochs WHERE validation_loss IS NOT NULL
  UNION ALL
  SELECT sweep, trial, epoch, 'validation_accuracy' AS name, validation_accuracy AS value FROM epochs WHERE validation_accuracy IS NOT NULL
  UNION ALL
  SELECT sweep, trial, epoch, 'lr' AS name, lr AS value FROM epochs WHERE lr IS NOT NULL
  UNION ALL
  SELECT sweep, trial, epoch, 'train_seconds' AS name, train_seconds AS value FROM epochs WHERE train_seconds IS NOT NULL
  UNION ALL
  SELECT sweep, trial, epoch, 'evaluate_seconds' AS name, evaluate_seconds AS value FROM epochs WHERE evaluate_seconds IS NOT NULL
  UNION ALL
  SELECT sweep, trial, epoch, 'images_per_second' AS name, images_per_second AS value FROM epochs WHERE images_per_second IS NOT NULL
  UNION ALL
  SELECT * FROM (
    SELECT s.name AS sweep, t.number AS trial, e.epoch AS epoch, n.name AS name,
      CASE n.slot WHEN 1 THEN e.v1 WHEN 2 THEN e.v2 WHEN 3 THEN e.v3 WHEN 4 THEN e.v4 
      WHEN 5 THEN e.v5 WHEN 6 THEN e.v6 WHEN 7 THEN e.v7 WHEN 8 THEN e.v8 
      WHEN 9 THEN e.v9 WHEN 10 THEN e.v10 WHEN 11 THEN e.v11 WHEN 12 THEN e.v12 END AS value
    FROM sweeps s CROSS JOIN trials t ON t.sweep_id = s.id
    CROSS JOIN epoch_reports e ON e.trial_id = t.id
    CROSS JOIN measure_names n ON n.sweep_id = s.id AND n.slot IS NOT NULL
    WHERE NOT EXISTS (SELECT 1 FROM epoch_reports f
      WHERE f.trial_id = e.trial_id AND f.epoch = e.epoch AND f.attempt < e.attempt)) WHERE value IS NOT NULL
  UNION ALL
  SELECT s.name, t.number, e.epoch, j.key,
    iif(j.type = 'text', iif(j.value = 'Infinity', 9e999, -9e999), j.value)
    FROM sweeps s CROSS JOIN trials t ON t.sweep_id = s.id
    CROSS JOIN epoch_reports e ON e.trial_id = t.id, json_each(e.more) j
    WHERE e.more IS NOT NULL AND NOT EXISTS (SELECT 1 FROM epoch_reports f
      WHERE f.trial_id = e.trial_id AND f.epoch = e.epoch AND f.attempt < e.attempt));

