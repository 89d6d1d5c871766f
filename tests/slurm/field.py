# field.py DATABASE SWEEP FIELD: prints a field of the sweep's first trial.

import sqlite3
import sys

FIELDS = {
    "state": "t.state",
    "failures": "t.failures",
    "measured": "t.epoch > 1",
    "checkpoint": "t.checkpoint_epoch > 0",
    "outcome": "(select outcome from attempts where trial_id = t.id and attempt = 1)",
}
database, sweep, field = sys.argv[1:]
connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
row = connection.execute(
    f"select {FIELDS[field]} from trials t join sweeps s on s.id = t.sweep_id "
    "where s.name = ? and t.number = 1",
    (sweep,),
).fetchone()
print("" if row is None else row[0])
