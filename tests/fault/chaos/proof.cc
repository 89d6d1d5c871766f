#include "tests/fault/chaos/proof.h"

#include <sqlite3.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <set>
#include <sstream>
#include <stdexcept>

#include "absl/time/time.h"
#include "common/base/sha256.h"
#include "fmt/format.h"

namespace sweep::chaos {
namespace {

// Rules that are one query each: every row is a violation, described by its first column.
struct Rule {
  const char* name;
  const char* sql;
};
constexpr Rule kRules[] = {
    {"the file is sound", "SELECT * FROM pragma_integrity_check WHERE integrity_check <> 'ok'"},
    {"every foreign key points somewhere", "SELECT \"table\" FROM pragma_foreign_key_check"},
    {"every sweep has completed",
     "SELECT name || ' is ' || state FROM sweeps WHERE state <> 'completed'"},
    {"the budget is exact",
     "SELECT name || ' made ' || configurations || ' of ' || planned_configurations FROM sweeps "
     "WHERE configurations <> planned_configurations OR configurations <> (SELECT count(*) FROM "
     "configurations c WHERE c.sweep_id = sweeps.id)"},
    {"trials are numbered without a gap",
     "SELECT s.name FROM sweeps s JOIN trials t ON t.sweep_id = s.id GROUP BY s.id HAVING "
     "count(*) <> max(number) OR min(number) <> 1"},
    {"every trial has completed",
     "SELECT sweep_id || '/' || number || ' is ' || state || ' ' || reason FROM trials WHERE state "
     "<> 'completed'"},
    {"counts are those of the trials",
     "SELECT name FROM sweeps s WHERE completed <> (SELECT count(*) FROM trials t WHERE t.sweep_id "
     "= s.id AND state = 'completed') OR pending + running + stopped + failed + cancelled <> 0"},
    {"every trial was completed exactly once",
     "SELECT t.sweep_id || '/' || t.number FROM trials t WHERE (SELECT count(*) FROM attempts a "
     "WHERE a.trial_id = t.id AND a.outcome = 'completed') <> 1"},
    {"every configuration has the same number of replicates",
     "SELECT c.sweep_id || '/' || c.number FROM configurations c WHERE (SELECT count(*) FROM "
     "trials "
     "t WHERE t.configuration_id = c.id) <> (SELECT max(replicate) + 1 FROM trials t WHERE "
     "t.sweep_id = c.sweep_id)"},
    {"no configuration was made twice",
     "SELECT sweep_id || ' ' || parameters FROM configurations GROUP BY sweep_id, parameters "
     "HAVING "
     "count(*) > 1"},
    {"attempts are numbered without a gap and closed",
     "SELECT trial_id FROM attempts a GROUP BY trial_id HAVING count(*) <> max(attempt) OR "
     "min(attempt) <> 1 OR sum(outcome = '') > 0 OR sum(ended_us IS NULL) > 0"},
    {"the last attempt is the one that completed",
     "SELECT t.id FROM trials t JOIN attempts a ON a.trial_id = t.id AND a.attempt = t.attempt "
     "WHERE a.outcome <> 'completed'"},
    {"a trial has one holder at a time",
     "SELECT a.trial_id || ' attempt ' || a.attempt FROM attempts a JOIN attempts b ON b.trial_id "
     "= "
     "a.trial_id AND b.attempt = a.attempt + 1 WHERE b.started_us < a.ended_us"},
    {"no epoch was accepted outside of its attempt",
     "SELECT e.trial_id || ' attempt ' || e.attempt || ' epoch ' || e.epoch FROM epoch_reports e "
     "LEFT JOIN attempts a ON a.trial_id = e.trial_id AND a.attempt = e.attempt WHERE a.attempt IS "
     "NULL OR e.reported_us NOT BETWEEN a.started_us AND a.ended_us"},
    {"an attempt goes on from a checkpoint of an earlier one, or from the beginning",
     "SELECT e.trial_id || ' attempt ' || e.attempt FROM epoch_reports e GROUP BY e.trial_id, "
     "e.attempt HAVING max(e.epoch) - min(e.epoch) + 1 <> count(*) OR min(e.epoch) > 1 + (SELECT "
     "ifnull(max(f.epoch), 0) FROM epoch_reports f WHERE f.trial_id = e.trial_id AND f.attempt < "
     "e.attempt)"},
    {"workers train the sweeps of workers, and callers those of callers",
     "SELECT s.name || '/' || t.number || ' by ' || a.worker FROM attempts a JOIN trials t ON t.id "
     "= a.trial_id JOIN sweeps s ON s.id = t.sweep_id WHERE (s.name LIKE 'asked-%') <> (a.worker "
     "LIKE 'caller:%')"},
    {"every trial has one event per epoch",
     "SELECT t.sweep_id || '/' || t.number FROM trials t JOIN events e ON e.trial_id = t.id AND "
     "e.kind = 'epoch' GROUP BY t.id HAVING count(*) <> t.epochs OR count(DISTINCT e.epoch) <> "
     "t.epochs"},
    {"every trial has all its epochs",
     "SELECT t.sweep_id || '/' || t.number FROM trials t WHERE t.epoch <> t.epochs OR (SELECT "
     "count(DISTINCT epoch) FROM epoch_reports e WHERE e.trial_id = t.id) <> t.epochs"},
    {"no attempt measured other numbers than an earlier one",
     "SELECT trial_id || ' epoch ' || epoch FROM divergences"},
    {"repeated epochs are the same",
     "SELECT trial_id || ' epoch ' || epoch FROM epoch_reports GROUP BY trial_id, epoch HAVING "
     "count(DISTINCT validation_accuracy) > 1 OR count(DISTINCT train_loss) > 1"},
    // The sweeps differ only in their names, and each was disturbed in another way.
    {"the same training has the same epochs in every sweep of the real trainer",
     "SELECT 'trial ' || t.number || ' epoch ' || e.epoch FROM epoch_reports e JOIN trials t ON "
     "t.id = e.trial_id JOIN sweeps s ON s.id = t.sweep_id WHERE s.name LIKE 'real-%' GROUP BY "
     "t.number, e.epoch HAVING count(DISTINCT e.train_loss) > 1 OR count(DISTINCT "
     "e.validation_loss) > 1"},
    {"what a trial says of itself is in its epochs",
     "SELECT t.id FROM trials t WHERE t.best <> (SELECT max(validation_accuracy) FROM "
     "epoch_reports e WHERE e.trial_id = t.id)"},
};

class Reader {
 public:
  explicit Reader(const std::string& path) {
    if (sqlite3_open_v2(path.c_str(), &database_, SQLITE_OPEN_READONLY, nullptr) != SQLITE_OK) {
      throw std::runtime_error("cannot open " + path);
    }
  }
  ~Reader() { sqlite3_close(database_); }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  // Calls `row` with the columns of each row as text.
  void Query(const std::string& sql,
             const std::function<void(const std::vector<std::string>&)>& row) {
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v2(database_, sql.c_str(), -1, &statement, nullptr) != SQLITE_OK) {
      throw std::runtime_error(fmt::format("{}: {}", sql, sqlite3_errmsg(database_)));
    }
    while (sqlite3_step(statement) == SQLITE_ROW) {
      std::vector<std::string> columns;
      for (int i = 0; i < sqlite3_column_count(statement); ++i) {
        const unsigned char* const text = sqlite3_column_text(statement, i);
        columns.emplace_back(text == nullptr ? "" : reinterpret_cast<const char*>(text));
      }
      row(columns);
    }
    sqlite3_finalize(statement);
  }

