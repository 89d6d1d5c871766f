-- What trained an attempt: the `ready` line of its trainer. '' when it said none, and before this version.
ALTER TABLE attempts ADD COLUMN trainer TEXT NOT NULL DEFAULT '';
-- How the point of a configuration was chosen: the search method, where the method had the point from,
-- by how much its model expected it to be better than the best, and how many configurations had ended
-- for it. NULL: unknown, as in every configuration of before, or that there is none. A point that the
-- search made under an earlier number, because others were stored while it was thinking, has that number
-- in asked_number.
ALTER TABLE configurations ADD COLUMN chosen_by TEXT;
ALTER TABLE configurations ADD COLUMN chosen_source TEXT;
ALTER TABLE configurations ADD COLUMN expected_improvement REAL;
ALTER TABLE configurations ADD COLUMN seen_results INTEGER;
ALTER TABLE configurations ADD COLUMN asked_number INTEGER;
