-- Measures of any name. A NULL in the columns of an epoch is what was not reported; `more` has the
-- numbers that have no column, and null under the name of what was NaN, as JSON.
DROP VIEW runs;
DROP VIEW epochs;
DROP VIEW ranking;
ALTER TABLE epoch_reports ADD COLUMN more TEXT CHECK (more IS NULL OR json_valid(more));
-- Until now a NULL was a NaN, unless a program left the measure out.
CREATE TEMP VIEW without_program AS
SELECT t.id FROM trials t WHERE NOT EXISTS (
  SELECT 1 FROM sweep_files f WHERE f.sweep_id = t.sweep_id AND f.role = 'sweep'
    AND (f.text GLOB 'program:*' OR f.text GLOB '*' || char(10) || 'program:*'));
UPDATE epoch_reports AS e SET more = (SELECT json_group_object(name, NULL) FROM (
    SELECT 'train_loss' AS name WHERE e.train_loss IS NULL
    UNION ALL SELECT 'train_accuracy' AS name WHERE e.train_accuracy IS NULL
    UNION ALL SELECT 'validation_loss' AS name WHERE e.validation_loss IS NULL
    UNION ALL SELECT 'validation_accuracy' AS name WHERE e.validation_accuracy IS NULL
    UNION ALL SELECT 'lr' AS name WHERE e.lr IS NULL
    UNION ALL SELECT 'train_seconds' AS name WHERE e.train_seconds IS NULL
    UNION ALL SELECT 'evaluate_seconds' AS name WHERE e.evaluate_seconds IS NULL
    UNION ALL SELECT 'images_per_second' AS name WHERE e.images_per_second IS NULL))
  WHERE (e.train_loss IS NULL OR e.train_accuracy IS NULL OR e.validation_loss IS NULL
    OR e.validation_accuracy IS NULL OR e.lr IS NULL OR e.train_seconds IS NULL
    OR e.evaluate_seconds IS NULL OR e.images_per_second IS NULL)
    AND e.trial_id IN (SELECT id FROM without_program);
DROP VIEW without_program;

-- What ranks, as JSON [["val/f1", 1], …]: 1 where more is better. `metric` and `goal` are the first.
ALTER TABLE sweeps ADD COLUMN objectives TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(objectives));
UPDATE sweeps SET objectives = json_array(json_array(metric, goal = 'maximize'));

-- By name [last, low, high] of the epochs so far; best: of the sweep's metric. `standing` is the
-- epoch that stands for the run, with how far it got under the gates. JSON functions write only 15
-- digits of a REAL and no infinity; 17 digits are exact.
ALTER TABLE trials ADD COLUMN measures TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(measures));
ALTER TABLE trials ADD COLUMN best REAL;
ALTER TABLE trials ADD COLUMN standing TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(standing));
ALTER TABLE trials ADD COLUMN epochs_in_a_row INTEGER NOT NULL DEFAULT 0;
CREATE TEMP VIEW firsts AS
SELECT e.* FROM epoch_reports e WHERE NOT EXISTS (
  SELECT 1 FROM epoch_reports f
  WHERE f.trial_id = e.trial_id AND f.epoch = e.epoch AND f.attempt < e.attempt);
