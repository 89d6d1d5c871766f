#include "worker/trainer/inbox.h"

#include <exception>
#include <nlohmann/json.hpp>
#include <utility>

namespace sweep {
namespace {

// The id in an otherwise invalid line, so that its sender learns which trial has failed.
std::string TrialIdOf(std::string_view line) {
  const auto object = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) return "";
  const auto id = object.find("trial");
  return id != object.end() && id->is_string() ? id->get<std::string>() : "";
}

}  // namespace

void Inbox::TakeLine(std::string_view line) {
  try {
    if (LineType(line) == "trial") {
      TakeTrial(line);
    } else {
      TakeCommand(line);
    }
  } catch (const std::exception& error) {  // ProtocolError
    errors_({.trial = TrialIdOf(line), .reason = error.what(), .retryable = false});
  }
}

void Inbox::TakeTrial(std::string_view line) {
  TrialSpec spec = TrialSpecFromJson(line);
  const std::string id = spec.trial;
  {
    const std::lock_guard lock(mutex_);
    if (entries_.size() <= kMaxWaiting) {
      entries_.push_back({.spec = std::move(spec)});
      changed_.notify_one();
      return;
    }
  }
  errors_({.trial = id,
           .reason = "the trainer already has " + std::to_string(kMaxWaiting) + " trials waiting",
           .retryable = true});
}

void Inbox::TakeCommand(std::string_view line) {
  std::string trial;
  const TrainerCommand command = TrainerCommandFromJson(line, &trial);
  const std::lock_guard lock(mutex_);
  for (Entry& entry : entries_) {
    if (entry.spec.trial != trial) continue;
    if (command == TrainerCommand::kStop) {
      entry.request = TrainingRequest::kStop;
    } else if (entry.request == TrainingRequest::kNone) {
      entry.request = TrainingRequest::kCheckpoint;
    }
    return;
  }
}

void Inbox::Terminate() {
  const std::lock_guard lock(mutex_);
  terminated_ = true;
  changed_.notify_one();
}

std::optional<TrialSpec> Inbox::NextTrial() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return terminated_ || !entries_.empty(); });
  if (terminated_) return std::nullopt;
  training_ = true;
  return entries_.front().spec;
}

TrainingRequest Inbox::TakeRequest() {
  const std::lock_guard lock(mutex_);
  if (terminated_) return TrainingRequest::kStop;
  if (!training_) return TrainingRequest::kNone;
  return std::exchange(entries_.front().request, TrainingRequest::kNone);
}

void Inbox::FinishTrial() {
  const std::lock_guard lock(mutex_);
  if (!training_) return;
  entries_.pop_front();
  training_ = false;
}

}  // namespace sweep
