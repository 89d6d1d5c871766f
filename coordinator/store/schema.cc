#include "coordinator/store/schema.h"

#include <array>
#include <cstddef>
#include <string>

#include "coordinator/store/status_macros.h"
#include "fmt/format.h"

namespace sweep {
namespace {

// Times are microseconds since 1970 UTC. SQLite has no NaN: it becomes NULL.
constexpr std::string_view kVersion1 = R"sql(
CREATE TABLE sweeps (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE,
  state TEXT NOT NULL CHECK (state IN ('active', 'paused', 'completed', 'cancelled')),
  digest TEXT NOT NULL,
  principal TEXT NOT NULL,
  labels TEXT NOT NULL CHECK (json_valid(labels)),
  metric TEXT NOT NULL,
  goal TEXT NOT NULL CHECK (goal IN ('maximize', 'minimize')),
  planned_configurations INTEGER NOT NULL,
  configurations INTEGER NOT NULL DEFAULT 0,
  exhausted INTEGER NOT NULL DEFAULT 0 CHECK (exhausted IN (0, 1)),
  pending INTEGER NOT NULL DEFAULT 0 CHECK (pending >= 0),
  running INTEGER NOT NULL DEFAULT 0 CHECK (running >= 0),
  completed INTEGER NOT NULL DEFAULT 0 CHECK (completed >= 0),
  stopped INTEGER NOT NULL DEFAULT 0 CHECK (stopped >= 0),
  failed INTEGER NOT NULL DEFAULT 0 CHECK (failed >= 0),
  cancelled INTEGER NOT NULL DEFAULT 0 CHECK (cancelled >= 0),
  qualifying INTEGER NOT NULL DEFAULT 0 CHECK (qualifying >= 0),
  created_us INTEGER NOT NULL,
  updated_us INTEGER NOT NULL,
  ended_us INTEGER
) STRICT;
CREATE INDEX sweeps_unfinished ON sweeps (id) WHERE state IN ('active', 'paused');

CREATE TABLE sweep_files (
  sweep_id INTEGER NOT NULL REFERENCES sweeps (id),
  role TEXT NOT NULL CHECK (role IN ('sweep', 'network')),
  name TEXT NOT NULL,
  text TEXT NOT NULL,
  PRIMARY KEY (sweep_id, role, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE configurations (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  sweep_id INTEGER NOT NULL REFERENCES sweeps (id),
  number INTEGER NOT NULL,
  parameters TEXT NOT NULL CHECK (json_valid(parameters)),
  resolved TEXT NOT NULL CHECK (json_valid(resolved)),
  model TEXT NOT NULL,
  network_parameters INTEGER NOT NULL,
  fully_connected INTEGER NOT NULL CHECK (fully_connected IN (0, 1)),
  forward_flops INTEGER NOT NULL,
  train_flops INTEGER NOT NULL,
  receptive_field INTEGER NOT NULL,
  has_value INTEGER NOT NULL DEFAULT 0 CHECK (has_value IN (0, 1)),
  qualifies INTEGER NOT NULL DEFAULT 0 CHECK (qualifies IN (0, 1)),
  value REAL DEFAULT 0,
  metric REAL DEFAULT 0,
  rank_key REAL NOT NULL DEFAULT 9e999,
  epochs_to_target INTEGER NOT NULL DEFAULT 0,
  best_trial_id INTEGER REFERENCES trials (id),
  best_replicate INTEGER NOT NULL DEFAULT 0,
  replicates INTEGER NOT NULL DEFAULT 0,
  mean_last_accuracy REAL NOT NULL DEFAULT 0,
  mean_half_width REAL NOT NULL DEFAULT 0,
  gates TEXT NOT NULL DEFAULT '[]',
  UNIQUE (sweep_id, number)
) STRICT;
CREATE INDEX configurations_by_rank ON configurations (
  sweep_id, qualifies DESC, has_value DESC, rank_key, (epochs_to_target = 0), epochs_to_target,
  network_parameters, number);

CREATE TABLE trials (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  sweep_id INTEGER NOT NULL REFERENCES sweeps (id),
  number INTEGER NOT NULL,
  configuration_id INTEGER NOT NULL REFERENCES configurations (id),
  replicate INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN
    ('pending', 'leased', 'running', 'completed', 'stopped', 'failed', 'cancelled')),
  seed INTEGER NOT NULL,
  epochs INTEGER NOT NULL,
  attempt INTEGER NOT NULL DEFAULT 0,
  failures INTEGER NOT NULL DEFAULT 0 CHECK (failures >= 0),
  secret TEXT NOT NULL DEFAULT '',
  worker TEXT NOT NULL DEFAULT '',
  reason TEXT NOT NULL DEFAULT '',
  epoch INTEGER NOT NULL DEFAULT 0,
  last_accuracy REAL DEFAULT 0,
  last_loss REAL DEFAULT 0,
  best_accuracy REAL DEFAULT 0,
  best_epoch INTEGER NOT NULL DEFAULT 0,
  best_loss REAL DEFAULT 0,
  best_gated_accuracy REAL DEFAULT 0,
  best_gated_epoch INTEGER NOT NULL DEFAULT 0,
  epochs_to_target INTEGER NOT NULL DEFAULT 0,
  seconds REAL NOT NULL DEFAULT 0,
  checkpoint_sha256 TEXT NOT NULL DEFAULT '',
  checkpoint_epoch INTEGER NOT NULL DEFAULT 0,
  created_us INTEGER NOT NULL,
  started_us INTEGER,
  ended_us INTEGER,
  UNIQUE (sweep_id, number),
  UNIQUE (configuration_id, replicate)
) STRICT;
CREATE INDEX trials_by_state ON trials (sweep_id, state, number);

CREATE TABLE attempts (
  trial_id INTEGER NOT NULL REFERENCES trials (id),
  attempt INTEGER NOT NULL,
  worker TEXT NOT NULL,
  started_us INTEGER NOT NULL,
  ended_us INTEGER,
  outcome TEXT NOT NULL DEFAULT '' CHECK (outcome IN
    ('', 'completed', 'failed', 'lost', 'given_back', 'cancelled', 'stopped')),
  reason TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (trial_id, attempt)
) STRICT, WITHOUT ROWID;

CREATE TABLE epoch_reports (
  trial_id INTEGER NOT NULL REFERENCES trials (id),
  attempt INTEGER NOT NULL,
  epoch INTEGER NOT NULL CHECK (epoch >= 1),
  train_loss REAL,
  train_accuracy REAL,
  validation_loss REAL,
  validation_accuracy REAL,
  lr REAL,
  train_seconds REAL,
  evaluate_seconds REAL,
  images_per_second REAL,
  reported_us INTEGER NOT NULL,
  PRIMARY KEY (trial_id, attempt, epoch)
) STRICT, WITHOUT ROWID;

CREATE TABLE divergences (
  trial_id INTEGER NOT NULL REFERENCES trials (id),
  epoch INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  first_attempt INTEGER NOT NULL,
  reported_us INTEGER NOT NULL,
  PRIMARY KEY (trial_id, epoch, attempt)
) STRICT, WITHOUT ROWID;

CREATE TABLE blobs (
  sha256 TEXT NOT NULL PRIMARY KEY,
  size_bytes INTEGER NOT NULL CHECK (size_bytes >= 0),
  created_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE artifacts (
  trial_id INTEGER NOT NULL REFERENCES trials (id),
  role TEXT NOT NULL,
  sha256 TEXT NOT NULL REFERENCES blobs (sha256),
  PRIMARY KEY (trial_id, role)
) STRICT, WITHOUT ROWID;

CREATE TABLE events (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  sweep_id INTEGER NOT NULL REFERENCES sweeps (id),
  kind TEXT NOT NULL CHECK (kind IN ('sweep', 'trial', 'epoch')),
  trial_id INTEGER NOT NULL,
  number INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  time_us INTEGER NOT NULL
) STRICT;
CREATE INDEX events_by_sweep ON events (sweep_id, sequence);

CREATE VIEW runs AS
SELECT
  s.name AS sweep,
  t.number AS trial,
  t.state AS state,
  c.model AS model,
  json_extract(c.resolved, '$.lr') AS lr,
  json_extract(c.resolved, '$.momentum') AS momentum,
  json_extract(c.resolved, '$.batch_size') AS batch_size,
  json_extract(c.resolved, '$.dropout') AS dropout,
  t.epoch AS epoch,
  t.epochs AS epochs,
  iif(t.epoch > 0, t.best_accuracy, NULL) AS best_accuracy,
  nullif(t.best_epoch, 0) AS best_epoch,
  iif(t.epoch > 0, t.last_accuracy, NULL) AS last_accuracy,
  iif(t.epoch > 0, t.best_loss, NULL) AS best_loss,
  iif(t.epoch > 0, t.last_loss, NULL) AS last_loss,
  nullif(t.epochs_to_target, 0) AS epochs_to_target,
  c.network_parameters AS network_parameters,
  round(t.seconds, 3) AS seconds,
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
  c.parameters AS parameters
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
  strftime('%Y-%m-%dT%H:%M:%SZ', e.reported_us / 1000000, 'unixepoch') AS reported
FROM epoch_reports e
JOIN trials t ON t.id = e.trial_id
JOIN sweeps s ON s.id = t.sweep_id
WHERE NOT EXISTS (
  SELECT 1 FROM epoch_reports f
  WHERE f.trial_id = e.trial_id AND f.epoch = e.epoch AND f.attempt < e.attempt);

CREATE VIEW ranking AS
SELECT
  s.name AS sweep,
  row_number() OVER (
    PARTITION BY c.sweep_id
    ORDER BY c.qualifies DESC, c.has_value DESC, c.rank_key, c.epochs_to_target = 0,
      c.epochs_to_target, c.network_parameters, c.number) AS rank,
  t.number AS trial,
  c.qualifies AS qualifies,
  iif(c.has_value, c.value, NULL) AS accuracy,
  nullif(c.epochs_to_target, 0) AS epochs_to_target,
  c.network_parameters AS network_parameters,
  c.model AS model,
  json_extract(c.resolved, '$.lr') AS lr,
  json_extract(c.resolved, '$.momentum') AS momentum,
  json_extract(c.resolved, '$.batch_size') AS batch_size,
  json_extract(c.resolved, '$.dropout') AS dropout,
  iif(c.has_value, c.metric, NULL) AS metric,
  c.replicates AS replicates,
  iif(c.replicates > 0, c.mean_last_accuracy, NULL) AS mean_last_accuracy,
  iif(c.replicates > 1, c.mean_half_width, NULL) AS mean_half_width,
  t.state AS state,
  c.number AS configuration,
  c.parameters AS parameters
FROM configurations c
JOIN trials t ON t.id = c.best_trial_id
JOIN sweeps s ON s.id = c.sweep_id
ORDER BY c.sweep_id, rank;
)sql";

// Pausing with give-back, extending, programs, log lines, repeated requests. SQLite cannot change a
// CHECK, so sweep_files is made anew.
constexpr std::string_view kVersion2 = R"sql(
ALTER TABLE sweeps ADD COLUMN search_reason TEXT NOT NULL DEFAULT '';
ALTER TABLE sweeps ADD COLUMN give_back INTEGER NOT NULL DEFAULT 0 CHECK (give_back IN (0, 1));

CREATE TABLE new_sweep_files (
  sweep_id INTEGER NOT NULL REFERENCES sweeps (id),
  role TEXT NOT NULL CHECK (role IN ('sweep', 'network', 'program')),
  name TEXT NOT NULL,
  text TEXT NOT NULL,
  PRIMARY KEY (sweep_id, role, name)
) STRICT, WITHOUT ROWID;
INSERT INTO new_sweep_files SELECT sweep_id, role, name, text FROM sweep_files;
DROP TABLE sweep_files;
ALTER TABLE new_sweep_files RENAME TO sweep_files;

ALTER TABLE attempts ADD COLUMN log_lines INTEGER NOT NULL DEFAULT 0;
ALTER TABLE attempts ADD COLUMN log_bytes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE attempts ADD COLUMN log_is_cut INTEGER NOT NULL DEFAULT 0 CHECK (log_is_cut IN (0, 1));

CREATE TABLE log_lines (
  trial_id INTEGER NOT NULL REFERENCES trials (id),
  attempt INTEGER NOT NULL,
  line INTEGER NOT NULL CHECK (line >= 1),
  time_us INTEGER NOT NULL,
  text TEXT NOT NULL,
  PRIMARY KEY (trial_id, attempt, line)
) STRICT, WITHOUT ROWID;

CREATE TABLE requests (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE,
  result INTEGER NOT NULL,
  time_us INTEGER NOT NULL
) STRICT;
)sql";

// Every order in which trials can be listed walks an index.
constexpr std::string_view kVersion3 = R"sql(
CREATE TABLE parameter_values (
  configuration_id INTEGER NOT NULL REFERENCES configurations (id),
  name TEXT NOT NULL,
  sweep_id INTEGER NOT NULL REFERENCES sweeps (id),
  value ANY NOT NULL,
  PRIMARY KEY (configuration_id, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX parameter_values_by_value ON parameter_values (sweep_id, name, value);
INSERT INTO parameter_values
  SELECT c.id, j.key, c.sweep_id, j.value FROM configurations c, json_each(c.parameters) j;

CREATE INDEX trials_by_best_accuracy ON trials (sweep_id, best_accuracy) WHERE epoch > 0;
CREATE INDEX trials_by_last_accuracy ON trials (sweep_id, last_accuracy) WHERE epoch > 0;
CREATE INDEX trials_by_best_loss ON trials (sweep_id, best_loss) WHERE epoch > 0;
CREATE INDEX trials_by_epochs_to_target ON trials (sweep_id, epochs_to_target)
  WHERE epochs_to_target > 0;
-- Removing a blob looks for what refers to it.
CREATE INDEX artifacts_by_blob ON artifacts (sha256);
)sql";

constexpr std::string_view kVersion4 = R"sql(
-- What ran since a time, without looking at all attempts.
CREATE INDEX attempts_by_end ON attempts (ended_us);
)sql";

constexpr std::string_view kVersion5 = R"sql(
-- 1: by a worker in the coordinator's own process, which ends with it.
ALTER TABLE attempts ADD COLUMN embedded INTEGER NOT NULL DEFAULT 0 CHECK (embedded IN (0, 1));

-- A trial that diverged has state 'failed' and this mark, and is counted apart: SQLite cannot change
-- the CHECK on states.
ALTER TABLE trials ADD COLUMN diverged INTEGER NOT NULL DEFAULT 0 CHECK (diverged IN (0, 1));
ALTER TABLE sweeps ADD COLUMN diverged INTEGER NOT NULL DEFAULT 0 CHECK (diverged >= 0);
UPDATE trials SET diverged = 1 WHERE state = 'failed' AND reason LIKE 'diverged:%';
UPDATE sweeps SET diverged =
  (SELECT count(*) FROM trials t WHERE t.sweep_id = sweeps.id AND t.diverged);
UPDATE sweeps SET failed = failed - diverged WHERE diverged > 0;

-- Names the content of what the sweep is trained on; '' until a worker has told.
ALTER TABLE sweeps ADD COLUMN data_sha256 TEXT NOT NULL DEFAULT '';

DROP VIEW runs;
DROP VIEW ranking;
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
  iif(t.epoch > 0, t.best_accuracy, NULL) AS best_accuracy,
  nullif(t.best_epoch, 0) AS best_epoch,
  iif(t.epoch > 0, t.last_accuracy, NULL) AS last_accuracy,
  iif(t.epoch > 0, t.best_loss, NULL) AS best_loss,
  iif(t.epoch > 0, t.last_loss, NULL) AS last_loss,
  nullif(t.epochs_to_target, 0) AS epochs_to_target,
  c.network_parameters AS network_parameters,
  round(t.seconds, 3) AS seconds,
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
  (SELECT round(sum(coalesce(a.ended_us / 1e6, (julianday('now') - 2440587.5) * 86400)
    - a.started_us / 1e6), 3) FROM attempts a WHERE a.trial_id = t.id) AS attempt_seconds
FROM trials t
JOIN configurations c ON c.id = t.configuration_id
JOIN sweeps s ON s.id = t.sweep_id;

CREATE VIEW ranking AS
SELECT
  s.name AS sweep,
  row_number() OVER (
    PARTITION BY c.sweep_id
    ORDER BY c.qualifies DESC, c.has_value DESC, c.rank_key, c.epochs_to_target = 0,
      c.epochs_to_target, c.network_parameters, c.number) AS rank,
  t.number AS trial,
  c.qualifies AS qualifies,
  iif(c.has_value, c.value, NULL) AS accuracy,
  nullif(c.epochs_to_target, 0) AS epochs_to_target,
  c.network_parameters AS network_parameters,
  c.model AS model,
  json_extract(c.resolved, '$.lr') AS lr,
  json_extract(c.resolved, '$.momentum') AS momentum,
  json_extract(c.resolved, '$.batch_size') AS batch_size,
  json_extract(c.resolved, '$.dropout') AS dropout,
  iif(c.has_value, c.metric, NULL) AS metric,
  c.replicates AS replicates,
  iif(c.replicates > 0, c.mean_last_accuracy, NULL) AS mean_last_accuracy,
  iif(c.replicates > 1, c.mean_half_width, NULL) AS mean_half_width,
  iif(t.diverged, 'diverged', t.state) AS state,
  c.number AS configuration,
  c.parameters AS parameters,
  c.resolved AS resolved
FROM configurations c
JOIN trials t ON t.id = c.best_trial_id
JOIN sweeps s ON s.id = c.sweep_id
WHERE c.has_value
ORDER BY c.sweep_id, rank;

-- Why the coordinator paused it, and the failures in a row that may make it do so.
ALTER TABLE sweeps ADD COLUMN pause_reason TEXT NOT NULL DEFAULT '';
ALTER TABLE sweeps ADD COLUMN keep_going INTEGER NOT NULL DEFAULT 0 CHECK (keep_going IN (0, 1));
ALTER TABLE sweeps ADD COLUMN failures_alike TEXT NOT NULL DEFAULT '';
ALTER TABLE sweeps ADD COLUMN archived INTEGER NOT NULL DEFAULT 0 CHECK (archived IN (0, 1));

-- About how many bytes a sweep takes, kept as it grows: the constants are those of disk_use.h.
ALTER TABLE sweeps ADD COLUMN disk_bytes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE attempts ADD COLUMN disk_bytes INTEGER NOT NULL DEFAULT 0;
UPDATE sweeps SET disk_bytes = 800 * configurations
  + (SELECT coalesce(sum(length(text)), 0) FROM sweep_files f WHERE f.sweep_id = sweeps.id)
  + (SELECT coalesce(sum(500 + 160 * t.epoch), 0) FROM trials t WHERE t.sweep_id = sweeps.id)
  + (SELECT coalesce(sum(120 + a.log_bytes), 0) FROM trials t JOIN attempts a ON a.trial_id = t.id
     WHERE t.sweep_id = sweeps.id)
  + (SELECT coalesce(sum(b.size_bytes), 0) FROM trials t JOIN artifacts a ON a.trial_id = t.id
     JOIN blobs b ON b.sha256 = a.sha256 WHERE t.sweep_id = sweeps.id);

-- Removing a trial looks for the configurations that it stands for.
CREATE INDEX configurations_by_best_trial ON configurations (best_trial_id);
)sql";

constexpr std::string_view kVersion6 = R"sql(
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
)sql";

