-- The blobs of the data that a sweep is trained on: the manifest and the pieces of an uploaded data set.
-- They are kept as long as the sweep.
CREATE TABLE sweep_data (
  sweep_id INTEGER NOT NULL REFERENCES sweeps (id),
  sha256 TEXT NOT NULL REFERENCES blobs (sha256),
  PRIMARY KEY (sweep_id, sha256)
) STRICT, WITHOUT ROWID;
CREATE INDEX sweep_data_by_blob ON sweep_data (sha256);
