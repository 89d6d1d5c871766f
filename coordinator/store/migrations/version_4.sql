-- What ran since a time, without looking at all attempts.
CREATE INDEX attempts_by_end ON attempts (ended_us);
