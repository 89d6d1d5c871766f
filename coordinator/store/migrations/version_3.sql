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