UPDATE trials SET
  best = iif((SELECT metric FROM sweeps s WHERE s.id = trials.sweep_id) = 'loss', best_loss,
    best_accuracy),
  standing = json_object(
    'tier', iif(epochs_to_target > 0, 3, iif(best_gated_epoch > 0, 2, 1)),
    'epoch', iif(best_gated_epoch > 0, best_gated_epoch, best_epoch),
    'values', json_object(
      'validation_accuracy', iif(best_gated_epoch > 0,
        iif(best_gated_accuracy IS NULL, NULL, json(printf('%!.17g', best_gated_accuracy))),
        iif(best_accuracy IS NULL, NULL, json(printf('%!.17g', best_accuracy)))),
      'validation_loss', iif(abs(best_loss) < 9e999, json(printf('%!.17g', best_loss)),
        iif(best_loss > 0, 'Infinity', iif(best_loss < 0, '-Infinity', NULL))))),
  measures = (SELECT json_group_object(name,
      json_array(iif(abs(last) < 9e999, json(printf('%!.17g', last)),
          iif(last > 0, 'Infinity', iif(last < 0, '-Infinity', NULL))),
        iif(abs(low) < 9e999, json(printf('%!.17g', low)),
          iif(low > 0, 'Infinity', iif(low < 0, '-Infinity', NULL))),
        iif(abs(high) < 9e999, json(printf('%!.17g', high)),
          iif(high > 0, 'Infinity', iif(high < 0, '-Infinity', NULL))))) FROM (
    SELECT 'train_loss' AS name, min(train_loss) AS low, max(train_loss) AS high,
      count(train_loss) + count(json_type(more, '$.train_loss')) AS reports,
      (SELECT l.train_loss FROM firsts l WHERE l.trial_id = trials.id AND l.epoch = trials.epoch)
        AS last FROM firsts f WHERE f.trial_id = trials.id
    UNION ALL
    SELECT 'train_accuracy' AS name, min(train_accuracy) AS low, max(train_accuracy) AS high,
      count(train_accuracy) + count(json_type(more, '$.train_accuracy')) AS reports,
      (SELECT l.train_accuracy FROM firsts l WHERE l.trial_id = trials.id AND l.epoch = trials.epoch)
        AS last FROM firsts f WHERE f.trial_id = trials.id
    UNION ALL
    SELECT 'validation_loss' AS name, min(validation_loss) AS low, max(validation_loss) AS high,
      count(validation_loss) + count(json_type(more, '$.validation_loss')) AS reports,
      (SELECT l.validation_loss FROM firsts l WHERE l.trial_id = trials.id AND l.epoch = trials.epoch)
        AS last FROM firsts f WHERE f.trial_id = trials.id
    UNION ALL
    SELECT 'validation_accuracy' AS name, min(validation_accuracy) AS low, max(validation_accuracy) AS high,
      count(validation_accuracy) + count(json_type(more, '$.validation_accuracy')) AS reports,
      (SELECT l.validation_accuracy FROM firsts l WHERE l.trial_id = trials.id AND l.epoch = trials.epoch)
        AS last FROM firsts f WHERE f.trial_id = trials.id
    UNION ALL
    SELECT 'lr' AS name, min(lr) AS low, max(lr) AS high,
      count(lr) + count(json_type(more, '$.lr')) AS reports,
      (SELECT l.lr FROM firsts l WHERE l.trial_id = trials.id AND l.epoch = trials.epoch)
        AS last FROM firsts f WHERE f.trial_id = trials.id
    UNION ALL
    SELECT 'train_seconds' AS name, min(train_seconds) AS low, max(train_seconds) AS high,
      count(train_seconds) + count(json_type(more, '$.train_seconds')) AS reports,
      (SELECT l.train_seconds FROM firsts l WHERE l.trial_id = trials.id AND l.epoch = trials.epoch)
        AS last FROM firsts f WHERE f.trial_id = trials.id
    UNION ALL
    SELECT 'evaluate_seconds' AS name, min(evaluate_seconds) AS low, max(evaluate_seconds) AS high,
      count(evaluate_seconds) + count(json_type(more, '$.evaluate_seconds')) AS reports,
      (SELECT l.evaluate_seconds FROM firsts l WHERE l.trial_id = trials.id AND l.epoch = trials.epoch)
        AS last FROM firsts f WHERE f.trial_id = trials.id
    UNION ALL
    SELECT 'images_per_second' AS name, min(images_per_second) AS low, max(images_per_second) AS high,
      count(images_per_second) + count(json_type(more, '$.images_per_second')) AS reports,
      (SELECT l.images_per_second FROM firsts l WHERE l.trial_id = trials.id AND l.epoch = trials.epoch)
        AS last FROM firsts f WHERE f.trial_id = trials.id)
    WHERE reports > 0)
  WHERE epoch > 0;
DROP VIEW firsts;
DROP INDEX trials_by_best_accuracy;
DROP INDEX trials_by_last_accuracy;
DROP INDEX trials_by_best_loss;
ALTER TABLE trials DROP COLUMN last_accuracy;
ALTER TABLE trials DROP COLUMN last_loss;
ALTER TABLE trials DROP COLUMN best_accuracy;
ALTER TABLE trials DROP COLUMN best_loss;
ALTER TABLE trials DROP COLUMN best_gated_accuracy;
ALTER TABLE trials DROP COLUMN best_gated_epoch;
CREATE INDEX trials_by_best ON trials (sweep_id, best) WHERE epoch > 0;

-- What is held against the gates, by name; `metric` is the one of them that ranks.
ALTER TABLE configurations ADD COLUMN held TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(held));
UPDATE configurations SET held = iif(
  (SELECT metric FROM sweeps s WHERE s.id = configurations.sweep_id) = 'loss',
  json_object('validation_accuracy', iif(value IS NULL, NULL, json(printf('%!.17g', value))),
    'validation_loss', iif(abs(metric) < 9e999, json(printf('%!.17g', metric)),
      iif(metric > 0, 'Infinity', iif(metric < 0, '-Infinity', NULL)))),
  json_object('validation_accuracy', iif(value IS NULL, NULL, json(printf('%!.17g', value))))) WHERE has_value;