constexpr std::string_view kVersion7 = R"sql(
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

)sql";

constexpr std::string_view kVersion8 = R"sql(
-- Of a list of more than two words IN makes a temporary tree whenever the CHECK runs, which was half
-- of what storing a report took. The same words as comparisons. A CHECK is changed as in version 6.
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(sql,
    'kind IN (''sweep'', ''trial'', ''epoch'')',
    'kind = ''sweep'' OR kind = ''trial'' OR kind = ''epoch''')
  WHERE type = 'table' AND name = 'events';
UPDATE sqlite_schema SET sql = replace(sql,
    'state IN (''active'', ''paused'', ''completed'', ''cancelled'')',
    'state = ''active'' OR state = ''paused'' OR state = ''completed'' OR state = ''cancelled''')
  WHERE type = 'table' AND name = 'sweeps';
UPDATE sqlite_schema SET sql = replace(sql,
    'state IN' || char(10) || '    (''pending'', ''leased'', ''running'', ''completed'', ''stopped'', ''failed'', ''cancelled'', ''on_hold'')',
    'state = ''pending'' OR state = ''leased'' OR state = ''running'' OR state = ''completed'' OR' || char(10) ||
    '    state = ''stopped'' OR state = ''failed'' OR state = ''cancelled'' OR state = ''on_hold''')
  WHERE type = 'table' AND name = 'trials';
