#include "tests/fuzz/valid_calls.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "common/base/sha256.h"
#include "sweep/v1/blobs.pb.h"
#include "sweep/v1/callers.pb.h"
#include "sweep/v1/sweeps.pb.h"
#include "sweep/v1/trials.pb.h"

namespace sweep {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::MethodDescriptor;
using google::protobuf::Reflection;

constexpr int kEpochs = 3;
constexpr int kSweeps = 12;
constexpr int kTrials = 20;
constexpr std::size_t kMaxBlobs = 64;

// Half of the sweeps are grids of six points, half are random searches that can be extended. One in
// four is trained by callers.
std::string SweepText(int number) {
  std::string text = "name: s" + std::to_string(number) +
                     "\nmodel: cnn-18718\ndataset: {name: synthetic, train: 512, test: 200}\n"
                     "epochs: 3\nrequire: {accuracy: \">= 0.994\"}\nmax_failures: 100\n";
  if (number % 4 == 3) text += "trained_by: callers\n";
  if (number % 2 == 0) {
    return text +
           "method: grid\nparameters:\n  lr: {values: [0.01, 0.02, 0.03]}\n  dropout: {values: "
           "[0.0, 0.05]}\n";
  }
  return text + "method: random\nparameters: {lr: {min: 0.01, max: 0.3}}\nrun_cap: 20\n";
}

void SetString(Message* message, const char* name, const std::string& value) {
  const FieldDescriptor* const field = message->GetDescriptor()->FindFieldByName(name);
  if (field == nullptr || field->cpp_type() != FieldDescriptor::CPPTYPE_STRING) return;
  message->GetReflection()->SetString(message, field, value);
}

}  // namespace

std::vector<std::unique_ptr<Message>> ValidCalls::Make(const MethodDescriptor& method) {
  current_ = nullptr;
  last_method_ = method.name();
  if (last_method_ == "PutBlob") return MakeBlob();
  std::unique_ptr<Message> request(google::protobuf::MessageFactory::generated_factory()
                                       ->GetPrototype(method.input_type())
                                       ->New());
  std::vector<std::unique_ptr<Message>> messages;
  if (FillAsWorker(request.get()) || FillAsPerson(request.get())) {
    messages.push_back(std::move(request));
  }
  return messages;
}

bool ValidCalls::FillAsWorker(Message* request) {
  if (auto* const r = dynamic_cast<v1::SynchronizeRequest*>(request)) return Fill(r);
  if (auto* const r = dynamic_cast<v1::ReportEpochsRequest*>(request)) return Fill(r);
  if (auto* const r = dynamic_cast<v1::AppendLogsRequest*>(request)) return Fill(r);
  if (auto* const r = dynamic_cast<v1::FinishLeaseRequest*>(request)) return Fill(r);
  if (auto* const r = dynamic_cast<v1::ReportProgressRequest*>(request)) return Fill(r);
  if (auto* const r = dynamic_cast<v1::ReportTrialRequest*>(request)) return Fill(r);
  if (auto* const r = dynamic_cast<v1::SuggestTrialRequest*>(request)) {
    Fill(r);
    return true;
  }
  return false;
}

