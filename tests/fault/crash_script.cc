#include "tests/fault/crash_script.h"

#include <set>

#include "common/base/sha256.h"
#include "sweep/v1/blobs.pb.h"
#include "sweep/v1/callers.pb.h"
#include "sweep/v1/sweeps.pb.h"
#include "sweep/v1/trials.pb.h"

namespace sweep::testing {
namespace {

constexpr char kSweeps[] = "/sweep.v1.SweepService/";
constexpr char kTrials[] = "/sweep.v1.TrialService/";
constexpr char kWorkers[] = "/sweep.v1.WorkerService/";
constexpr char kCallers[] = "/sweep.v1.CallerService/";
constexpr char kBlobs[] = "/sweep.v1.BlobService/";

std::string SweepText(const std::string& name) {
  return "name: " + name +
         "\nmodel: cnn-18718\ndataset: {name: synthetic, train: 64, test: 32}\nmethod: random\n"
         "parameters:\n  lr: {min: 0.01, max: 0.1}\nepochs: 3\nrun_cap: 4\nmax_failures: 5\n"
         "require: {accuracy: \">= 0.5\"}\n";
}

// Builds the script call by call; each call gets its own request id.
class Script {
 public:
  void CreateSweep(const std::string& name, const std::string& more = "") {
    v1::CreateSweepRequest request;
    request.mutable_source()->set_file(name + ".yaml");
    request.mutable_source()->set_text(SweepText(name) + more);
    Add(kSweeps, "CreateSweep", request);
  }

  // A call about one sweep or trial: `request` with its name filled in.
  template <typename Request>
  void Decide(const char* service, const std::string& method, const std::string& name,
              Request request = {}) {
    request.set_name(name);
    Add(service, method, request);
  }

  // An idle worker asks for work; the call is answered when a lease is granted.
  void Lease() {
    v1::SynchronizeRequest request;
    request.set_session("session");
    request.set_worker("w");
    request.set_protocol(1);
    request.mutable_description()->set_slots(1);
    calls_.push_back({.method = std::string(kWorkers) + "Synchronize",
                      .make = [bytes = request.SerializeAsString()](
                                  const Memory&) { return std::vector<std::string>{bytes}; },
                      .learn =
                          [](const std::string& answer, Memory* memory) {
                            v1::SynchronizeResponse response;
                            response.ParseFromString(answer);
                            if (response.leases_size() == 1)
                              memory->token = response.leases(0).token();
                          }});
  }

  // The holder of the lease reports the sweep's data.
  void ReportData(const std::string& data) {
    v1::ReportDataRequest request;
    request.set_data_sha256(Sha256Hex(data));
    AddWithToken("ReportData", request, [](const Memory&, auto*) {});
  }

  void Report(int first, int last, bool with_checkpoint = false) {
    v1::ReportEpochsRequest request;
    for (int epoch = first; epoch <= last; ++epoch) {
      v1::Epoch* const row = request.add_epochs();
      row->set_epoch(epoch);
      row->set_train_loss(1.0 / epoch);
      row->set_train_accuracy(0.9);
      row->set_validation_loss(1.5 / epoch);
      row->set_validation_accuracy(1 - 0.3 / epoch);
      row->set_lr(0.01);
      row->mutable_train_duration()->set_seconds(1);
    }
    AddWithToken("ReportEpochs", request, [with_checkpoint, last](const Memory& memory, auto* r) {
      if (!with_checkpoint) return;
      r->set_checkpoint_sha256(memory.blobs.back());
      r->set_checkpoint_epoch(last);
    });
  }

  void Log(int first, int last) {
    v1::AppendLogsRequest request;
    for (int number = first; number <= last; ++number) {
      v1::LogLine* const line = request.add_lines();
      line->set_line(number);
      line->set_text("line " + std::to_string(number));
    }
    AddWithToken("AppendLogs", request, [](const Memory&, auto*) {});
  }

  void PutBlob(const std::string& bytes) {
    const std::string sha256 = Sha256Hex(bytes);
    const std::size_t half = bytes.size() / 2;
    v1::PutBlobRequest first;
    first.set_sha256(sha256);
    first.set_size_bytes(static_cast<std::int64_t>(bytes.size()));
    first.set_data(bytes.substr(0, half));
    v1::PutBlobRequest second;
    second.set_data(bytes.substr(half));
    calls_.push_back({.method = std::string(kBlobs) + "PutBlob",
                      .make = [messages = std::vector<std::string>{first.SerializeAsString(),
                                                                   second.SerializeAsString()}](
                                  const Memory&) { return messages; },
                      .learn = [sha256](const std::string&,
                                        Memory* memory) { memory->blobs.push_back(sha256); }});
  }

