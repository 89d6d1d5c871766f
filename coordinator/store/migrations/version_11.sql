-- The request of a caller that the grant answered: it is given the same lease when it asks again. ''
-- when it named none, and for workers.
ALTER TABLE attempts ADD COLUMN request TEXT NOT NULL DEFAULT '';
CREATE UNIQUE INDEX attempts_by_request ON attempts (request) WHERE request <> '';

-- The sweep files that edits have replaced: what made configuration N is the file of the revision with
-- the largest first_configuration <= N.
ALTER TABLE sweeps ADD COLUMN revision INTEGER NOT NULL DEFAULT 1;
ALTER TABLE sweeps ADD COLUMN first_configuration INTEGER NOT NULL DEFAULT 1;
CREATE TABLE replaced_files (
  sweep_id INTEGER NOT NULL REFERENCES sweeps (id),
  revision INTEGER NOT NULL,
  first_configuration INTEGER NOT NULL,
  digest TEXT NOT NULL,
  text TEXT NOT NULL,
  replaced_us INTEGER NOT NULL,
  PRIMARY KEY (sweep_id, revision)
) STRICT;

-- What the search of a sweep with warm_start knows from earlier sweeps, which may be deleted: how much
-- it has taken from each, and the ended configurations themselves. `results` has the state, the last
-- epoch and the best value of the metric of each replicate.
CREATE TABLE warm_starts (
  sweep_id INTEGER NOT NULL REFERENCES sweeps (id),
  position INTEGER NOT NULL,
  source TEXT NOT NULL,
  taken INTEGER NOT NULL,
  left_out INTEGER NOT NULL,
  reason TEXT NOT NULL,
  PRIMARY KEY (sweep_id, position)
) STRICT;
CREATE TABLE warm_points (
  sweep_id INTEGER NOT NULL REFERENCES sweeps (id),
  position INTEGER NOT NULL,
  parameters TEXT NOT NULL CHECK (json_valid(parameters)),
  resolved TEXT NOT NULL CHECK (json_valid(resolved)),
  results TEXT NOT NULL CHECK (json_valid(results)),
  PRIMARY KEY (sweep_id, position)
) STRICT;
