-- The measures of a trial that has ended, in its own row too: a list of trials would look up each of
-- them in trial_values, which orders trials by any measure.
ALTER TABLE trials ADD COLUMN packed_measures BLOB;
UPDATE trials SET packed_measures = (
  SELECT measure_summaries(name, last, low, high) FROM (
    SELECT n.name AS name, v.last AS last, v.low AS low, v.high AS high
    FROM measure_names n CROSS JOIN trial_values v
      ON v.sweep_id = n.sweep_id AND v.measure = n.measure AND v.trial_id = trials.id
    WHERE n.sweep_id = trials.sweep_id ORDER BY n.name))
WHERE epoch > 0 AND measures = 'null';