 private:
  sqlite3* database_ = nullptr;
};

void CheckRules(Reader* reader, std::vector<std::string>* violations) {
  for (const Rule& rule : kRules) {
    reader->Query(rule.sql, [&](const std::vector<std::string>& columns) {
      violations->push_back(fmt::format("{}: {}", rule.name, columns[0]));
    });
  }
}

constexpr char kTrialName[] = "'sweeps/' || s.name || '/trials/' || t.number";

// Reports the acknowledged keys that have no row (trial, attempt, number) in the table.
void CheckAllThere(Reader* reader, std::set<Ledger::Key> acknowledged, const std::string& table,
                   const std::string& column, std::vector<std::string>* violations) {
  reader->Query(fmt::format("SELECT {}, e.attempt, e.{} FROM {} e JOIN trials t ON t.id = "
                            "e.trial_id JOIN sweeps s ON s.id = t.sweep_id",
                            kTrialName, column, table),
                [&](const std::vector<std::string>& columns) {
                  acknowledged.erase({columns[0], std::stoi(columns[1]), std::stoll(columns[2])});
                });
  for (const auto& [trial, attempt, number] : acknowledged) {
    violations->push_back(fmt::format("an acknowledged {} is gone: {} attempt {} {} {}", column,
                                      trial, attempt, column, number));
  }
}

// Everything that was acknowledged must be durable.
void CheckLedger(Reader* reader, const Ledger& ledger, std::vector<std::string>* violations) {
  CheckAllThere(reader, ledger.epochs(), "epoch_reports", "epoch", violations);
  CheckAllThere(reader, ledger.log_lines(), "log_lines", "line", violations);
  std::set<std::pair<std::string, int>> completions = ledger.completions();
  reader->Query(fmt::format("SELECT {}, a.attempt FROM attempts a JOIN trials t ON t.id = "
                            "a.trial_id JOIN sweeps s ON s.id = t.sweep_id WHERE a.outcome = "
                            "'completed'",
                            kTrialName),
                [&](const std::vector<std::string>& columns) {
                  completions.erase({columns[0], std::stoi(columns[1])});
                });
  for (const auto& [trial, attempt] : completions) {
    violations->push_back(
        fmt::format("an acknowledged completion is gone: {} attempt {}", trial, attempt));
  }
  std::map<std::string, std::int64_t> budgets = ledger.budgets();
  reader->Query("SELECT 'sweeps/' || name, configurations FROM sweeps",
                [&](const std::vector<std::string>& columns) {
                  const auto found = budgets.find(columns[0]);
                  if (found == budgets.end() || found->second != std::stoll(columns[1])) return;
                  budgets.erase(found);
                });
  for (const auto& [sweep, configurations] : budgets) {
    violations->push_back(fmt::format("{} has not the {} configurations that were acknowledged",
                                      sweep, configurations));
  }
}

// However often a request is repeated, and however late a copy of it arrives, it is granted one
// attempt at most.
void CheckAsks(Reader* reader, const Ledger& ledger, std::vector<std::string>* violations) {
  std::map<std::string, std::int64_t> asks = ledger.asks();
  reader->Query(
      "SELECT 'sweeps/' || s.name, count(*) FROM attempts a JOIN trials t ON t.id = a.trial_id "
      "JOIN sweeps s ON s.id = t.sweep_id WHERE s.name LIKE 'asked-%' GROUP BY s.id",
      [&](const std::vector<std::string>& columns) {
        if (std::stoll(columns[1]) <= asks[columns[0]]) return;
        violations->push_back(fmt::format("{} granted {} attempts for {} requests of callers",
                                          columns[0], columns[1], asks[columns[0]]));
      });
}

// A report that was sent after the end of its attempt must have been refused. The database ends a
// lost attempt at its last sign of life; it was taken back at the trial's last event that took it
// from a holder. A late report may have given it back to its holder before, and have added no row.
void CheckFencing(Reader* reader, const Ledger& ledger, std::vector<std::string>* violations) {
  const auto last_reports = ledger.last_reports();
  reader->Query(
      fmt::format(
          "SELECT {}, a.attempt, CASE a.outcome WHEN 'lost' THEN coalesce((SELECT "
          "max(x.time_us) FROM (SELECT e.attempt, e.time_us, e.state IN ('leased', "
          "'running') AS held, lag(e.state) OVER (ORDER BY e.sequence) IN ('leased', "
          "'running') AS was_held FROM events e WHERE e.sweep_id = s.id AND e.trial_id = "
          "t.id AND e.kind = 'trial') x WHERE x.attempt = a.attempt AND x.was_held AND NOT "
          "x.held), a.ended_us) ELSE a.ended_us END FROM attempts a JOIN trials t ON t.id = "
          "a.trial_id JOIN sweeps s ON s.id = t.sweep_id WHERE a.ended_us IS NOT NULL",
          kTrialName),
      [&](const std::vector<std::string>& columns) {
        const auto last = last_reports.find({columns[0], std::stoi(columns[1])});
        if (last == last_reports.end() ||
            last->second <= absl::FromUnixMicros(std::stoll(columns[2]))) {
          return;
        }
        violations->push_back(
            fmt::format("a report was accepted after its attempt had ended: {} attempt {}",
                        columns[0], columns[1]));
      });
}

// True if `name` is the object, or a trial of it when the object is a sweep.
bool IsOf(const std::string& name, const std::string& object) {
  return name == object || name.starts_with(object + "/");
}

// Reports rows of `sql` (trial, time in microseconds, words) within an interval of their object.
void CheckQuiet(Reader* reader, const std::vector<Interval>& intervals, const std::string& sql,
                const std::string& what, std::vector<std::string>* violations) {
  reader->Query(sql, [&](const std::vector<std::string>& columns) {
    const absl::Time time = absl::FromUnixMicros(std::stoll(columns[1]));
    for (const Interval& interval : intervals) {
      if (IsOf(columns[0], interval.object) && interval.begin < time && time < interval.end) {
        violations->push_back(
            fmt::format("{} {}: {} {}", interval.object, what, columns[0], columns[2]));
      }
    }
  });
}

// An acknowledged decision must hold until it is reversed.
void CheckDecisions(Reader* reader, const Ledger& ledger, std::vector<std::string>* violations) {
  const std::string grants = fmt::format(
      "SELECT {}, a.started_us, 'attempt ' || a.attempt FROM attempts a JOIN trials t ON t.id = "
      "a.trial_id JOIN sweeps s ON s.id = t.sweep_id",
      kTrialName);
  const std::string reports = fmt::format(
      "SELECT {}, e.reported_us, 'epoch ' || e.epoch FROM epoch_reports e JOIN trials t ON t.id = "
      "e.trial_id JOIN sweeps s ON s.id = t.sweep_id",
      kTrialName);
  CheckQuiet(reader, ledger.paused(), grants, "was paused, yet it was granted", violations);
  CheckQuiet(reader, ledger.cancelled(), grants, "was cancelled, yet it was granted", violations);
  CheckQuiet(reader, ledger.cancelled(), reports, "was cancelled, yet it reported", violations);
}

// Drains and pauses are no failures; lost workers and crashes are. A retry starts again from 0.
void CheckFailures(Reader* reader, const Ledger& ledger, std::vector<std::string>* violations) {
  const std::vector<Interval> cancelled = ledger.cancelled();
  reader->Query(
      fmt::format("SELECT {}, t.failures, (SELECT count(*) FROM attempts a WHERE a.trial_id = t.id "
                  "AND a.outcome IN ('failed', 'lost')) FROM trials t JOIN sweeps s ON s.id = "
                  "t.sweep_id",
                  kTrialName),
      [&](const std::vector<std::string>& columns) {
        const bool retried = std::any_of(
            cancelled.begin(), cancelled.end(),
            [&](const Interval& interval) { return IsOf(columns[0], interval.object); });
        const int failures = std::stoi(columns[1]);
        const int attempts = std::stoi(columns[2]);
        if (retried ? failures <= attempts : failures == attempts) return;
        violations->push_back(fmt::format("{} counts {} failures, {} attempts failed", columns[0],
                                          failures, attempts));
      });
}

void CheckBlobs(Reader* reader, const std::string& folder, std::vector<std::string>* violations) {
  std::set<std::string> wanted;
  reader->Query(
      "SELECT sha256 FROM artifacts UNION SELECT checkpoint_sha256 FROM trials WHERE "
      "checkpoint_sha256 <> ''",
      [&](const std::vector<std::string>& columns) { wanted.insert(columns[0]); });
  std::error_code error;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder, error)) {
    const std::string name = entry.path().filename();
    if (!entry.is_regular_file() || !wanted.contains(name)) continue;
    std::ostringstream bytes;
    bytes << std::ifstream(entry.path(), std::ios::binary).rdbuf();
    if (Sha256Hex(bytes.str()) == name) wanted.erase(name);
  }
  for (const std::string& sha256 : wanted) {
    violations->push_back("a blob that is referred to is missing or broken: " + sha256);
  }
}

}  // namespace

std::vector<std::string> FindViolations(const std::string& database, const Ledger& ledger) {
  std::vector<std::string> violations;
  Reader reader(database);
  CheckRules(&reader, &violations);
  CheckLedger(&reader, ledger, &violations);
  CheckAsks(&reader, ledger, &violations);
  CheckFencing(&reader, ledger, &violations);
  CheckDecisions(&reader, ledger, &violations);
  CheckFailures(&reader, ledger, &violations);
  CheckBlobs(&reader, database + ".blobs", &violations);
  return violations;
}

}  // namespace sweep::chaos
