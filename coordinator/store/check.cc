#include "coordinator/store/check.h"

#include <cstdint>
#include <filesystem>
#include <iterator>
#include <limits>
#include <memory>
#include <set>
#include <system_error>

#include "common/base/sha256.h"
#include "coordinator/store/blob_files.h"
#include "coordinator/store/database_file.h"
#include "coordinator/store/lock_file.h"
#include "coordinator/store/schema.h"
#include "coordinator/store/sqlite.h"
#include "coordinator/store/status_macros.h"
#include "fmt/format.h"

namespace sweep {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kShownPerRule = 10;

// Each row of a rule's query is a fault, described by its first column. A query uses only columns
// of the first schema version that its rule is for, so that older files are checked without
// migration. `sweeps` are the sweeps that are not deleted (kKeptSweeps).
struct Rule {
  const char* name;
  const char* sql;
  std::int64_t since = 1;
  std::int64_t before = std::numeric_limits<std::int64_t>::max();
};
constexpr std::int64_t kVersionOfDivergence = 5;
constexpr std::int64_t kVersionOfRevisions = 11;
constexpr std::int64_t kVersionOfMeasures = 6;  // and of the states of events
constexpr std::int64_t kVersionOfValues = 7;    // of trials that have ended, in a table
constexpr std::int64_t kVersionOfSegments = 12;
constexpr std::int64_t kVersionOfPacking = 9;  // the same, in the trial's row too

// Hides deleted sweeps from all rules, since their counts are wrong while their rows are removed
// bit by bit. Other rules hold at any time: a trial and its epochs are removed together.
constexpr char kKeptSweeps[] =
    "CREATE TEMP VIEW sweeps AS SELECT * FROM main.sweeps WHERE name NOT GLOB ':*'";

// Compares the reported numbers, in columns and from `own`, with the bounds that `kept` has as
// JSON. JSON may differ in the last bit.
#define COMPARE_RESULTS(own, kept)                                                            \
  "WITH firsts AS (SELECT trial_id, epoch, train_loss, train_accuracy, validation_loss, "     \
  "validation_accuracy, more, min(attempt) AS attempt FROM epoch_reports GROUP BY trial_id, " \
  "epoch), numbers AS ("                                                                      \
  "SELECT trial_id, 'train_loss' AS name, train_loss AS value FROM firsts UNION ALL "         \
  "SELECT trial_id, 'train_accuracy', train_accuracy FROM firsts UNION ALL "                  \
  "SELECT trial_id, 'validation_loss', validation_loss FROM firsts UNION ALL "                \
  "SELECT trial_id, 'validation_accuracy', validation_accuracy FROM firsts UNION ALL " own    \
  "), "                                                                                       \
  "bounds AS (SELECT trial_id, name, min(value) AS low, max(value) AS high FROM numbers "     \
  "WHERE value IS NOT NULL GROUP BY trial_id, name), "                                        \
  "kept AS (SELECT m.trial_id, j.key AS name, "                                               \
  "CASE json_extract(j.value, '$[1]') WHEN 'Infinity' THEN 9e999 WHEN '-Infinity' THEN "      \
  "-9e999 ELSE json_extract(j.value, '$[1]') END AS low, "                                    \
  "CASE json_extract(j.value, '$[2]') WHEN 'Infinity' THEN 9e999 WHEN '-Infinity' THEN "      \
  "-9e999 ELSE json_extract(j.value, '$[2]') END AS high FROM " kept                          \
  " m, json_each(m.measures) "                                                                \
  "j) SELECT 'trial ' || t.id || ' has another ' || b.name FROM bounds b JOIN trials t ON "   \
  "t.id = b.trial_id LEFT JOIN kept k ON k.trial_id = t.id AND k.name = b.name WHERE "        \
  "NOT coalesce((k.low = b.low OR (abs(b.low) < 9e999 AND abs(k.low - b.low) <= 1e-12 * "     \
  "max(1, abs(b.low)))) AND (k.high = b.high OR (abs(b.high) < 9e999 AND abs(k.high - "       \
  "b.high) <= 1e-12 * max(1, abs(b.high)))), 0)"

constexpr Rule kRules[] = {
    {"the file's pages, rows and indices are sound",
     "SELECT integrity_check FROM pragma_integrity_check(100) WHERE integrity_check <> 'ok'"},
    {"every foreign key points somewhere",
     "SELECT 'table ' || \"table\" || ' refers to a missing row of ' || parent FROM "
     "pragma_foreign_key_check"},
    {"configurations are numbered without a gap, within the budget",
     "SELECT name || ' says ' || configurations || ' of ' || planned_configurations FROM sweeps s "
     "WHERE configurations > planned_configurations OR configurations <> (SELECT count(*) FROM "
     "configurations c WHERE c.sweep_id = s.id) OR configurations <> coalesce((SELECT max(number) "
     "FROM configurations c WHERE c.sweep_id = s.id), 0)"},
    {"trials are numbered without a gap and belong to their configuration's sweep",
     "SELECT s.name FROM sweeps s JOIN trials t ON t.sweep_id = s.id "
     "GROUP BY s.id HAVING count(*) <> max(t.number) OR min(t.number) <> 1 UNION ALL SELECT 'trial "
     "' || t.id FROM trials t JOIN "
     "configurations c ON c.id = t.configuration_id WHERE c.sweep_id <> t.sweep_id"},
    {"a sweep's counts are those of its trials",
     "SELECT s.name FROM sweeps s LEFT JOIN trials t ON t.sweep_id = s.id "
     "GROUP BY s.id HAVING s.pending <> total(t.state = 'pending') OR s.running <> "
     "total(t.state IN ('leased', "
     "'running')) OR s.completed <> total(t.state = 'completed') OR s.stopped <> total(t.state = "
     "'stopped') OR s.cancelled <> total(t.state = 'cancelled')"},
    {.name = "a sweep counts its trials on hold",
     .sql =
         "SELECT s.name FROM sweeps s WHERE s.name NOT GLOB ':*' AND on_hold <> (SELECT count(*) "
         "FROM trials t WHERE t.sweep_id = s.id AND t.state = 'on_hold')",
     .since = kVersionOfMeasures},
    {.name = "a sweep counts its failed trials",
     .sql = "SELECT name FROM sweeps s WHERE failed <> (SELECT count(*) FROM trials t WHERE "
            "t.sweep_id = s.id AND t.state = 'failed')",
     .before = kVersionOfDivergence},
    {.name = "a sweep counts its failed trials, and apart from them those that diverged",
     .sql = "SELECT s.name FROM sweeps s LEFT JOIN trials t ON t.sweep_id = s.id GROUP BY s.id "
            "HAVING s.failed <> total(t.state = 'failed' AND NOT t.diverged) OR s.diverged <> "
            "total(t.diverged) UNION ALL SELECT 'trial ' || id || ' is ' || state FROM trials "
            "WHERE diverged AND state <> 'failed'",
     .since = kVersionOfDivergence},
    {"a sweep counts its qualifying configurations",
     "SELECT name FROM sweeps s WHERE qualifying <> (SELECT count(*) FROM configurations c WHERE "
     "c.sweep_id = s.id AND c.qualifies)"},
    {.name = "revisions of sweep files are numbered without a gap, and begin within the sweep",
     .sql = "SELECT name || ' has revision ' || revision || ' from configuration ' || "
            "first_configuration FROM sweeps s WHERE name NOT GLOB ':*' AND (revision <> 1 + "
            "(SELECT count(*) FROM replaced_files r WHERE r.sweep_id = s.id AND r.revision < "
            "s.revision AND r.first_configuration <= s.first_configuration) OR "
            "first_configuration > configurations + 1)",
     .since = kVersionOfRevisions},
    {.name = "what a search knows from earlier sweeps is as many configurations as it has taken",
     .sql = "SELECT name FROM sweeps s WHERE name NOT GLOB ':*' AND (SELECT total(taken + "
            "left_out) FROM warm_starts w WHERE w.sweep_id = s.id) <> (SELECT count(*) FROM "
            "warm_points p WHERE p.sweep_id = s.id)",
     .since = kVersionOfRevisions},
    {"a completed sweep has nothing left to do",
     "SELECT name FROM sweeps WHERE state = 'completed' AND (exhausted = 0 OR pending + running > "
     "0)"},
    {.name = "a sweep that has ended has no trials on hold",
     .sql = "SELECT name FROM sweeps WHERE name NOT GLOB ':*' AND state IN ('completed', "
            "'cancelled') AND on_hold > 0",
     .since = kVersionOfMeasures},
    {.name = "a trial on hold has reached its target epoch, which is not its last",
     .sql = "SELECT 'trial ' || id FROM trials WHERE state = 'on_hold' AND NOT (target_epoch > 0 "
            "AND target_epoch < epochs AND epoch >= target_epoch AND stopping = 0)",
     .since = kVersionOfMeasures},
    {"attempts are numbered without a gap, up to the trial's",
     "SELECT 'trial ' || t.id || ' is at attempt ' || t.attempt FROM trials t LEFT JOIN attempts a "
     "ON a.trial_id = t.id GROUP BY t.id HAVING count(a.attempt) <> t.attempt OR "
     "coalesce(max(a.attempt), 0) <> t.attempt"},
    {"the one open attempt is that of a trial that is held",
     "SELECT 'trial ' || t.id || ' is ' || t.state || ', its attempt ' || a.attempt || ' is \"' || "
     "a.outcome || '\"' FROM attempts a JOIN trials t ON t.id = a.trial_id WHERE (a.outcome = '') "
     "<> (a.attempt = t.attempt AND t.state IN ('leased', 'running')) OR (a.outcome = '') <> "
     "(a.ended_us IS NULL)"},
    {"a trial that has ended says when, and a completed one has epochs",
     "SELECT 'trial ' || id || ' is ' || state FROM trials WHERE (state IN ('completed', "
     "'stopped', 'failed', 'cancelled')) <> (ended_us IS NOT NULL) OR (state = 'completed' AND "
     "epoch = 0) OR epoch > epochs"},
    {.name = "the last event of a trial says its state",
     .sql = "SELECT 'trial ' || t.id || ' is ' || t.state || ', its last event says ' || e.state "
            "FROM (SELECT trial_id, max(sequence) AS last FROM events WHERE kind = 'trial' GROUP "
            "BY trial_id) m JOIN trials t ON t.id = m.trial_id JOIN events e ON e.sequence = "
            "m.last WHERE e.state <> iif(t.diverged, 'diverged', t.state)",
     .since = kVersionOfMeasures},
    {"every report belongs to an attempt",
     "SELECT 'trial ' || e.trial_id || ' attempt ' || e.attempt || ' epoch ' || e.epoch FROM "
     "epoch_reports e LEFT JOIN attempts a ON a.trial_id = e.trial_id AND a.attempt = e.attempt "
     "WHERE a.trial_id IS NULL"},
    {"a trial is at the last epoch that was reported",
     "SELECT 'trial ' || t.id || ' is at epoch ' || t.epoch FROM trials t LEFT JOIN epoch_reports "
     "e ON e.trial_id = t.id GROUP BY t.id HAVING coalesce(max(e.epoch), 0) <> t.epoch"},
    // The other columns are those of the row with min(attempt), which was acknowledged first.
    {.name = "a trial's results are those of its epochs",
     .sql = "WITH firsts AS (SELECT trial_id, epoch, validation_accuracy AS accuracy, "
            "validation_loss AS loss, min(attempt) FROM epoch_reports GROUP BY trial_id, epoch) "
            "SELECT 'trial ' || t.id FROM trials t WHERE t.epoch > 0 AND (t.best_accuracy IS NOT "
            "(SELECT max(accuracy) FROM firsts f WHERE f.trial_id = t.id) OR t.last_accuracy IS "
            "NOT (SELECT accuracy FROM firsts f WHERE f.trial_id = t.id AND f.epoch = t.epoch))",
     .before = kVersionOfMeasures},
    {.name = "a trial's results are those of its epochs",
     .sql =
         COMPARE_RESULTS("SELECT f.trial_id, j.key, CASE j.value WHEN 'Infinity' THEN 9e999 WHEN "
                         "'-Infinity' THEN -9e999 ELSE j.value END FROM firsts f, "
                         "json_each(f.more) j",
                         "(SELECT id AS trial_id, measures FROM trials)"),
     .since = kVersionOfMeasures,
     .before = kVersionOfValues},
    {.name = "a trial's results are those of its epochs",
     .sql = COMPARE_RESULTS("SELECT o.trial_id, o.name, o.value FROM firsts f JOIN own_measures o "
                            "ON o.trial_id = f.trial_id AND o.attempt = f.attempt AND o.epoch = "
                            "f.epoch",
                            "trial_measures"),
     .since = kVersionOfValues},
    {.name = "the values of a trial are those of one that has ended",
     .sql = "SELECT 'trial ' || v.trial_id FROM trial_values v LEFT JOIN trials t ON t.id = "
            "v.trial_id AND t.sweep_id = v.sweep_id LEFT JOIN measure_names n ON n.sweep_id = "
            "v.sweep_id AND n.measure = v.measure WHERE n.name IS NULL OR t.id IS NULL OR "
            "t.measures <> 'null' OR t.ended_us IS NULL",
     .since = kVersionOfValues},
    {.name = "the packed measures of a trial are its values",
     .sql = "SELECT 'trial ' || t.id FROM trials t WHERE packed_measures IS NOT iif("
            "t.epoch > 0 AND t.measures = 'null', (SELECT measure_summaries(name, last, low, high) "
            "FROM (SELECT n.name, v.last, v.low, v.high FROM measure_names n CROSS JOIN "
            "trial_values v ON v.sweep_id = n.sweep_id AND v.measure = n.measure AND v.trial_id = "
            "t.id WHERE n.sweep_id = t.sweep_id ORDER BY n.name)), NULL)",
     .since = kVersionOfPacking},
    {.name = "a checkpoint is that of a reported epoch and was stored",
     .sql = "SELECT 'trial ' || id FROM trials WHERE checkpoint_epoch > epoch OR "
            "(checkpoint_sha256 = '') <> (checkpoint_epoch = 0) OR (checkpoint_sha256 <> '' AND "
            "checkpoint_sha256 NOT IN (SELECT sha256 FROM blobs))",
     .before = kVersionOfSegments},
    {.name = "a checkpoint is that of a reported epoch, or the parent's, and was stored",
     .sql = "SELECT 'trial ' || t.id FROM trials t JOIN configurations c ON c.id = "
            "t.configuration_id WHERE checkpoint_epoch > max(epoch, c.start_epoch) OR "
            "(checkpoint_sha256 = '') <> (checkpoint_epoch = 0) OR (checkpoint_sha256 <> '' AND "
            "checkpoint_sha256 NOT IN (SELECT sha256 FROM blobs))",
     .since = kVersionOfSegments},
    {.name =
         "a segment goes on where an earlier one has completed, and reports only its own epochs",
     .sql = "SELECT 'trial ' || t.id FROM trials t JOIN configurations c ON c.id = "
            "t.configuration_id LEFT JOIN configurations p ON p.sweep_id = c.sweep_id AND p.number "
            "= c.parent LEFT JOIN trials o ON o.configuration_id = p.id WHERE c.member IS NOT NULL "
            "AND ((c.parent IS NULL) <> (c.start_epoch = 0) OR (c.parent IS NOT NULL AND (p.id IS "
            "NULL OR c.parent >= c.number OR o.state <> 'completed' OR o.epoch < c.start_epoch)) "
            "OR (t.stopping = 0 AND t.epoch > iif(t.target_epoch > 0, t.target_epoch, t.epochs)) "
            "OR EXISTS (SELECT 1 "
            "FROM epoch_reports e WHERE e.trial_id = t.id AND e.epoch <= c.start_epoch))",
     .since = kVersionOfSegments},
};

class Checker {
 public:
  Checker(std::string blobs, std::unique_ptr<Database> database,
          const std::function<void(const std::string&)>& say)
      : blobs_(std::move(blobs)), database_(std::move(database)), say_(say) {}