  // A sweep on one piece of data that is uploaded before.
  void CreateSweepOn(const std::string& name, const std::string& piece) {
    const std::string manifest = "sweep data 1\nfile " + std::to_string(piece.size()) +
                                 " train-images-idx3-ubyte\n" + Sha256Hex(piece) + "\n";
    PutBlob(piece);
    PutBlob(manifest);
    std::string text = SweepText(name);
    const std::string synthetic = "{name: synthetic, train: 64, test: 32}";
    text.replace(text.find(synthetic), synthetic.size(),
                 "{format: idx, path: \"sha256:" + Sha256Hex(manifest) + "\"}");
    v1::CreateSweepRequest request;
    request.mutable_source()->set_file(name + ".yaml");
    request.mutable_source()->set_text(text);
    Add(kSweeps, "CreateSweep", request);
  }

  void FinishLease(v1::LeaseOutcome outcome, const std::string& artifact = "") {
    v1::FinishLeaseRequest request;
    request.set_outcome(outcome);
    if (outcome != v1::LEASE_OUTCOME_COMPLETED) request.set_reason("because");
    AddWithToken("FinishLease", request, [artifact](const Memory& memory, auto* r) {
      if (artifact.empty()) return;
      v1::Artifact* const kept = r->add_artifacts();
      kept->set_role(artifact);
      kept->set_sha256(memory.blobs.back());
    });
  }

  // A caller asks for a trial of sweep "e".
  void Suggest() {
    v1::SuggestTrialRequest request;
    request.set_parent("sweeps/e");
    request.set_caller("c");
    request.set_request_id("request-" + std::to_string(calls_.size()));
    request.mutable_wait()->set_seconds(10);
    calls_.push_back({.method = std::string(kCallers) + "SuggestTrial",
                      .make = [bytes = request.SerializeAsString()](
                                  const Memory&) { return std::vector<std::string>{bytes}; },
                      .learn =
                          [](const std::string& answer, Memory* memory) {
                            v1::SuggestTrialResponse response;
                            response.ParseFromString(answer);
                            memory->asked = response.trial().token();
                          }});
  }

  // The caller reports epochs of its trial, and perhaps its end.
  void Tell(int first, int last, v1::LeaseOutcome outcome = v1::LEASE_OUTCOME_UNSPECIFIED) {
    v1::ReportTrialRequest request;
    for (int epoch = first; epoch <= last; ++epoch) {
      v1::Epoch* const row = request.add_epochs();
      row->set_epoch(epoch);
      (*row->mutable_metrics())["accuracy"] = 1 - 0.3 / epoch;
    }
    request.set_outcome(outcome);
    if (outcome == v1::LEASE_OUTCOME_FAILED) request.set_reason("because");
    calls_.push_back(
        {.method = std::string(kCallers) + "ReportTrial", .make = [request](const Memory& memory) {
           v1::ReportTrialRequest whole = request;
           *whole.mutable_token() = memory.asked;
           return std::vector<std::string>{whole.SerializeAsString()};
         }});
  }

  std::vector<ScriptedCall> Take() { return std::move(calls_); }

 private:
  template <typename Request>
  void Add(const char* service, const std::string& method, Request request) {
    request.set_request_id("request-" + std::to_string(calls_.size()));
    calls_.push_back(
        {.method = service + method, .make = [bytes = request.SerializeAsString()](const Memory&) {
           return std::vector<std::string>{bytes};
         }});
  }

  template <typename Request, typename Complete>
  void AddWithToken(const std::string& method, const Request& request, Complete complete) {
    calls_.push_back({.method = kWorkers + method, .make = [=](const Memory& memory) {
                        Request whole = request;
                        *whole.mutable_token() = memory.token;
                        complete(memory, &whole);
                        return std::vector<std::string>{whole.SerializeAsString()};
                      }});
  }

