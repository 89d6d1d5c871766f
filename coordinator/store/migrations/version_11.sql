-- The request of a caller that the grant answered: it is given the same lease when it asks again. ''
-- when it named none, and for workers.
ALTER TABLE attempts ADD COLUMN request TEXT NOT NULL DEFAULT '';
CREATE UNIQUE INDEX attempts_by_request ON attempts (request) WHERE request <> '';
