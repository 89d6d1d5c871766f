#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "coordinator/search/search.h"

namespace sweep {

// A search with what it was told, so that it can be told again.
class ToldSearch {
 public:
  explicit ToldSearch(const SweepSpec* spec, SearchStart start = {})
      : spec_(*spec), start_(std::move(start)), search_(Search::Make(spec, start_)) {}

  // The next point; empty when there is none.
  ParameterMap Ask() {
    const auto next = search_->Suggest(++asked_);
    EXPECT_TRUE(next.ok()) << next.status();
    if (!next.ok() || !next->has_value()) return {};
    EXPECT_EQ((*next)->configuration.number, asked_);
    origin_ = (*next)->origin;
    points_.push_back(std::make_unique<ParameterMap>((*next)->configuration.parameters));
    Tell({.configuration = asked_,
          .state = TrialState::kPending,
          .parameters = points_.back().get()});
    return *points_.back();
  }
  // Takes a point that another search chose as the next one.
  void Take(const ParameterMap& point) {
    ++asked_;
    points_.push_back(std::make_unique<ParameterMap>(point));
    Tell({.configuration = asked_,
          .state = TrialState::kPending,
          .parameters = points_.back().get()});
  }
  void End(std::int64_t number, double value, TrialState state = TrialState::kCompleted,
           int replicate = 0) {
    if (!std::isnan(value)) {
      Tell({.configuration = number,
            .replicate = replicate,
            .epoch = 1,
            .value = value,
            .state = TrialState::kRunning});
    }
    Tell({.configuration = number, .replicate = replicate, .state = state});
  }
  // After that many epochs with the same value.
  void EndAfter(int epochs, std::int64_t number, double value, TrialState state) {
    for (int epoch = 1; epoch <= epochs; ++epoch) {
      Tell(
          {.configuration = number, .epoch = epoch, .value = value, .state = TrialState::kRunning});
    }
    Tell({.configuration = number, .state = state});
  }
  // Completed after epochs that reported these.
  void EndWith(std::int64_t number, const std::vector<Measurements>& epochs, int replicate = 0) {
    int epoch = 0;
    for (const Measurements& values : epochs) {
      measured_.push_back(std::make_unique<Measurements>(values));
      const std::optional<double> value = values.Get(spec_.objective().name);
      Tell({.configuration = number,
            .replicate = replicate,
            .epoch = ++epoch,
            .value = value.value_or(std::nan("")),
            .has_value = value.has_value(),
            .state = TrialState::kRunning,
            .measures = measured_.back().get()});
    }
    Tell({.configuration = number, .replicate = replicate, .state = TrialState::kCompleted});
  }
  // One that has ended is tried again.
  void Reopen(std::int64_t number, int replicate = 0) {
    Tell({.configuration = number, .replicate = replicate, .state = TrialState::kPending});
  }
  // As after a restart.
  void Restart() {
    search_ = Search::Make(&spec_, start_);
    for (const Observation& one : told_) search_->Observe(one);
  }
  std::int64_t asked() const { return asked_; }
  std::optional<ModelSlices> Slices() { return search_->Slices(); }
  // Of the latest point.
  const SuggestionOrigin& origin() const { return origin_; }

 private:
  void Tell(Observation observation) {
    observation.sequence = std::ssize(told_) + 1;
    told_.push_back(observation);
    search_->Observe(observation);
  }

  const SweepSpec& spec_;
  const SearchStart start_;
  std::unique_ptr<Search> search_;
  std::vector<std::unique_ptr<ParameterMap>> points_;    // the observations refer to them
  std::vector<std::unique_ptr<Measurements>> measured_;  // the same
  std::vector<Observation> told_;
  std::int64_t asked_ = 0;
  SuggestionOrigin origin_;
};

}  // namespace sweep
