-- What trained an attempt: the `ready` line of its trainer. '' when it said none, and before this version.
ALTER TABLE attempts ADD COLUMN trainer TEXT NOT NULL DEFAULT '';