bool ValidCalls::FillAsPerson(Message* request) {
  const std::string type = request->GetDescriptor()->name();
  if (type == "ReportEpochsRequest" || type == "AppendLogsRequest" ||
      type == "FinishLeaseRequest" || type == "ReportTrialRequest") {
    return false;  // no lease
  }
  const bool about_trial = type.find("Trial") != std::string::npos || type == "ListEpochsRequest" ||
                           type == "ListAttemptsRequest" || type == "ListLogsRequest";
  const std::string object = about_trial && type != "ListTrialsRequest" ? SomeTrial() : SomeSweep();
  SetString(request, "name", object);
  SetString(request, "parent", object);
  if (random_() % 4 != 0) {
    SetString(request, "request_id", name_ + std::to_string(random_() % 100'000));
  }
  if (auto* const r = dynamic_cast<v1::CreateSweepRequest*>(request)) {
    r->mutable_source()->set_file("fuzz.yaml");
    r->mutable_source()->set_text(SweepText(static_cast<int>(random_() % kSweeps)));
    r->set_validate_only(random_() % 4 == 0);
  } else if (auto* const r = dynamic_cast<v1::EditSweepRequest*>(request)) {
    r->mutable_source()->set_file("fuzz.yaml");
    const auto number = static_cast<int>(random_() % kSweeps);
    r->set_name("sweeps/s" + std::to_string(number));
    r->mutable_source()->set_text(
        SweepText(number) +
        "early_terminate: {type: median, min_epochs: " + std::to_string(1 + random_() % 2) + "}\n");
    r->set_validate_only(random_() % 4 == 0);
  } else if (auto* const r = dynamic_cast<v1::PauseSweepRequest*>(request)) {
    r->set_now(random_() % 2 == 0);
  } else if (auto* const r = dynamic_cast<v1::RenameSweepRequest*>(request)) {
    r->set_new_name("s" + std::to_string(random_() % kSweeps));
  } else if (auto* const r = dynamic_cast<v1::ArchiveSweepRequest*>(request)) {
    r->set_archived(random_() % 2 == 0);
  } else if (auto* const r = dynamic_cast<v1::RetrySweepRequest*>(request)) {
    r->set_failed(true);
    r->set_cancelled(true);
  } else if (auto* const r = dynamic_cast<v1::ExtendSweepRequest*>(request)) {
    r->set_run_cap(++budget_);
  } else if (auto* const r = dynamic_cast<v1::PreviewSuggestionsRequest*>(request)) {
    r->set_count(1 + static_cast<int>(random_() % 5));
  } else if (auto* const r = dynamic_cast<v1::ListTrialsRequest*>(request)) {
    r->set_filter(random_() % 2 == 0 ? "lr > 0.015 and best_accuracy >= 50%" : "");
    r->set_order_by(random_() % 2 == 0 ? "best_accuracy desc" : "");
  } else if (auto* const r = dynamic_cast<v1::DrainWorkerRequest*>(request)) {
    r->set_name("workers/" + WorkerName());
  } else if (auto* const r = dynamic_cast<v1::GetBlobRequest*>(request)) {
    if (blobs_.empty()) return false;
    r->set_sha256(blobs_[random_() % blobs_.size()]);
  } else if (auto* const r = dynamic_cast<v1::FindMissingBlobsRequest*>(request)) {
    if (blobs_.empty()) return false;
    r->add_sha256(blobs_[random_() % blobs_.size()]);
    r->add_sha256(std::string(64, 'a'));
  } else if (auto* const r = dynamic_cast<v1::GetViewRequest*>(request)) {
    Fill(r);
  }
  return true;
}

// Chooses any kind of document; one in four has a query, which fits some of them.
void ValidCalls::Fill(v1::GetViewRequest* request) {
  static constexpr const char* kOverall[] = {"/sweeps", "/workers", "/workers/timeline"};
  static constexpr const char* kOfSweep[] = {"",         "/curves", "/points",   "/importance",
                                             "/ranking", "/trials", "/attempts", "/progress",
                                             "/model"};
  static constexpr const char* kOfTrial[] = {"", "/logs", "/predictions"};
  static constexpr const char* kQueries[] = {"limit=7",
                                             "metric=loss",
                                             "offset=3&limit=2",
                                             "offset=9223372036854775807",
                                             "state=completed",
                                             "sort=best_accuracy%20desc",
                                             "where=lr%20%3E%200.015%20and%20epoch%20%3E%200",
                                             "page_size=2",
                                             "minutes=10080"};
  switch (random_() % 4) {
    case 0:
      request->set_path(kOverall[random_() % std::size(kOverall)]);
      break;
    case 1:
      request->set_path("/" + SomeTrial() + kOfTrial[random_() % std::size(kOfTrial)]);
      break;
    default:
      request->set_path("/" + SomeSweep() + kOfSweep[random_() % std::size(kOfSweep)]);
  }
  if (random_() % 4 == 0) request->set_query(kQueries[random_() % std::size(kQueries)]);
}

bool ValidCalls::Fill(v1::SynchronizeRequest* request) {
  request->set_session(WorkerName() + "-session");
  request->set_worker(WorkerName());
  request->mutable_description()->set_slots(4);
  request->set_protocol(1);
  request->set_no_wait(true);
  for (const Work& work : work_) *request->add_held() = work.token;
  return true;
}

ValidCalls::Work* ValidCalls::Pick() {
  current_ = work_.empty() ? nullptr : &work_[random_() % work_.size()];
  return current_;
}

bool ValidCalls::Fill(v1::ReportEpochsRequest* request) {
  if (Pick() == nullptr) return false;
  *request->mutable_token() = current_->token;
  // After the last epoch, report that one again.
  int epoch = std::min(current_->epochs + 1, kEpochs);
  do {
    v1::Epoch* const row = request->add_epochs();
    row->set_epoch(epoch);
    row->set_train_loss(1.0 / epoch);
    row->set_train_accuracy(0.9);
    row->set_validation_loss(1.5 / epoch);
    row->set_validation_accuracy(1 - 0.01 * static_cast<double>(random_() % 50));
    row->set_lr(0.01);
    if (random_() % 2 == 0) {
      (*row->mutable_metrics())["validation_accuracy"] = row->validation_accuracy();
      (*row->mutable_metrics())["val/f1"] = 0.5;
    }
  } while (++epoch <= kEpochs && random_() % 2 == 0);
  reported_ = epoch - 1;
  if (!blobs_.empty() && random_() % 2 == 0) {
    request->set_checkpoint_sha256(blobs_.back());
    request->set_checkpoint_epoch(reported_);
  }
  return true;
}

bool ValidCalls::Fill(v1::AppendLogsRequest* request) {
  if (Pick() == nullptr) return false;
  *request->mutable_token() = current_->token;
  for (std::uint64_t count = 1 + random_() % 5; count > 0; --count) {
    v1::LogLine* const line = request->add_lines();
    line->set_line(++current_->lines);
    line->set_text("loss 0.1");
  }
  return true;
}

bool ValidCalls::Fill(v1::FinishLeaseRequest* request) {
  if (Pick() == nullptr) return false;
  *request->mutable_token() = current_->token;
  static constexpr v1::LeaseOutcome kOtherwise[] = {
      v1::LEASE_OUTCOME_FAILED, v1::LEASE_OUTCOME_FAILED_FOR_GOOD, v1::LEASE_OUTCOME_GIVEN_BACK};
  request->set_outcome(current_->epochs == kEpochs ? v1::LEASE_OUTCOME_COMPLETED
                                                   : kOtherwise[random_() % 3]);
  if (!blobs_.empty() && random_() % 2 == 0) {
    v1::Artifact* const artifact = request->add_artifacts();
    artifact->set_role("weights_best");
    artifact->set_sha256(blobs_.back());
  }
  return true;
}

bool ValidCalls::Fill(v1::ReportProgressRequest* request) {
  request->set_session(WorkerName() + "-session");
  for (const Work& work : work_) {
    v1::Progress* const progress = request->add_progress();
    progress->set_trial(work.token.trial());
    progress->set_epoch(1);
    progress->set_step(static_cast<int>(random_() % 8));
    progress->set_steps(8);
    progress->set_loss(0.5);
  }
  return true;
}

void ValidCalls::Fill(v1::SuggestTrialRequest* request) {
  request->set_parent("sweeps/s" + std::to_string(random_() % kSweeps / 4 * 4 + 3));
  request->set_caller(name_);
  if (random_() % 4 != 0) request->set_request_id(std::to_string(random_() % 100));
  request->mutable_wait()->set_nanos(static_cast<int>(random_() % 5'000'000));
}

bool ValidCalls::Fill(v1::ReportTrialRequest* request) {
  if (asked_.empty()) return false;
  current_ = &asked_[random_() % asked_.size()];
  *request->mutable_token() = current_->token;
  reported_ = std::min(current_->epochs + 1, kEpochs);
  v1::Epoch* const row = request->add_epochs();
  row->set_epoch(reported_);
  (*row->mutable_metrics())["accuracy"] = 0.01 * static_cast<double>(random_() % 100);
  if (reported_ == kEpochs) request->set_outcome(v1::LEASE_OUTCOME_COMPLETED);
  if (random_() % 8 == 0) {
    request->set_outcome(random_() % 2 == 0 ? v1::LEASE_OUTCOME_GIVEN_BACK
                                            : v1::LEASE_OUTCOME_FAILED);
  }
  return true;
}

std::vector<std::unique_ptr<Message>> ValidCalls::MakeBlob() {
  std::string bytes(1 + random_() % 3000, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random_());
  auto request = std::make_unique<v1::PutBlobRequest>();
  request->set_sha256(Sha256Hex(bytes));
  request->set_size_bytes(static_cast<std::int64_t>(bytes.size()));
  blobs_.push_back(request->sha256());
  if (blobs_.size() > kMaxBlobs) blobs_.erase(blobs_.begin());
  std::vector<std::unique_ptr<Message>> messages;
  const std::size_t cut = random_() % bytes.size();
  request->set_data(bytes.substr(0, cut));
  messages.push_back(std::move(request));
  auto rest = std::make_unique<v1::PutBlobRequest>();
  rest->set_data(bytes.substr(cut));
  messages.push_back(std::move(rest));
  return messages;
}

void ValidCalls::RememberLeases(const v1::SynchronizeResponse& response) {
  if (response.drain()) {  // its leases run out
    ++generation_;
    work_.clear();
    return;
  }
  std::vector<Work> work;
  for (const v1::Lease& lease : response.leases()) {
    const auto known = std::find_if(work_.begin(), work_.end(), [&](const Work& w) {
      return w.token.SerializeAsString() == lease.token().SerializeAsString();
    });
    work.push_back(known == work_.end() ? Work{.token = lease.token()} : *known);
  }
  work_ = std::move(work);
}

void ValidCalls::Learn(const v1::SuggestTrialResponse& response) {
  if (!response.has_trial()) return;
  const std::string token = response.trial().token().SerializeAsString();
  const bool is_known = std::any_of(asked_.begin(), asked_.end(), [&](const Work& work) {
    return work.token.SerializeAsString() == token;
  });
  if (!is_known) {
    asked_.push_back({.token = response.trial().token(), .epochs = response.trial().epoch()});
  }
}

void ValidCalls::Learn(const v1::ReportTrialResponse& response) {
  current_->epochs = std::max(current_->epochs, reported_);
  if (response.state() == v1::TRIAL_STATE_RUNNING) return;
  asked_.erase(asked_.begin() + (current_ - asked_.data()));
}

void ValidCalls::Learn(const Message* response) {
  if (response == nullptr) {
    if (last_method_ == "PutBlob") blobs_.pop_back();
    // The lease is lost.
    if (last_method_ == "ReportTrial" && current_ != nullptr) {
      asked_.erase(asked_.begin() + (current_ - asked_.data()));
    }
    current_ = nullptr;
    return;
  }
  if (const auto* const answer = dynamic_cast<const v1::SynchronizeResponse*>(response)) {
    RememberLeases(*answer);
  } else if (const auto* const asked = dynamic_cast<const v1::SuggestTrialResponse*>(response)) {
    Learn(*asked);
  } else if (const auto* const told = dynamic_cast<const v1::ReportTrialResponse*>(response)) {
    if (current_ != nullptr) Learn(*told);
  } else if (current_ != nullptr && last_method_ == "ReportEpochs") {
    current_->epochs = std::max(current_->epochs, reported_);
  } else if (current_ != nullptr && last_method_ == "FinishLease") {
    work_.erase(work_.begin() + (current_ - work_.data()));
  }
  current_ = nullptr;
}

std::string ValidCalls::SomeSweep() { return "sweeps/s" + std::to_string(random_() % kSweeps); }

std::string ValidCalls::SomeTrial() {
  if (!work_.empty() && random_() % 4 == 0) return work_[random_() % work_.size()].token.trial();
  return SomeSweep() + "/trials/" + std::to_string(1 + random_() % kTrials);
}

}  // namespace sweep
