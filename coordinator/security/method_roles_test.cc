#include "coordinator/security/method_roles.h"

#include <gmock/gmock.h>

#include <set>

#include "google/protobuf/descriptor.h"
#include "sweep/v1/blobs.pb.h"
#include "sweep/v1/callers.pb.h"
#include "sweep/v1/sweeps.pb.h"
#include "sweep/v1/trials.pb.h"
#include "sweep/v1/views.pb.h"
#include "sweep/v1/workers.pb.h"

namespace sweep {
namespace {

// The paths of all RPCs in the contract.
std::set<std::string> ContractPaths() {
  std::set<std::string> paths;
  for (const google::protobuf::FileDescriptor* const file :
       {v1::ListSweepsRequest::descriptor()->file(), v1::ListTrialsRequest::descriptor()->file(),
        v1::SynchronizeRequest::descriptor()->file(), v1::PutBlobRequest::descriptor()->file(),
        v1::SuggestTrialRequest::descriptor()->file(), v1::GetViewRequest::descriptor()->file()}) {
    for (int i = 0; i < file->service_count(); ++i) {
      for (int j = 0; j < file->service(i)->method_count(); ++j) {
        const google::protobuf::MethodDescriptor* const method = file->service(i)->method(j);
        paths.insert("/" + method->service()->full_name() + "/" + method->name());
      }
    }
  }
  return paths;
}

TEST(MethodRoles, EveryCallOfTheContractHasARuleAndNoOther) {
  std::set<std::string> ruled;
  for (const MethodRule& rule : MethodRules()) {
    if (!rule.path.starts_with("/sweep.")) continue;
    EXPECT_TRUE(ruled.insert(std::string(rule.path)).second) << rule.path << " is there twice";
    EXPECT_FALSE(rule.is_open) << rule.path;
  }
  for (const std::string& path : ContractPaths()) {
    EXPECT_TRUE(ruled.contains(path)) << path << " has no rule: nobody may call it";
  }
  EXPECT_EQ(ruled, ContractPaths());
}

// Whoever may only read must not be able to change anything.
TEST(MethodRoles, ReadersMakeNoCallThatChangesSomething) {
  for (const MethodRule& rule : MethodRules()) {
    if (!rule.path.starts_with("/sweep.") || !rule.Allows(Role::kReader)) continue;
    const std::string method(rule.Method());
    const bool reads = method.starts_with("Get") || method.starts_with("List") ||
                       method == "WatchSweep" || method == "RankSweep" ||
                       method == "ExplainTrial" || method == "ReplaySearch" ||
                       method == "PreviewSuggestions";
    EXPECT_TRUE(reads) << method;
  }
}

TEST(MethodRoles, ARuleSaysWhomToAsk) {
  EXPECT_EQ(FindMethodRule("/sweep.v1.SweepService/GetSweep")->RolesText(),
            "reader, submitter or worker");
  EXPECT_EQ(FindMethodRule("/sweep.v1.WorkerService/DrainWorker")->RolesText(), "admin");
}

}  // namespace
}  // namespace sweep