  CheckReport Run() {
    // One snapshot for all queries.
    if (const absl::Status begun = database_->Run("BEGIN"); !begun.ok()) Fault(begun);
    Count();
    if (const absl::Status hidden = database_->Run(kKeptSweeps); !hidden.ok()) Fault(hidden);
    const std::int64_t version = database_->QueryInt("PRAGMA user_version").value_or(1);
    for (const Rule& rule : kRules) {
      if (version >= rule.since && version < rule.before) Apply(rule);
    }
    ReadUsedBlobs();
    if (database_->InTransaction()) database_->Run("COMMIT").IgnoreError();
    CheckBlobs();
    return std::move(report_);
  }

 private:
  void Fault(const absl::Status& status) {
    report_.faults.push_back(std::string(status.message()));
  }

  void Count() {
    std::string line;
    for (const char* table :
         {"sweeps", "configurations", "trials", "attempts", "epoch_reports", "blobs"}) {
      const auto rows = database_->QueryInt(fmt::format("SELECT count(*) FROM {}", table));
      line += fmt::format("{}{} {}", line.empty() ? "" : ", ",
                          rows.ok() ? std::to_string(*rows) : "?", table);
    }
    const auto version = database_->QueryInt("PRAGMA user_version");
    const auto pages = database_->QueryInt("PRAGMA page_count");
    say_(fmt::format("schema version {}, {} pages: {}", version.value_or(-1), pages.value_or(-1),
                     line));
  }

