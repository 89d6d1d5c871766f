#include "coordinator/search/search.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/philox.h"
#include "common/spec/search_space.h"

namespace sweep {
namespace {

constexpr int kMaxDraws = 1000;

// The valid points of a finite space, one after the other: in the order of the file (grid), or
// shuffled by the sweep's seed (random without replacement).
class FiniteSearch final : public Search {
 public:
  FiniteSearch(const SweepSpec* spec, FiniteSpace space, std::vector<std::uint64_t> codes)
      : spec_(*spec), space_(std::move(space)), codes_(std::move(codes)) {}

  absl::StatusOr<std::optional<Configuration>> Suggest(std::int64_t number) override {
    if (number > spec_.PlannedConfigurations()) return std::nullopt;
    if (number <= found_) Rewind();
    while (next_ < codes_.size()) {
      absl::StatusOr<Configuration> configuration = spec_.Complete(found_ + 1, space_.Decode(codes_[next_++]));
      if (!configuration.ok()) return configuration.status();
      const absl::StatusOr<bool> valid = spec_.SatisfiesConstraints(*configuration);
      if (!valid.ok()) return valid.status();
      if (!*valid) continue;
      if (++found_ == number) return *std::move(configuration);
    }
    return std::nullopt;
  }

 private:
  void Rewind() {
    found_ = 0;
    next_ = 0;
  }

  const SweepSpec& spec_;
  const FiniteSpace space_;
  const std::vector<std::uint64_t> codes_;
  std::int64_t found_ = 0;  // valid points before next_
  std::size_t next_ = 0;
};

// Independent draws. Each parameter has a stream of its own, so that adding one to a sweep file
// leaves the others' values as they were.
class RandomSearch final : public Search {
 public:
  explicit RandomSearch(const SweepSpec* spec) : spec_(*spec) {}

  absl::StatusOr<std::optional<Configuration>> Suggest(std::int64_t number) override {
    if (number > spec_.PlannedConfigurations()) return std::nullopt;
    std::map<std::string, PhiloxStream> streams;
    const auto uniform = [&](const std::string& name) {
      const auto stream = streams.try_emplace(name, DeriveKey(spec_.seed, "random/" + name),
                                              static_cast<std::uint64_t>(number));
      return stream.first->second.NextUniform();
    };
    for (int draw = 0; draw < kMaxDraws; ++draw) {
      absl::StatusOr<Configuration> configuration = spec_.Complete(number, DrawPoint(spec_, uniform));
      if (!configuration.ok()) return configuration.status();
      const absl::StatusOr<bool> valid = spec_.SatisfiesConstraints(*configuration);
      if (!valid.ok()) return valid.status();
      if (*valid) return *std::move(configuration);
    }
    return absl::InvalidArgumentError(absl::StrCat("sweep ", spec_.name, ": none of ", kMaxDraws,
                                                   " random points satisfies the constraints"));
  }

 private:
  const SweepSpec& spec_;
};

// What a sweep whose space cannot be walked answers.
class FailedSearch final : public Search {
 public:
  explicit FailedSearch(absl::Status status) : status_(std::move(status)) {}
  absl::StatusOr<std::optional<Configuration>> Suggest(std::int64_t) override { return status_; }

 private:
  const absl::Status status_;
};

void Shuffle(std::uint64_t seed, std::vector<std::uint64_t>* codes) {
  PhiloxStream stream(DeriveKey(seed, "random"), 0);
  for (std::size_t i = codes->size(); i > 1; --i) {
    std::swap((*codes)[i - 1], (*codes)[stream.NextBelow(static_cast<std::uint32_t>(i))]);
  }
}

}  // namespace

std::unique_ptr<Search> Search::Make(const SweepSpec* spec) {
  const bool random = spec->method == Method::kRandom;
  // Ordered by name, so that the order of keys in the file does not change what random finds.
  std::optional<FiniteSpace> space = FiniteSpace::Make(spec, /*by_name=*/random);
  if (!space.has_value()) return std::make_unique<RandomSearch>(spec);
  absl::StatusOr<std::vector<std::uint64_t>> codes = space->Codes();
  if (!codes.ok()) {
    // Too many points to list are too many to meet one twice.
    if (random && absl::IsResourceExhausted(codes.status())) return std::make_unique<RandomSearch>(spec);
    return std::make_unique<FailedSearch>(codes.status());
  }
  if (random) Shuffle(spec->seed, &*codes);
  return std::make_unique<FiniteSearch>(spec, *std::move(space), *std::move(codes));
}

}  // namespace sweep
