// The part of the scheduler that keeps results of different data apart.

#include <utility>

#include "coordinator/scheduler/scheduler_impl.h"
#include "fmt/format.h"
#include "spdlog/spdlog.h"

namespace sweep {

void SchedulerImpl::ReportData(const LeaseToken& token, const std::string& sha256,
                               const std::string& place, DataCallback callback) {
  absl::StatusOr<std::shared_ptr<const SweepSpec>> spec = SpecOf(token);
  if (!spec.ok()) return callback(spec.status());
  auto result = std::make_shared<DataReport>();  // shared by the write and its completion
  WriteFor(
      [=, spec = *spec](WriteTransaction& transaction) {
        absl::StatusOr<DataReport> report = transaction.ReportData(token, *spec, sha256, place);
        if (report.ok()) *result = *std::move(report);
        return report.status();
      },
      [this, result, token, sha256, place, callback](const absl::Status& status) {
        if (!status.ok()) return callback(status);
        OnDataReported(token, sha256, place, *result);
        callback(result->refusal);
      });
}

void SchedulerImpl::OnDataReported(const LeaseToken& token, const std::string& sha256,
                                   const std::string& place, const DataReport& report) {
  const TrialRow& row = report.trial;
  if (report.is_first) {
    spdlog::info("data of sweep known sweep={} sha256={} worker={} place={:?}", row.sweep, sha256,
                 row.worker, place);
  }
  if (!report.refusal.empty()) {
    spdlog::warn("data refused trial={} attempt={} reason={:?}", row.short_name(), token.attempt,
                 report.refusal);
  }
  MutexLock lock(&mutex_);
  if (SweepEntry* const sweep = table_.FindSweep(row.sweep_id); sweep != nullptr) {
    sweep->data_sha256 = report.sweep_sha256;
  }
  WorkerEntry* const worker = table_.FindWorker(row.worker);
  if (!report.refusal.empty() && worker != nullptr) {
    worker->can.other_data[row.sweep_id] = {.sha256 = sha256, .place = place};
    ++events_counted_.attempts_given_back;
  }
  OnLeaseRow(row, token);
}

void SchedulerImpl::ForgetOtherData(const std::string& sha256, WorkerEntry* worker) {
  const auto forgotten = std::erase_if(
      worker->can.other_data, [&](const auto& item) { return item.second.sha256 == sha256; });
  if (forgotten == 0) return;
  DeferLog(spdlog::level::info,
           fmt::format("refused data was replaced worker={} sha256={}", worker->name, sha256));
}

std::vector<OtherData> SchedulerImpl::DescribeOtherData(const WorkerEntry& worker) const {
  std::vector<OtherData> list;
  for (const auto& [sweep_id, data] : worker.can.other_data) {
    const auto sweep = table_.sweeps().find(sweep_id);
    if (sweep == table_.sweeps().end()) continue;
    list.push_back(data);
    list.back().sweep = sweep->second.name;
    list.back().sweep_sha256 = sweep->second.data_sha256;
  }
  return list;
}

}  // namespace sweep
