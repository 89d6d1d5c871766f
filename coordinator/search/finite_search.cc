#include "coordinator/search/finite_search.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/base/philox.h"

namespace sweep {
namespace {

// The Fisher-Yates shuffle (Knuth, TAOCP 2, algorithm 3.4.2P).
void Shuffle(PhiloxStream* stream, std::vector<std::uint64_t>* codes) {
  for (std::size_t left = codes->size(); left > 1; --left) {
    std::swap((*codes)[left - 1], (*codes)[stream->NextBelow(static_cast<std::uint32_t>(left))]);
  }
}

}  // namespace

absl::Status FiniteSearch::Prepare() {
  if (space_) return absl::OkStatus();
  // A shuffle orders the digits by name, so that the order of keys in the file has no effect.
  std::optional<FiniteSpace> space = FiniteSpace::Make(spec_, order_ == Order::kShuffled);
  if (!space) {
    return absl::InvalidArgumentError(
        absl::StrCat("sweep ", spec_->name, ": the search space cannot be enumerated"));
  }
  absl::StatusOr<std::vector<std::uint64_t>> codes = space->Codes();
  if (!codes.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("sweep ", spec_->name, ": the search space: ", codes.status().message()));
  }
  codes_ = *std::move(codes);
  if (order_ == Order::kShuffled) {
    PhiloxStream stream(DeriveKey(spec_->seed, "random"), 0);
    Shuffle(&stream, &codes_);
  }
  space_ = std::move(space);
  return absl::OkStatus();
}

// Skips points that cannot be built. The parser refuses files with such points as far as it can
// foresee them.
void FiniteSearch::TryMore(std::int64_t number) {
  const std::size_t end = std::min(codes_.size(), tried_ + PointCompleter::kBlock);
  std::vector<ParameterMap> points;
  for (std::size_t i = tried_; i < end; ++i) points.push_back(space_->Decode(codes_[i]));
  const std::vector<PointCompleter::Result> results = completer_.Complete(number, points);
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (results[i].ok() && results[i]->has_value()) valid_.push_back(codes_[tried_ + i]);
  }
  tried_ = end;
}

absl::StatusOr<std::optional<Configuration>> FiniteSearch::Suggest(std::int64_t number) {
  if (absl::Status status = Prepare(); !status.ok()) return status;
  while (static_cast<std::int64_t>(valid_.size()) < number && tried_ < codes_.size()) {
    TryMore(number);
  }
  if (static_cast<std::int64_t>(valid_.size()) < number) {
    if (!valid_.empty()) return std::optional<Configuration>();
    return absl::InvalidArgumentError(
        absl::StrCat("sweep ", spec_->name, ": no point of the search space is valid"));
  }
  return spec_->CompleteIfAllowed(number,
                                  space_->Decode(valid_[static_cast<std::size_t>(number - 1)]));
}

}  // namespace sweep
