#include "tests/fault/chaos/proof.h"

#include <sqlite3.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <set>
#include <sstream>
#include <stdexcept>

#include "common/base/sha256.h"
#include "fmt/format.h"

namespace sweep::chaos {
namespace {

// Rules that are one query each: a row is a violation, told by its first column.
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
    {"attempts are numbered without a gap and closed",
     "SELECT trial_id FROM attempts a GROUP BY trial_id HAVING count(*) <> max(attempt) OR "
     "min(attempt) <> 1 OR sum(outcome = '') > 0 OR sum(ended_us IS NULL) > 0"},
    {"the last attempt is the one that completed",
     "SELECT t.id FROM trials t JOIN attempts a ON a.trial_id = t.id AND a.attempt = t.attempt "
     "WHERE a.outcome <> 'completed'"},
    {"every trial has all its epochs",
     "SELECT t.sweep_id || '/' || t.number FROM trials t WHERE t.epoch <> t.epochs OR (SELECT "
     "count(DISTINCT epoch) FROM epoch_reports e WHERE e.trial_id = t.id) <> t.epochs"},
    {"no attempt measured other numbers than an earlier one",
     "SELECT trial_id || ' epoch ' || epoch FROM divergences"},
    {"repeated epochs are the same",
     "SELECT trial_id || ' epoch ' || epoch FROM epoch_reports GROUP BY trial_id, epoch HAVING "
     "count(DISTINCT validation_accuracy) > 1 OR count(DISTINCT train_loss) > 1"},
    {"what a trial says of itself is in its epochs",
     "SELECT t.id FROM trials t WHERE t.best_accuracy <> (SELECT max(validation_accuracy) FROM "
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

// Acknowledged means durable.
void CheckLedger(Reader* reader, const Ledger& ledger, std::vector<std::string>* violations) {
  Ledger::Epochs epochs = ledger.epochs();
  reader->Query(
      "SELECT 'sweeps/' || s.name || '/trials/' || t.number, e.attempt, e.epoch FROM epoch_reports "
      "e "
      "JOIN trials t ON t.id = e.trial_id JOIN sweeps s ON s.id = t.sweep_id",
      [&](const std::vector<std::string>& columns) {
        epochs.erase({columns[0], std::stoi(columns[1]), std::stoi(columns[2])});
      });
  for (const auto& [trial, attempt, epoch] : epochs) {
    violations->push_back(fmt::format("an acknowledged epoch is gone: {} attempt {} epoch {}",
                                      trial, attempt, epoch));
  }
  std::set<std::pair<std::string, int>> completions = ledger.completions();
  reader->Query(
      "SELECT 'sweeps/' || s.name || '/trials/' || t.number, a.attempt FROM attempts a JOIN trials "
      "t "
      "ON t.id = a.trial_id JOIN sweeps s ON s.id = t.sweep_id WHERE a.outcome = 'completed'",
      [&](const std::vector<std::string>& columns) {
        completions.erase({columns[0], std::stoi(columns[1])});
      });
  for (const auto& [trial, attempt] : completions) {
    violations->push_back(
        fmt::format("an acknowledged completion is gone: {} attempt {}", trial, attempt));
  }
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
  CheckBlobs(&reader, database + ".blobs", &violations);
  return violations;
}

}  // namespace sweep::chaos
