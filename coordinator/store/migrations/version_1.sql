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
