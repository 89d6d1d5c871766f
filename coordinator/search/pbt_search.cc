#include "coordinator/search/pbt_search.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/philox.h"
#include "common/stats/objective.h"

namespace sweep {
namespace {

constexpr double kDown = 0.8;
constexpr double kUp = 1.2;
// Changes of a point that are tried before it is taken as it is.
constexpr int kMostTries = 100;

std::string Epochs(int first, int last) {
  return first == last ? absl::StrCat("epoch ", first)
                       : absl::StrCat("epochs ", first, " to ", last);
}

// One stream per parameter for one configuration, so that adding a parameter to the sweep file does
// not change the values of the others.
class ExploringStreams {
 public:
  ExploringStreams(std::uint64_t seed, std::int64_t number)
      : seed_(seed), number_(static_cast<std::uint64_t>(number)) {}

  double Next(const std::string& name) {
    return streams_.try_emplace(name, DeriveKey(seed_, "pbt/" + name), number_)
        .first->second.NextUniform();
  }

 private:
  const std::uint64_t seed_;
  const std::uint64_t number_;
  std::map<std::string, PhiloxStream> streams_;
};

// The neighbour in a list; the value itself at its end. Where no value is nearer than another, the
// list is a ring, so that every one is left.
Value Neighbour(const Parameter& parameter, const Value& value, bool up) {
  const std::int64_t size = parameter.GridSize();
  std::int64_t place = 0;
  while (place < size && !SameValue(parameter.GridValue(place), value)) ++place;
  if (place == size) return value;
  const std::int64_t step = up ? 1 : -1;
  const bool is_ring = parameter.ordered == false;
  for (std::int64_t i = 1; i < size; ++i) {
    std::int64_t other = place + i * step;
    if (is_ring) other = (other + size) % size;
    if (other < 0 || other >= size) return value;
    if (parameter.ProbabilityOf(other) > 0) return parameter.GridValue(other);
  }
  return value;
}

// Free of binary noise, as the values of a parameter with `q` are: 3 · 0.1 is 0.3.
double Clean(double multiple) {
  char text[40];
  std::snprintf(text, sizeof(text), "%.15g", multiple);
  return std::strtod(text, nullptr);
}

// The width of a step between values; 0 for any number.
double StepOf(const Parameter& parameter) {
  return parameter.distribution == Distribution::kIntUniform ? 1 : parameter.q;
}

}  // namespace

PbtSearch::PbtSearch(const SweepSpec* spec)
    : spec_(spec),
      first_(spec, /*distinct=*/false),
      latest_(static_cast<std::size_t>(spec->pbt.population), 0) {}

std::size_t PbtSearch::QuantileOf(std::size_t members, double quantile) {
  // 0.07 · 100 is a little more than 7 in binary.
  const double share = std::ceil(quantile * static_cast<double>(members) - 1e-9);
  return std::min(static_cast<std::size_t>(share), members / 2);
}

Value PbtSearch::Perturbed(const Parameter& parameter, const Value& value, bool up) {
  if (!parameter.values.empty() || !IsNumber(value)) return Neighbour(parameter, value, up);
  const double before = AsDouble(value);
  const auto [least, greatest] = parameter.EndValues();
  const double low = AsDouble(least), high = AsDouble(greatest);
  double after = before * (up ? kUp : kDown);
  if (const double step = StepOf(parameter); step > 0) {
    after = std::round(after / step) * step;
    // A small number would stay as it is.
    if (std::llround(after / step) == std::llround(before / step)) {
      after += up == (before >= 0) ? step : -step;
    }
    after = Clean(after);
  }
  after = std::clamp(after, low, high);
  // The integer of that size, where the parameter has integers.
  const bool is_whole = std::holds_alternative<std::int64_t>(value);
  const Value wanted =
      is_whole ? Value(static_cast<std::int64_t>(std::llround(after))) : Value(after);
  return parameter.OwnValue(wanted).value_or(value);
}

void PbtSearch::Observe(const Observation& observation) {
  Known& known = known_[observation.configuration];
  if (observation.parameters != nullptr) known.point = *observation.parameters;
  if (observation.segment != nullptr) {
    known.segment = *observation.segment;
    const int member = known.segment.member;
    if (member >= 1 && member <= spec_->pbt.population) {
      std::int64_t& latest = latest_[Index(member)];
      latest = std::max(latest, observation.configuration);
    }
  }
  if (observation.epoch > 0) {
    if (observation.has_value) known.value = observation.value;
    return;
  }
  known.has_completed = observation.state == TrialState::kCompleted;
  if (IsTerminal(observation.state) && !known.has_ended) {
    known.ended_sequence = observation.sequence;
  }
  known.has_ended = IsTerminal(observation.state);
}

std::vector<std::int64_t> PbtSearch::CompletedAt(int epoch) const {
  std::map<int, std::int64_t> of_member;  // the last one counts
  for (const auto& [number, known] : known_) {
    const bool is_there = known.has_completed && known.segment.target_epoch == epoch;
    if (is_there && known.segment.member > 0) of_member[known.segment.member] = number;
  }
  std::vector<std::int64_t> numbers;
  for (const auto& [member, number] : of_member) numbers.push_back(number);
  const auto rank = [&](std::int64_t number) {
    const double value = known_.at(number).value;
    return std::tuple(std::isnan(value), CostOf(spec_->objective(), value), number);
  };
  std::sort(numbers.begin(), numbers.end(), [&](std::int64_t a, std::int64_t b) {
    const auto [a_is_nan, a_cost, a_number] = rank(a);
    const auto [b_is_nan, b_cost, b_number] = rank(b);
    if (a_is_nan != b_is_nan) return b_is_nan;
    if (!a_is_nan && a_cost != b_cost) return a_cost < b_cost;
    return a_number < b_number;
  });
  return numbers;
}

bool PbtSearch::IsReady(const Known& latest) const {
  const int epoch = latest.segment.target_epoch;
  if (!latest.has_ended || epoch >= spec_->epochs) return false;
  if (!latest.has_completed && CompletedAt(epoch).empty()) return false;
  if (!spec_->pbt.synchronous) return true;
  // One that has gone further has ended this segment.
  for (const std::int64_t number : latest_) {
    if (number == 0) return false;
    const Known& other = known_.at(number);
    const bool has_ended_it = other.segment.target_epoch > epoch ||
                              (other.segment.target_epoch == epoch && other.has_ended);
    if (!has_ended_it) return false;
  }
  return true;
}

int PbtSearch::NextMember() {
  int next = 0;
  for (int member = 1; member <= spec_->pbt.population; ++member) {
    if (latest_[Index(member)] == 0 || !IsReady(Latest(member))) continue;
    // Who has ended first says nothing where all are waited for.
    const auto order = [&](int one) {
      return std::tuple(Latest(one).segment.target_epoch,
                        spec_->pbt.synchronous ? 0 : Latest(one).ended_sequence, one);
    };
    if (next == 0 || order(member) < order(next)) next = member;
  }
  if (next == 0) none_ = DescribeNone();
  return next;
}

Search::None PbtSearch::DescribeNone() const {
  int trained = 0, waiting = 0, failed_at = 0;
  std::int64_t failed = 0;
  for (const std::int64_t number : latest_) {
    if (number == 0) continue;
    const Known& known = known_.at(number);
    if (!known.has_ended) ++trained;
    if (!known.has_ended || known.segment.target_epoch >= spec_->epochs) continue;
    ++waiting;
    if (!known.has_completed) {
      failed = number;
      failed_at = known.segment.target_epoch;
    }
  }
  if (trained > 0) {
    return {.is_for_now = true,
            .reason = absl::StrCat(
                trained, " of the ", spec_->pbt.population, " members of the population ",
                trained == 1 ? "is" : "are", " at a segment",
                waiting == 0 ? "; one goes on when it has ended its own"
                             : absl::StrCat(", and ", waiting, waiting == 1 ? " waits" : " wait",
                                            " until others have ended the same one"))};
  }
  if (failed == 0) return {.reason = "every member of the population has had its last segment"};
  return {.reason = absl::StrCat("no member of the population has completed ",
                                 Epochs(known_.at(failed).segment.start_epoch + 1, failed_at),
                                 ", so there is none to go on from; the last that failed is trial ",
                                 failed)};
}

absl::StatusOr<std::optional<Suggestion>> PbtSearch::Peek(std::int64_t number) {
  none_ = {};
  if (number <= spec_->pbt.population) return First(number);
  const int member = NextMember();
  if (member == 0) return std::optional<Suggestion>();
  return GoOn(number, member);
}

absl::StatusOr<std::optional<Suggestion>> PbtSearch::Suggest(std::int64_t number) {
  absl::StatusOr<std::optional<Suggestion>> next = Peek(number);
  if (next.ok() && next->has_value()) {
    Observe({.configuration = number,
             .state = TrialState::kPending,
             .parameters = &(*next)->configuration.parameters,
             .segment = &*(*next)->segment});
  }
  return next;
}

absl::StatusOr<std::optional<Suggestion>> PbtSearch::First(std::int64_t number) {
  const std::int64_t written = std::ssize(spec_->try_first);
  const bool is_written = number <= written;
  SuggestionOrigin origin{
      .source = is_written ? SuggestionSource::kTryFirst : SuggestionSource::kStartUp,
      .method = std::string(spec_->method->word)};
  absl::StatusOr<std::optional<Suggestion>> first = WithOrigin(
      is_written
          ? spec_->CompleteIfAllowed(number, spec_->try_first[static_cast<std::size_t>(number - 1)])
          : first_.Point(number - written),
      std::move(origin));
  if (!first.ok() || !first->has_value()) return first;
  (*first)->configuration.number = number;
  (*first)->segment =
      spec_->pbt.SegmentOf(static_cast<int>(number), /*parent=*/0, /*start=*/0, spec_->epochs);
  return first;
}

std::int64_t PbtSearch::ChooseDonor(std::int64_t number, int member) const {
  const std::int64_t own = latest_[Index(member)];
  const Known& latest = known_.at(own);
  const std::vector<std::int64_t> members = CompletedAt(latest.segment.target_epoch);
  std::size_t best = QuantileOf(members.size(), spec_->pbt.quantile);
  if (latest.has_completed) {
    const auto place =
        static_cast<std::size_t>(std::find(members.begin(), members.end(), own) - members.begin());
    if (place < members.size() - best) return 0;
  } else {
    best = std::max<std::size_t>(best, 1);
  }
  PhiloxStream stream(DeriveKey(spec_->seed, "pbt donor"), static_cast<std::uint64_t>(number));
  const std::int64_t donor = members[stream.NextBelow(static_cast<std::uint32_t>(best))];
  // To copy what is no better would only lose its own values.
  const bool is_no_better = latest.has_completed && known_.at(donor).value == latest.value;
  return is_no_better ? 0 : donor;
}

Configuration PbtSearch::Explore(std::int64_t number, const ParameterMap& from) const {
  ExploringStreams streams(spec_->seed, number);
  for (int i = 0; i < kMostTries; ++i) {
    ParameterMap point;
    for (const Parameter& parameter : spec_->parameters) {
      const bool is_drawn = streams.Next(parameter.name) < spec_->pbt.resample;
      const double draw = streams.Next(parameter.name);
      const auto before = from.find(parameter.name);
      // One that does not exist at the point may come to exist with another value there.
      const bool is_new = before == from.end();
      point[parameter.name] = is_drawn || is_new
                                  ? parameter.Quantile(draw)
                                  : Perturbed(parameter, before->second, draw >= 0.5);
    }
    absl::StatusOr<std::optional<Configuration>> changed = spec_->CompleteIfAllowed(number, point);
    if (changed.ok() && changed->has_value()) return **std::move(changed);
  }
  absl::StatusOr<Configuration> same = spec_->Complete(number, from);
  return same.ok() ? *std::move(same) : Configuration{.number = number, .parameters = from};
}

absl::StatusOr<std::optional<Suggestion>> PbtSearch::GoOn(std::int64_t number, int member) {
  const std::int64_t own = latest_[Index(member)];
  const std::int64_t donor = ChooseDonor(number, member);
  const std::int64_t parent = donor > 0 ? donor : own;
  const Known& from = known_.at(parent);
  std::int64_t results = 0;
  for (const auto& [one, known] : known_) results += known.has_ended ? 1 : 0;
  Suggestion next{
      .origin = {.source = donor > 0 ? SuggestionSource::kCopied : SuggestionSource::kWentOn,
                 .method = std::string(spec_->method->word),
                 .seen_results = results},
      .segment = spec_->pbt.SegmentOf(member, parent, from.segment.target_epoch, spec_->epochs)};
  if (donor > 0) {
    next.configuration = Explore(number, from.point);
  } else {
    absl::StatusOr<Configuration> same = spec_->Complete(number, from.point);
    if (!same.ok()) return same.status();
    next.configuration = *std::move(same);
  }
  return next;
}

}  // namespace sweep
