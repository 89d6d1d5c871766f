#include "tests/fault/chaos/ledger.h"

#include <algorithm>

namespace sweep::chaos {

void Ledger::AddEpoch(const std::string& trial, int attempt, int epoch, absl::Time sent) {
  const std::lock_guard lock(mutex_);
  epochs_.emplace(trial, attempt, epoch);
  absl::Time& last = last_reports_.emplace(std::pair(trial, attempt), sent).first->second;
  last = std::max(last, sent);
}

void Ledger::AddLogLine(const std::string& trial, int attempt, std::int64_t line) {
  const std::lock_guard lock(mutex_);
  log_lines_.emplace(trial, attempt, line);
}

void Ledger::AddCompletion(const std::string& trial, int attempt) {
  const std::lock_guard lock(mutex_);
  completions_.emplace(trial, attempt);
}

void Ledger::AddAsk(const std::string& sweep) {
  const std::lock_guard lock(mutex_);
  ++asks_[sweep];
}

void Ledger::SetBudget(const std::string& sweep, std::int64_t configurations) {
  const std::lock_guard lock(mutex_);
  budgets_[sweep] = configurations;
}

void Ledger::AddCancelled(const Interval& interval) {
  const std::lock_guard lock(mutex_);
  cancelled_.push_back(interval);
}

void Ledger::AddPaused(const Interval& interval) {
  const std::lock_guard lock(mutex_);
  paused_.push_back(interval);
}

std::set<Ledger::Key> Ledger::epochs() const {
  const std::lock_guard lock(mutex_);
  return epochs_;
}

std::map<std::pair<std::string, int>, absl::Time> Ledger::last_reports() const {
  const std::lock_guard lock(mutex_);
  return last_reports_;
}

std::set<Ledger::Key> Ledger::log_lines() const {
  const std::lock_guard lock(mutex_);
  return log_lines_;
}

std::set<std::pair<std::string, int>> Ledger::completions() const {
  const std::lock_guard lock(mutex_);
  return completions_;
}

std::map<std::string, std::int64_t> Ledger::asks() const {
  const std::lock_guard lock(mutex_);
  return asks_;
}

std::map<std::string, std::int64_t> Ledger::budgets() const {
  const std::lock_guard lock(mutex_);
  return budgets_;
}

std::vector<Interval> Ledger::cancelled() const {
  const std::lock_guard lock(mutex_);
  return cancelled_;
}

std::vector<Interval> Ledger::paused() const {
  const std::lock_guard lock(mutex_);
  return paused_;
}

}  // namespace sweep::chaos
