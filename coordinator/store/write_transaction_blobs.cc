// Blobs. `blobs.created_us` is the time at which a blob was last stored, referred to or released;
// the collector depends on it.

#include <utility>

#include "common/base/sha256.h"
#include "coordinator/store/row_reader.h"
#include "coordinator/store/status_macros.h"
#include "coordinator/store/write_transaction.h"
#include "fmt/format.h"

namespace sweep {

absl::Status WriteTransaction::AddBlob(const std::string& sha256, std::int64_t size_bytes) {
  return Guard([&]() -> absl::Status {
    if (!IsSha256Hex(sha256) || size_bytes < 0) {
      return absl::InvalidArgumentError(
          fmt::format("'{}' with {} bytes is not a blob", sha256, size_bytes));
    }
    return database_.Run(
        "INSERT INTO blobs (sha256, size_bytes, created_us) VALUES (?, ?, ?) ON CONFLICT (sha256) "
        "DO UPDATE SET created_us = excluded.created_us",
        sha256, size_bytes, ToMicros(now_));
  });
}

absl::Status WriteTransaction::TouchBlob(const std::string& sha256) {
  return database_.Run("UPDATE blobs SET created_us = ? WHERE sha256 = ?", ToMicros(now_), sha256);
}

absl::StatusOr<std::vector<std::string>> WriteTransaction::TouchBlobs(
    const std::vector<std::string>& blobs) {
  return Guard([&]() -> absl::StatusOr<std::vector<std::string>> {
    std::vector<std::string> unknown;
    for (const std::string& sha256 : blobs) {
      const std::int64_t changes = database_.total_changes();
      STORE_RETURN_IF_ERROR(TouchBlob(sha256));
      if (database_.total_changes() == changes) unknown.push_back(sha256);
    }
    return unknown;
  });
}

absl::Status WriteTransaction::KeepData(std::int64_t sweep_id,
                                        const std::vector<std::string>& blobs) {
  return Guard([&]() -> absl::Status {
    STORE_ASSIGN_OR_RETURN(const std::vector<std::string> unknown, TouchBlobs(blobs));
    if (!unknown.empty()) {
      return absl::FailedPreconditionError(fmt::format(
          "{} of the {} parts of the data set are not here, such as blob {}; upload the data again",
          unknown.size(), blobs.size(), unknown.front()));
    }
    for (const std::string& sha256 : blobs) {
      STORE_RETURN_IF_ERROR(database_.Run(
          "INSERT OR IGNORE INTO sweep_data (sweep_id, sha256) VALUES (?, ?)", sweep_id, sha256));
    }
    return absl::OkStatus();
  });
}

absl::Status WriteTransaction::SetArtifact(const TrialRow& trial, const ArtifactRow& artifact) {
  STORE_RETURN_IF_ERROR(database_.Run(
      "UPDATE blobs SET created_us = ? WHERE sha256 = (SELECT sha256 FROM artifacts WHERE trial_id "
      "= ? AND role = ?)",
      ToMicros(now_), trial.id, artifact.role));
  STORE_RETURN_IF_ERROR(TouchBlob(artifact.sha256));
  Statement sizes = database_.Prepare(
      "SELECT (SELECT size_bytes FROM blobs WHERE sha256 = ?3) - coalesce((SELECT b.size_bytes "
      "FROM artifacts a JOIN blobs b ON b.sha256 = a.sha256 WHERE a.trial_id = ?1 AND a.role = "
      "?2), 0)");
  sizes.Bind(trial.id, artifact.role, artifact.sha256);
  STORE_RETURN_IF_ERROR(sizes.Step().status());
  STORE_RETURN_IF_ERROR(AddDiskBytes(trial.sweep_id, sizes.Int(0)));
  return database_.Run("INSERT OR REPLACE INTO artifacts (trial_id, role, sha256) VALUES (?, ?, ?)",
                       trial.id, artifact.role, artifact.sha256);
}

absl::StatusOr<std::vector<std::string>> WriteTransaction::ForgetUnusedBlobs(
    const std::vector<std::string>& blobs, absl::Time before) {
  return Guard([&]() -> absl::StatusOr<std::vector<std::string>> {
    std::vector<std::string> forgotten;
    for (const std::string& sha256 : blobs) {
      const std::int64_t changes = database_.total_changes();
      STORE_RETURN_IF_ERROR(database_.Run("DELETE FROM blobs WHERE sha256 = ? AND created_us < ?",
                                          sha256, ToMicros(before)));
      if (database_.total_changes() != changes) forgotten.push_back(sha256);
    }
    return forgotten;
  });
}

absl::StatusOr<std::vector<std::string>> WriteTransaction::ForgetLostBlob(
    const std::string& sha256) {
  return Guard([&]() -> absl::StatusOr<std::vector<std::string>> {
    Statement query = database_.Prepare(
        "SELECT s.name || '/' || t.number FROM trials t JOIN sweeps s ON s.id = t.sweep_id WHERE "
        "t.checkpoint_sha256 = ?");
    query.Bind(sha256);
    STORE_ASSIGN_OR_RETURN(
        std::vector<std::string> trials,
        CollectRows<std::string>(query, [](const Statement& row) -> absl::StatusOr<std::string> {
          return row.Text(0);
        }));
    STORE_RETURN_IF_ERROR(database_.Run(
        "UPDATE trials SET checkpoint_sha256 = '', checkpoint_epoch = 0 WHERE checkpoint_sha256 = "
        "?",
        sha256));
    STORE_RETURN_IF_ERROR(database_.Run(
        "DELETE FROM blobs WHERE sha256 = ?1 AND NOT EXISTS (SELECT 1 FROM artifacts WHERE sha256 "
        "= ?1) AND NOT EXISTS (SELECT 1 FROM sweep_data WHERE sha256 = ?1)",
        sha256));
    return trials;
  });
}

}  // namespace sweep
