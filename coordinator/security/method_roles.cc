#include "coordinator/security/method_roles.h"

#include <algorithm>
#include <string>

namespace sweep {
namespace {

using Roles = std::vector<Role>;

const Roles kReading = {Role::kReader, Role::kSubmitter};
const Roles kReadingAndWorkers = {Role::kReader, Role::kSubmitter, Role::kWorker};
const Roles kSubmitting = {Role::kSubmitter};
const Roles kStoring = {Role::kSubmitter, Role::kWorker};
const Roles kWorking = {Role::kWorker};
const Roles kAdministrating = {};

}  // namespace

std::string_view MethodRule::Method() const {
  return path.ends_with("/") ? path : path.substr(path.rfind('/') + 1);
}

bool MethodRule::Allows(Role role) const {
  return role == Role::kAdmin || std::find(roles.begin(), roles.end(), role) != roles.end();
}

std::string MethodRule::RolesText() const {
  if (roles.empty()) return std::string(RoleName(Role::kAdmin));
  std::string text;
  for (std::size_t i = 0; i < roles.size(); ++i) {
    if (i > 0) text += i + 1 == roles.size() ? " or " : ", ";
    text += RoleName(roles[i]);
  }
  return text;
}

const std::vector<MethodRule>& MethodRules() {
  static const auto* const rules = new std::vector<MethodRule>{
      {"/sweep.v1.SweepService/ListSweeps", kReading},
      {"/sweep.v1.SweepService/GetSweep", kReadingAndWorkers},
      {"/sweep.v1.SweepService/WatchSweep", kReading},
      {"/sweep.v1.SweepService/RankSweep", kReading},
      {"/sweep.v1.SweepService/ReplaySearch", kReading},
      {"/sweep.v1.SweepService/PreviewSuggestions", kReading},
      {"/sweep.v1.SweepService/CreateSweep", kSubmitting},
      {"/sweep.v1.SweepService/EditSweep", kSubmitting},
      {"/sweep.v1.SweepService/ExtendSweep", kSubmitting},
      {"/sweep.v1.SweepService/PauseSweep", kSubmitting},
      {"/sweep.v1.SweepService/ResumeSweep", kSubmitting},
      {"/sweep.v1.SweepService/CancelSweep", kSubmitting},
      {"/sweep.v1.SweepService/RetrySweep", kSubmitting},
      {"/sweep.v1.SweepService/RenameSweep", kSubmitting},
      {"/sweep.v1.SweepService/ArchiveSweep", kSubmitting},
      {"/sweep.v1.SweepService/DeleteSweep", kSubmitting},
      {"/sweep.v1.TrialService/ListTrials", kReading},
      {"/sweep.v1.TrialService/GetTrial", kReading},
      {"/sweep.v1.TrialService/ListEpochs", kReading},
      {"/sweep.v1.TrialService/ListAttempts", kReading},
      {"/sweep.v1.TrialService/ListLogs", kReading},
      {"/sweep.v1.TrialService/ExplainTrial", kReading},
      {"/sweep.v1.TrialService/CancelTrial", kSubmitting},
      {"/sweep.v1.TrialService/RetryTrial", kSubmitting},
      {"/sweep.v1.CallerService/SuggestTrial", kSubmitting},
      {"/sweep.v1.CallerService/ReportTrial", kSubmitting},
      {"/sweep.v1.ViewService/GetView", kReading},
      {"/sweep.v1.BlobService/GetBlob", kReadingAndWorkers},
      {"/sweep.v1.BlobService/PutBlob", kStoring},
      {"/sweep.v1.BlobService/FindMissingBlobs", kStoring},
      {"/sweep.v1.WorkerService/ListWorkers", kReadingAndWorkers},
      {"/sweep.v1.WorkerService/Synchronize", kWorking},
      {"/sweep.v1.WorkerService/ReportEpochs", kWorking},
      {"/sweep.v1.WorkerService/ReportProgress", kWorking},
      {"/sweep.v1.WorkerService/ReportData", kWorking},
      {"/sweep.v1.WorkerService/AppendLogs", kWorking},
      {"/sweep.v1.WorkerService/FinishLease", kWorking},
      {"/sweep.v1.WorkerService/DrainWorker", kAdministrating},
      // Says only whether the coordinator serves, for supervisors without a token.
      {"/grpc.health.v1.Health/", {}, /*is_open=*/true},
      {"/grpc.reflection.v1alpha.ServerReflection/", kReading},
  };
  return *rules;
}

const MethodRule* FindMethodRule(std::string_view path) {
  for (const MethodRule& rule : MethodRules()) {
    if (rule.path.ends_with("/") ? path.starts_with(rule.path) : path == rule.path) return &rule;
  }
  return nullptr;
}

}  // namespace sweep