ALTER TABLE configurations DROP COLUMN value;
ALTER TABLE configurations ADD COLUMN mean_last REAL;
UPDATE configurations SET mean_last = mean_last_accuracy WHERE replicates > 0;
ALTER TABLE configurations DROP COLUMN mean_last_accuracy;

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
  json_extract(t.measures, '$.validation_accuracy[2]') AS best_accuracy,
  nullif(t.best_epoch, 0) AS best_epoch,
  json_extract(t.measures, '$.validation_accuracy[0]') AS last_accuracy,
  iif(json_type(t.measures, '$.validation_loss[1]') = 'text',
    iif(json_extract(t.measures, '$.validation_loss[1]') = 'Infinity', 9e999, -9e999),
    json_extract(t.measures, '$.validation_loss[1]')) AS best_loss,
  iif(json_type(t.measures, '$.validation_loss[0]') = 'text',
    iif(json_extract(t.measures, '$.validation_loss[0]') = 'Infinity', 9e999, -9e999),
    json_extract(t.measures, '$.validation_loss[0]')) AS last_loss,
  nullif(t.epochs_to_target, 0) AS epochs_to_target,
  nullif(c.network_parameters, 0) AS network_parameters,
  iif(json_type(t.measures, '$.train_seconds') IS NULL
    AND json_type(t.measures, '$.evaluate_seconds') IS NULL, NULL, round(t.seconds, 3)) AS seconds,
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
  t.measures AS measures,
  (SELECT round(sum(coalesce(a.ended_us / 1e6, (julianday('now') - 2440587.5) * 86400)
    - a.started_us / 1e6), 3) FROM attempts a WHERE a.trial_id = t.id) AS attempt_seconds
FROM trials t
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
  e.more AS more
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
  SELECT e.sweep, e.trial, e.epoch, j.key,
    iif(j.type = 'text', iif(j.value = 'Infinity', 9e999, -9e999), j.value)
    FROM epochs e, json_each(e.more) j WHERE e.more IS NOT NULL);

CREATE VIEW ranking AS
SELECT
  s.name AS sweep,
  row_number() OVER (
    PARTITION BY c.sweep_id
    ORDER BY c.qualifies DESC, c.has_value DESC, c.rank_key, c.epochs_to_target = 0,
      c.epochs_to_target, c.network_parameters, c.number) AS rank,
  t.number AS trial,
  c.qualifies AS qualifies,
  json_extract(c.held, '$.validation_accuracy') AS accuracy,
  nullif(c.epochs_to_target, 0) AS epochs_to_target,
  nullif(c.network_parameters, 0) AS network_parameters,
  c.model AS model,
  json_extract(c.resolved, '$.lr') AS lr,
  json_extract(c.resolved, '$.momentum') AS momentum,
  json_extract(c.resolved, '$.batch_size') AS batch_size,
  json_extract(c.resolved, '$.dropout') AS dropout,
  iif(c.has_value, c.metric, NULL) AS metric,
  c.replicates AS replicates,
  c.mean_last AS mean_last,
  iif(c.replicates > 1, c.mean_half_width, NULL) AS mean_half_width,
  iif(t.diverged, 'diverged', t.state) AS state,
  c.number AS configuration,
  c.parameters AS parameters,
  c.resolved AS resolved,
  c.held AS held
FROM configurations c
JOIN trials t ON t.id = c.best_trial_id
JOIN sweeps s ON s.id = c.sweep_id
WHERE c.has_value
ORDER BY c.sweep_id, rank;

-- The state of the trial after an event of kind 'trial', and at one of kind 'epoch'; '' where a
-- build before this version has not written it. The last one is what the trial is now.
ALTER TABLE events ADD COLUMN state TEXT NOT NULL DEFAULT '';
UPDATE events SET state =
  (SELECT iif(t.diverged, 'diverged', t.state) FROM trials t WHERE t.id = events.trial_id)
WHERE sequence IN (SELECT max(sequence) FROM events WHERE kind = 'trial' GROUP BY trial_id);

-- The last event that the search had seen when it made the point; 0 for one that looks at none.
ALTER TABLE configurations ADD COLUMN seen_sequence INTEGER NOT NULL DEFAULT 0;

-- The epoch after which a trial rests or ends, apart from `epochs`, on which its schedule depends;
-- 0: it is trained to its last one.
ALTER TABLE trials ADD COLUMN target_epoch INTEGER NOT NULL DEFAULT 0 CHECK (target_epoch >= 0);
-- 1: the stopping rule has ended it; whatever ends its attempt, it will be 'stopped'.
ALTER TABLE trials ADD COLUMN stopping INTEGER NOT NULL DEFAULT 0 CHECK (stopping IN (0, 1));

-- Trials on hold, and attempts that ended so. SQLite has no statement that changes a CHECK; this way
-- is the one of its own documentation (lang_altertable, section 7). Rows need no change, since the
-- new CHECKs allow more.
ALTER TABLE sweeps ADD COLUMN on_hold INTEGER NOT NULL DEFAULT 0 CHECK (on_hold >= 0);
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(sql, '''failed'', ''cancelled'')', '''failed'', ''cancelled'', ''on_hold'')')
  WHERE type = 'table' AND name = 'trials';
UPDATE sqlite_schema SET sql = replace(sql, '''cancelled'', ''stopped'')', '''cancelled'', ''stopped'', ''held'')')
  WHERE type = 'table' AND name = 'attempts';
PRAGMA writable_schema = RESET;
