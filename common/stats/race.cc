#include "common/stats/race.h"

#include <algorithm>
#include <cmath>

#include "common/stats/intervals.h"

namespace sweep {
namespace {

constexpr double kError = 0.05;          // of ruling out the best
constexpr std::size_t kPooled = 10;      // configurations whose deviation counts
constexpr std::size_t kScouts = 5;       // those that get further runs while no deviation is known
constexpr std::int64_t kLeastOpen = 4;   // further runs at once
constexpr std::int64_t kOpenShare = 10;  // or one for so many configurations
// With fewer, some runs that are equal by chance would rule out all others.
constexpr int kLeastDegrees = 4;

class Judge {
 public:
  Judge(const RaceRules& rules, const std::vector<Contender>& contenders)
      : rules_(rules), contenders_(contenders) {}

  RaceVerdict Run() {
    Classify();
    if (verdict_.leader) {
      Pool();
      if (verdict_.deviation) RuleOut();
      if (MayHandOut()) verdict_.next = verdict_.deviation ? NextOfTwo() : NextScout();
    }
    verdict_.is_over = !verdict_.next && open_ == 0;
    return std::move(verdict_);
  }

 private:
  // Higher is better.
  double Value(std::size_t i) const {
    return rules_.maximize ? contenders_[i].mean : -contenders_[i].mean;
  }
  double Behind(std::size_t i) const { return Value(*verdict_.leader) - Value(i); }

  bool MayHandOut() const {
    const std::int64_t most = std::max(kLeastOpen, std::ssize(contenders_) / kOpenShare);
    return rules_.left > 0 && queued_ == 0 && further_ < most;
  }
  bool HasRoom(std::size_t i) const {
    const Contender& one = contenders_[i];
    return one.runs() < rules_.max && one.open < one.ended;
  }

  // Best first, as many as are needed.
  static std::vector<std::size_t> First(std::vector<std::size_t> of, std::size_t count,
                                        const Judge& judge) {
    const std::size_t kept = std::min(of.size(), count);
    std::partial_sort(of.begin(), of.begin() + static_cast<std::ptrdiff_t>(kept), of.end(),
                      [&](std::size_t a, std::size_t b) {
                        const double one = judge.Value(a), other = judge.Value(b);
                        return one != other ? one > other : a < b;
                      });
    of.resize(kept);
    return of;
  }

  void Classify() {
    verdict_.standings.resize(contenders_.size(), RaceStanding::kOut);
    for (std::size_t i = 0; i < contenders_.size(); ++i) {
      const Contender& one = contenders_[i];
      open_ += one.open;
      if (one.ended > 0) further_ += one.open;
      if (one.is_queued) ++queued_;
      if (one.is_out) continue;
      verdict_.standings[i] = one.ended > 0 ? RaceStanding::kRaces : RaceStanding::kWaits;
      if (one.ended > 0) racing_.push_back(i);
    }
    if (racing_.empty()) return;
    verdict_.leader = First(racing_, 1, *this).front();
    verdict_.standings[*verdict_.leader] = RaceStanding::kLeads;
    verdict_.racing = static_cast<int>(racing_.size()) - 1;
  }

  void Pool() {
    std::vector<std::size_t> repeated;
    for (const std::size_t i : racing_) {
      if (contenders_[i].ended > 1) repeated.push_back(i);
    }
    double squares = 0;
    for (const std::size_t i : First(std::move(repeated), kPooled, *this)) {
      squares += contenders_[i].squares;
      verdict_.degrees += contenders_[i].ended - 1;
    }
    if (verdict_.degrees >= kLeastDegrees) {
      verdict_.deviation = std::sqrt(squares / verdict_.degrees);
    }
  }

  void RuleOut() {
    const auto rivals = static_cast<double>(std::max<std::size_t>(contenders_.size(), 2) - 1);
    verdict_.quantile = StudentQuantile(1 - kError / (rivals * rules_.max), verdict_.degrees);
    const double reach = verdict_.quantile * *verdict_.deviation;
    const Contender& leader = contenders_[*verdict_.leader];
    for (const std::size_t i : racing_) {
      const double error = std::sqrt(1.0 / leader.ended + 1.0 / contenders_[i].ended);
      if (i == *verdict_.leader || Behind(i) + rules_.within <= reach * error) continue;
      verdict_.standings[i] = RaceStanding::kRuledOut;
      --verdict_.racing;
    }
  }

  // While no deviation is known.
  std::optional<std::size_t> NextScout() const {
    if (racing_.size() < 2) {
      const std::size_t leader = *verdict_.leader;
      return rules_.leader_to_max && HasRoom(leader) ? std::optional(leader) : std::nullopt;
    }
    int degrees = 0;
    std::optional<std::size_t> fewest;
    for (const std::size_t i : First(racing_, kScouts, *this)) {
      degrees += contenders_[i].runs() - 1;
      const bool is_fewer = !fewest || contenders_[i].runs() < contenders_[*fewest].runs();
      if (HasRoom(i) && is_fewer) fewest = i;
    }
    return degrees < kLeastDegrees ? fewest : std::nullopt;
  }

  std::optional<std::size_t> NextOfTwo() const {
    const std::size_t leader = *verdict_.leader;
    const int missing = rules_.max - contenders_[leader].runs();
    if (rules_.leader_to_max && missing > 0 && rules_.left <= missing) {
      return HasRoom(leader) ? std::optional(leader) : std::nullopt;  // the rest is for the leader
    }
    std::optional<std::size_t> rival;
    double least = 0;
    for (const std::size_t i : racing_) {
      if (verdict_.standings[i] != RaceStanding::kRaces || !HasRoom(i)) continue;
      const double cost =
          Behind(i) * Behind(i) / (1.0 / contenders_[leader].runs() + 1.0 / contenders_[i].runs());
      if (rival && cost >= least) continue;
      rival = i;
      least = cost;
    }
    const bool goes_on = verdict_.racing > 0 || rules_.leader_to_max;
    if (!rival && !goes_on) return std::nullopt;
    const bool is_leaders =
        HasRoom(leader) && (!rival || contenders_[leader].runs() <= contenders_[*rival].runs());
    return is_leaders ? std::optional(leader) : rival;
  }

  const RaceRules& rules_;
  const std::vector<Contender>& contenders_;
  RaceVerdict verdict_;
  std::vector<std::size_t> racing_;  // those with a value, the leader among them
  std::int64_t open_ = 0;
  std::int64_t further_ = 0;  // of those with a value
  std::int64_t queued_ = 0;
};

}  // namespace

Contender ContenderOf(std::int64_t configuration, const std::vector<RaceRun>& runs) {
  Contender contender{.configuration = configuration, .all = static_cast<int>(runs.size())};
  for (const RaceRun& run : runs) {
    if (run.state == TrialState::kCompleted && run.value && std::isfinite(*run.value)) {
      // Welford's update: accuracies are close together.
      const double delta = *run.value - contender.mean;
      contender.mean += delta / ++contender.ended;
      contender.squares += delta * (*run.value - contender.mean);
    } else if (IsTerminal(run.state) || run.state == TrialState::kOnHold) {
      contender.is_out = true;
    } else {
      ++contender.open;
      contender.is_queued = contender.is_queued || run.state == TrialState::kPending;
    }
  }
  contender.is_queued = contender.is_queued && contender.ended == 0;
  return contender;
}

RaceVerdict JudgeRace(const RaceRules& rules, const std::vector<Contender>& contenders) {
  return Judge(rules, contenders).Run();
}

}  // namespace sweep