  // Reports the result of one check.
  void Conclude(const std::string& name, const std::vector<std::string>& faults) {
    say_(fmt::format("{:<8}{}", faults.empty() ? "ok" : "FAULT", name));
    for (const std::string& fault : faults) report_.faults.push_back(name + ": " + fault);
  }

  void Apply(const Rule& rule) {
    std::vector<std::string> faults;
    std::size_t more = 0;
    Statement query = database_->Prepare(rule.sql);
    absl::StatusOr<bool> row = query.Step();
    for (; row.ok() && *row; row = query.Step()) {
      if (faults.size() < kShownPerRule) {
        faults.push_back(query.Text(0));
      } else {
        ++more;
      }
    }
    if (more > 0) faults.push_back(fmt::format("and {} more", more));
    if (!row.ok()) faults.push_back(std::string(row.status().message()));
    Conclude(rule.name, faults);
  }

  void ReadUsedBlobs() {
    const absl::StatusOr<std::string> sql = UsedBlobsSql(*database_);
    if (!sql.ok()) return Fault(sql.status());
    Statement query = database_->Prepare(*sql);
    absl::StatusOr<bool> row = query.Step();
    for (; row.ok() && *row; row = query.Step()) used_.insert(query.Text(0));
    if (!row.ok()) Fault(row.status());
  }

