-- Of a sweep with a population (method pbt), each configuration is a segment of the training of one
-- `member`, from 1: it begins with the checkpoint that the configuration `parent` of the sweep has left
-- after `start_epoch`. NULL and 0: it begins untrained. `member` is NULL in every other sweep.
ALTER TABLE configurations ADD COLUMN member INTEGER;
ALTER TABLE configurations ADD COLUMN parent INTEGER;
ALTER TABLE configurations ADD COLUMN start_epoch INTEGER NOT NULL DEFAULT 0;

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
    - a.started_us / 1e6), 3) FROM attempts a WHERE a.trial_id = t.id) AS attempt_seconds,
  c.member AS member,
  c.parent AS parent,
  iif(c.member IS NULL, NULL, c.start_epoch) AS start_epoch
FROM trials t
JOIN trial_measures m ON m.trial_id = t.id
JOIN configurations c ON c.id = t.configuration_id
JOIN sweeps s ON s.id = t.sweep_id;

