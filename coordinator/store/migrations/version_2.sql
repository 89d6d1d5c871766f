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
