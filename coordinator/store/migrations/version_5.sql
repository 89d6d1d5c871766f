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