  void CheckBlobs() {
    const std::string& folder = blobs_;
    std::vector<std::string> faults;
    for (const std::string& sha256 : used_) {
      const absl::Status verified = VerifyBlobFile(BlobPath(folder, sha256), sha256);
      if (!verified.ok()) faults.push_back(std::string(verified.message()));
    }
    Conclude(fmt::format("{} blobs that the database refers to are there with their bytes",
                         used_.size()),
             faults);
    std::int64_t unused = 0, aside = 0;
    std::error_code error;
    for (auto entry = fs::recursive_directory_iterator(folder, error);
         !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
      const std::string name = entry->path().filename();
      if (!IsSha256Hex(name)) continue;
      if (entry->path().parent_path().filename() == "damaged") {
        ++aside;
      } else {
        unused += used_.contains(name) ? 0 : 1;
      }
    }
    say_(
        fmt::format("note    {} blobs are referred to by nothing; a coordinator removes them an "
                    "hour after their last use",
                    unused));
    if (aside > 0) say_(fmt::format("note    {} damaged blobs were put aside before", aside));
  }

  const std::string blobs_;
  const std::unique_ptr<Database> database_;
  const std::function<void(const std::string&)>& say_;
  std::set<std::string> used_;
  CheckReport report_;
};

}  // namespace

absl::StatusOr<CheckReport> CheckDatabase(const std::string& path,
                                          const std::function<void(const std::string&)>& say) {
  STORE_ASSIGN_OR_RETURN(const DatabaseFile file, DatabaseFile::Resolve(path));
  STORE_RETURN_IF_ERROR(LockFile::MayRead(file));
  STORE_ASSIGN_OR_RETURN(
      std::unique_ptr<Database> database,
      Database::Open(file.path(), Database::Mode::kReadOnly, {.name = file.name()}));
  const absl::Status identity = CheckIdentity(*database, Migrations());
  if (absl::IsDataLoss(identity)) return CheckReport{.faults = {std::string(identity.message())}};
  if (!identity.ok()) return identity;
  return Checker(file.blobs(), std::move(database), say).Run();
}

}  // namespace sweep