UPDATE sqlite_schema SET sql = replace(sql,
    'outcome IN' || char(10) || '    ('''', ''completed'', ''failed'', ''lost'', ''given_back'', ''cancelled'', ''stopped'', ''held'')',
    'outcome = '''' OR outcome = ''completed'' OR outcome = ''failed'' OR outcome = ''lost'' OR' || char(10) ||
    '    outcome = ''given_back'' OR outcome = ''cancelled'' OR outcome = ''stopped'' OR outcome = ''held''')
  WHERE type = 'table' AND name = 'attempts';
PRAGMA writable_schema = RESET;
)sql";

constexpr std::array kMigrations = {kVersion1, kVersion2, kVersion3, kVersion4,
                                    kVersion5, kVersion6, kVersion7, kVersion8};

}  // namespace

std::span<const std::string_view> Migrations() { return kMigrations; }

absl::Status CheckIdentity(Database& database, std::span<const std::string_view> migrations) {
  STORE_ASSIGN_OR_RETURN(const std::int64_t application,
                         database.QueryInt("PRAGMA application_id"));
  STORE_ASSIGN_OR_RETURN(const std::int64_t version, database.QueryInt("PRAGMA user_version"));
  if (application != kApplicationId) {
    STORE_ASSIGN_OR_RETURN(const std::int64_t objects,
                           database.QueryInt("SELECT count(*) FROM sqlite_schema"));
    if (application != 0 || version != 0 || objects != 0) {
      return absl::FailedPreconditionError(fmt::format(
          "database '{}' belongs to another application (application_id {:#x}, user_version {}, "
          "{} tables and views); it was left untouched",
          database.name(), application, version, objects));
    }
  }
  const auto known = static_cast<std::int64_t>(migrations.size());
  if (version < 0 || version > known) {
    return absl::FailedPreconditionError(
        fmt::format("database '{}' has schema version {}, this build knows versions up to {}; use "
                    "the newer build that wrote it",
                    database.name(), version, known));
  }
  return absl::OkStatus();
}

absl::Status Migrate(Database& database, std::span<const std::string_view> migrations) {
  STORE_ASSIGN_OR_RETURN(const std::int64_t version, database.QueryInt("PRAGMA user_version"));
  for (std::size_t next = static_cast<std::size_t>(version); next < migrations.size(); ++next) {
    // One script, so that the version changes together with the tables.
    const absl::Status migrated = database.Execute(
        fmt::format("BEGIN IMMEDIATE;\n{}\nPRAGMA application_id = {};\nPRAGMA user_version = {};\n"
                    "COMMIT;",
                    migrations[next], kApplicationId, next + 1));
    if (!migrated.ok()) {
      if (database.InTransaction()) database.Execute("ROLLBACK").IgnoreError();
      return absl::Status(migrated.code(), fmt::format("migrating to schema version {}: {}",
                                                       next + 1, std::string(migrated.message())));
    }
  }
  return absl::OkStatus();
}

}  // namespace sweep