  std::vector<ScriptedCall> calls_;
};

v1::PauseSweepRequest PauseNow() {
  v1::PauseSweepRequest request;
  request.set_now(true);
  return request;
}

v1::ExtendSweepRequest Extend(int run_cap) {
  v1::ExtendSweepRequest request;
  request.set_run_cap(run_cap);
  return request;
}

// With wider ranges.
v1::EditSweepRequest Edit(const std::string& name, int run_cap) {
  std::string text = SweepText(name);
  text.replace(text.find("max: 0.1"), 8, "max: 0.5");
  text.replace(text.find("run_cap: 4"), 10, "run_cap: " + std::to_string(run_cap));
  v1::EditSweepRequest request;
  request.mutable_source()->set_file(name + ".yaml");
  request.mutable_source()->set_text(text);
  return request;
}

v1::RetrySweepRequest Retry(bool failed, bool cancelled) {
  v1::RetrySweepRequest request;
  request.set_failed(failed);
  request.set_cancelled(cancelled);
  return request;
}

void DecideAboutB(Script* script) {
  script->CreateSweep("b");
  script->Decide<v1::PauseSweepRequest>(kSweeps, "PauseSweep", "sweeps/b");
  script->Decide<v1::ResumeSweepRequest>(kSweeps, "ResumeSweep", "sweeps/b");
  script->Decide(kSweeps, "PauseSweep", "sweeps/b", PauseNow());
  script->Decide(kSweeps, "ExtendSweep", "sweeps/b", Extend(6));
  script->Decide(kSweeps, "EditSweep", "sweeps/b", Edit("b", 7));
  script->Decide<v1::CancelTrialRequest>(kTrials, "CancelTrial", "sweeps/b/trials/2");
  script->Decide<v1::CancelSweepRequest>(kSweeps, "CancelSweep", "sweeps/b");
  script->Decide(kSweeps, "RetrySweep", "sweeps/b", Retry(false, true));
  script->Decide<v1::CancelSweepRequest>(kSweeps, "CancelSweep", "sweeps/b");
}

v1::RenameSweepRequest Rename(const std::string& new_name) {
  v1::RenameSweepRequest request;
  request.set_new_name(new_name);
  return request;
}

v1::ArchiveSweepRequest Archive(bool archived) {
  v1::ArchiveSweepRequest request;
  request.set_archived(archived);
  return request;
}

// Archives, renames and deletes a sweep; another sweep then gets its name.
void TidyUp(Script* script) {
  script->CreateSweep("c");
  script->Decide<v1::PauseSweepRequest>(kSweeps, "PauseSweep", "sweeps/c");
  script->Decide(kSweeps, "ArchiveSweep", "sweeps/c", Archive(true));
  script->Decide(kSweeps, "ArchiveSweep", "sweeps/c", Archive(false));
  script->Decide(kSweeps, "RenameSweep", "sweeps/c", Rename("d"));
  script->Decide<v1::DeleteSweepRequest>(kSweeps, "DeleteSweep", "sweeps/d");
  script->CreateSweep("d");
  script->Decide<v1::CancelSweepRequest>(kSweeps, "CancelSweep", "sweeps/d");
}

// Trains the first trial, with failures and a drain on the way.
void TrainTheFirst(Script* script) {
  script->Lease();
  script->ReportData("the images");
  script->Log(1, 2);
  script->Report(1, 1);
  script->PutBlob("the checkpoint of epoch 2");
  script->Report(2, 2, /*with_checkpoint=*/true);
  script->FinishLease(v1::LEASE_OUTCOME_GIVEN_BACK);
  script->Lease();
  script->Log(1, 3);
  script->FinishLease(v1::LEASE_OUTCOME_FAILED);
  script->Lease();
  script->Report(2, 3);
  script->PutBlob("the weights");
  script->FinishLease(v1::LEASE_OUTCOME_COMPLETED, "weights_best");
}

void TrainAnother(Script* script) {
  script->Lease();
  script->Report(1, 3);
  script->FinishLease(v1::LEASE_OUTCOME_COMPLETED);
}

// A caller trains all four trials of a sweep, with a failure and a return on the way.
void AskAndTell(Script* script) {
  script->CreateSweep("e", "trained_by: callers\n");
  script->Suggest();
  script->Tell(1, 1);
  script->Tell(2, 3, v1::LEASE_OUTCOME_COMPLETED);
  script->Suggest();
  script->Tell(1, 2, v1::LEASE_OUTCOME_GIVEN_BACK);
  script->Suggest();
  script->Tell(1, 0, v1::LEASE_OUTCOME_FAILED);
  for (int trial = 2; trial <= 4; ++trial) {
    script->Suggest();
    script->Tell(1, 3, v1::LEASE_OUTCOME_COMPLETED);
  }
}

}  // namespace

std::vector<ScriptedCall> MakeScript() {
  Script script;
  DecideAboutB(&script);
  TidyUp(&script);
  AskAndTell(&script);
  script.CreateSweepOn("f", "four bytes and more");
  script.Decide<v1::CancelSweepRequest>(kSweeps, "CancelSweep", "sweeps/f");
  script.CreateSweep("a");
  script.Decide<v1::CancelTrialRequest>(kTrials, "CancelTrial", "sweeps/a/trials/4");
  script.Decide<v1::RetryTrialRequest>(kTrials, "RetryTrial", "sweeps/a/trials/4");
  script.Decide<v1::CancelTrialRequest>(kTrials, "CancelTrial", "sweeps/a/trials/3");
  TrainTheFirst(&script);
  script.Lease();
  script.FinishLease(v1::LEASE_OUTCOME_FAILED_FOR_GOOD);
  TrainAnother(&script);
  script.Decide(kSweeps, "RetrySweep", "sweeps/a", Retry(true, true));
  TrainAnother(&script);
  TrainAnother(&script);  // the last trial: the sweep has completed
  script.Decide(kSweeps, "ExtendSweep", "sweeps/a", Extend(5));
  TrainAnother(&script);
  return script.Take();
}

bool OnlyReads(const std::string& method) {
  const std::string name = method.substr(method.rfind('/') + 1);
  // FindMissingBlobs changes for how long blobs are kept, which cannot be seen.
  for (const char* verb :
       {"Find", "Get", "List", "Rank", "Watch", "Explain", "Preview", "Replay"}) {
    if (name.starts_with(verb)) return true;
  }
  return false;
}

bool IsInMemory(const std::string& method) {
  static const std::set<std::string> kMethods = {std::string(kWorkers) + "ReportProgress",
                                                 std::string(kWorkers) + "DrainWorker"};
  return kMethods.contains(method);
}

}  // namespace sweep::testing
