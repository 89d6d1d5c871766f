// Compares two configurations by their runs with the same seeds.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <set>

#include "absl/strings/str_join.h"
#include "cli/calls.h"
#include "cli/commands/waiting.h"
#include "cli/present/answers.h"
#include "cli/present/measure_text.h"
#include "cli/present/present.h"
#include "cli/session.h"
#include "cli/spec_input.h"
#include "common/base/counted.h"
#include "common/expr/expression.h"
#include "common/spec/sweep_edit.h"
#include "common/stats/sequential.h"
#include "sweep/documents/answers.pb.h"

namespace sweep::cli {
namespace {

struct CompareFlags {
  std::vector<std::string> trials;
  std::string within;
};

// A configuration, by one of its trials.
struct Side {
  v1::Sweep sweep;
  std::vector<v1::Trial> runs;  // by replicate
};

absl::StatusOr<Side> FindSide(Connection& connection, const std::string& name) {
  const absl::StatusOr<v1::GetTrialResponse> trial = GetTrial(connection, name);
  if (!trial.ok()) return trial.status();
  const std::string sweep_name = SweepOf(trial->trial());
  absl::StatusOr<v1::Sweep> sweep = GetSweep(connection, sweep_name);
  if (!sweep.ok()) return sweep.status();
  absl::StatusOr<std::vector<v1::Trial>> runs =
      ListTrials(connection, sweep_name,
                 {.where = fmt::format("configuration == {}", trial->trial().configuration())});
  if (!runs.ok()) return runs.status();
  std::sort(runs->begin(), runs->end(),
            [](const v1::Trial& a, const v1::Trial& b) { return a.replicate() < b.replicate(); });
  return Side{*std::move(sweep), *std::move(runs)};
}

struct Pairs {
  std::vector<double> differences;    // first less second
  std::vector<std::string> left_out;  // why, of each pair that has no whole result and never will
  int open = 0;                       // that still train, or come after one that does
  std::string first_open;             // "luck/3 and luck/7"
  int unpaired = 0;                   // runs with a seed that the other configuration lacks
};

bool IsWhole(const v1::Trial& run, const std::optional<double>& last) {
  return run.state() == v1::TRIAL_STATE_COMPLETED && last && std::isfinite(*last);
}

// Why a run that has ended has no whole result: "luck/3 was stopped after epoch 2".
std::string WhyNotWhole(const v1::Trial& run, const std::string& metric) {
  const std::string name = ShortName(run.name());
  switch (run.state()) {
    case v1::TRIAL_STATE_COMPLETED:
      return fmt::format("{} has no number for its last {}", name, MeasureTitle(metric));
    case v1::TRIAL_STATE_STOPPED:
      return fmt::format("{} was stopped after epoch {}", name, run.epoch());
    case v1::TRIAL_STATE_CANCELLED:
      return name + " was cancelled";
    case v1::TRIAL_STATE_DIVERGED:
      return name + " diverged";
    default:
      return name + " failed";
  }
}

// The runs with the same seed, in the order of the replicates, up to the first pair that still
// trains: which pairs are early must not depend on their results.
Pairs PairUp(const Side& first, const Side& second, const std::string& metric) {
  std::map<std::uint64_t, const v1::Trial*> by_seed;
  for (const v1::Trial& run : second.runs) by_seed[run.seed()] = &run;
  Pairs pairs;
  for (const v1::Trial& run : first.runs) {
    const auto found = by_seed.find(run.seed());
    if (found == by_seed.end()) {
      ++pairs.unpaired;
      continue;
    }
    const v1::Trial& other = *found->second;
    by_seed.erase(found);
    if (pairs.open > 0 || !HasEnded(run.state()) || !HasEnded(other.state())) {
      if (++pairs.open == 1) {
        pairs.first_open = fmt::format("{} and {}", ShortName(run.name()), ShortName(other.name()));
      }
      continue;
    }
    const std::optional<double> one = LastOf(run, metric);
    const std::optional<double> two = LastOf(other, metric);
    if (IsWhole(run, one) && IsWhole(other, two)) {
      pairs.differences.push_back(*one - *two);
      continue;
    }
    std::vector<std::string> why;
    if (!IsWhole(run, one)) why.push_back(WhyNotWhole(run, metric));
    if (!IsWhole(other, two)) why.push_back(WhyNotWhole(other, metric));
    pairs.left_out.push_back(absl::StrJoin(why, " and "));
  }
  pairs.unpaired += static_cast<int>(by_seed.size());
  return pairs;
}

// A difference that does not matter: "0.0005", or "0.05%" of a share.
absl::StatusOr<double> MarginOf(const std::string& text) {
  if (text.empty()) return 0;
  const absl::StatusOr<Gate> read = Gate::Parse("within", text);
  const bool is_number = read.ok() && read->op == Gate::Op::kEqual && IsNumber(read->bound);
  if (!is_number || !(AsDouble(read->bound) > 0)) {
    return absl::InvalidArgumentError(
        fmt::format("--within must be a number above 0, such as 0.0005 or 0.05%, not '{}'", text));
  }
  return AsDouble(read->bound);
}

documents::Comparison Describe(const CompareFlags& flags, const Objective& objective,
                               const Pairs& pairs, const SequentialResult& result) {
  documents::Comparison made;
  made.set_trial(flags.trials[0]);
  made.set_other_trial(flags.trials[1]);
  using Verdict = SequentialResult::Verdict;
  const bool is_first = (result.verdict == Verdict::kPositive) == objective.maximize;
  switch (result.verdict) {
    case Verdict::kUnknown:
      made.set_verdict(documents::Comparison::VERDICT_UNKNOWN);
      break;
    case Verdict::kSame:
      made.set_verdict(documents::Comparison::VERDICT_SAME);
      break;
    case Verdict::kPositive:
    case Verdict::kNegative:
      made.set_verdict(documents::Comparison::VERDICT_DIFFERENT);
      made.set_better(flags.trials[is_first ? 0 : 1]);
      break;
  }
  made.set_pairs(result.pairs);
  made.set_all_pairs(std::ssize(pairs.differences));
  made.set_left_out_pairs(std::ssize(pairs.left_out));
  for (const std::string& why : pairs.left_out) made.add_left_out_reasons(why);
  made.set_open_pairs(pairs.open);
  made.set_unpaired_runs(pairs.unpaired);
  if (result.pairs > 0) made.set_difference(result.mean);
  if (result.interval) {
    made.mutable_difference_interval()->set_low(result.interval->low);
    made.mutable_difference_interval()->set_high(result.interval->high);
  }
  made.set_evidence(result.evidence);
  return made;
}

std::string SignedText(const std::string& metric, double difference) {
  return (difference < 0 ? "-" : "") + DistanceText(metric, std::fabs(difference));
}

constexpr int kMostReasons = 5;

// What has no part in the comparison, and why: a line for each kind.
std::string LeftOutText(const documents::Comparison& made, const Pairs& pairs) {
  std::string text;
  if (made.left_out_pairs() > 0) {
    const auto shown = std::min<std::ptrdiff_t>(std::ssize(pairs.left_out), kMostReasons);
    text +=
        fmt::format("\nleft out: {} of which a run did not complete: {}",
                    Counted(made.left_out_pairs(), "pair"),
                    absl::StrJoin(pairs.left_out.begin(), pairs.left_out.begin() + shown, "; "));
    if (shown < std::ssize(pairs.left_out)) {
      text += fmt::format("; and {} more", std::ssize(pairs.left_out) - shown);
    }
  }
  if (made.open_pairs() > 0) {
    text += fmt::format("\nnot compared yet: {}, from {} on, of which one still trains",
                        Counted(made.open_pairs(), "pair"), pairs.first_open);
  }
  if (made.unpaired_runs() > 0) {
    text += fmt::format("\nleft out: {} with a seed that only one of the two has",
                        Counted(made.unpaired_runs(), "run"));
  }
  return text;
}

std::string SentenceOf(const Objective& objective, const documents::Comparison& made) {
  const std::string title(MeasureTitle(objective.name));
  std::string text;
  switch (made.verdict()) {
    case documents::Comparison::VERDICT_DIFFERENT:
      text = fmt::format("{} has a better {} than {}", made.better(), title,
                         made.better() == made.trial() ? made.other_trial() : made.trial());
      break;
    case documents::Comparison::VERDICT_SAME:
      text = fmt::format("{} and {} have the same {}", made.trial(), made.other_trial(), title);
      break;
    default:
      text = fmt::format("which of {} and {} has the better {} is not known", made.trial(),
                         made.other_trial(), title);
  }
  if (made.all_pairs() == 0)
    return text + ": no pair of their runs with the same seed has completed";
  text +=
      fmt::format(", after {}{} with the same seed", Counted(made.pairs(), "pair"),
                  made.pairs() < made.all_pairs() ? fmt::format(" of {}", made.all_pairs()) : "");
  if (made.has_difference()) {
    text += "\ndifference " + SignedText(objective.name, made.difference());
  }
  if (made.has_difference_interval()) {
    text += fmt::format(", {} to {} with 95 % confidence however often one looks",
                        SignedText(objective.name, made.difference_interval().low()),
                        SignedText(objective.name, made.difference_interval().high()));
  }
  return text + fmt::format("; evidence {:.3g} of 20", made.evidence());
}

// Runs of two sweeps must be trained and judged alike, but for what their searches chose.
absl::Status CheckComparable(const Side& first, const Side& second, const CompareFlags& flags) {
  const absl::StatusOr<SweepInput> one = StoredInput(first.sweep);
  if (!one.ok()) return one.status();
  const absl::StatusOr<SweepInput> other = StoredInput(second.sweep);
  if (!other.ok()) return other.status();
  std::vector<std::string> reasons = Incomparable(one->spec, other->spec);
  if (first.runs.front().epochs() != second.runs.front().epochs()) {
    reasons.push_back(fmt::format("epochs: {} there, {} here", first.runs.front().epochs(),
                                  second.runs.front().epochs()));
  }
  std::set<std::uint64_t> seeds;
  for (const v1::Trial& run : first.runs) seeds.insert(run.seed());
  const bool shares_seeds =
      std::any_of(second.runs.begin(), second.runs.end(),
                  [&](const v1::Trial& run) { return seeds.contains(run.seed()); });
  if (!shares_seeds) reasons.push_back("seed: no run of one has a seed of the other");
  if (reasons.empty()) return absl::OkStatus();
  return absl::FailedPreconditionError(fmt::format("{} and {} cannot be compared:\n  {}",
                                                   flags.trials[0], flags.trials[1],
                                                   absl::StrJoin(reasons, "\n  ")));
}

int Compare(Connection& connection, const CompareFlags& flags, const Session& session) {
  const absl::StatusOr<double> margin = MarginOf(flags.within);
  if (!margin.ok()) return Fail(margin.status());
  const absl::StatusOr<Side> first = FindSide(connection, flags.trials[0]);
  if (!first.ok()) return Fail(first.status());
  const absl::StatusOr<Side> second = FindSide(connection, flags.trials[1]);
  if (!second.ok()) return Fail(second.status());
  const Objective objective = ObjectiveOf(first->sweep);
  if (!(objective == ObjectiveOf(second->sweep))) {
    return Fail(absl::FailedPreconditionError(
        fmt::format("{} is judged by {}, {} by {}: they cannot be compared", flags.trials[0],
                    objective.name, flags.trials[1], ObjectiveOf(second->sweep).name)));
  }
  if (first->sweep.name() == second->sweep.name() &&
      first->runs.front().configuration() == second->runs.front().configuration()) {
    return Fail(absl::InvalidArgumentError(fmt::format(
        "{} and {} are runs of the same configuration", flags.trials[0], flags.trials[1])));
  }
  if (first->sweep.name() != second->sweep.name()) {
    if (absl::Status same = CheckComparable(*first, *second, flags); !same.ok()) return Fail(same);
  }
  const Pairs pairs = PairUp(*first, *second, objective.name);
  const documents::Comparison made =
      Describe(flags, objective, pairs, CompareInTurn(pairs.differences, *margin));
  if (session.format == Format::kTable) {
    std::cout << SentenceOf(objective, made) << LeftOutText(made, pairs) << '\n';
  } else if (session.format == Format::kJson) {
    PrintJson(ToJson(made), std::cout);
  } else {
    Listing listing;
    listing.rows.emplace_back();
    AddDocuments(std::vector<documents::Comparison>{made}, &listing);
    PrintListing(listing, session, std::cout);
  }
  return made.verdict() == documents::Comparison::VERDICT_UNKNOWN ? kExitNothingQualified : kExitOk;
}

}  // namespace

void AddCompareCommand(CLI::App* app, Session* session) {
  CLI::App* compare = app->add_subcommand(
      "compare",
      "Compare two trials\n"
      "Two configurations, each named by one of its trials, by the last epochs of their replicates "
      "with the same\nseeds: pair after pair, until it is known which is better. In 5 % of the "
      "cases at most it says something\nthat is wrong, however often it is asked. Exit code 3: not "
      "known yet.");
  compare->group("Run sweeps");
  auto flags = std::make_shared<CompareFlags>();
  compare->add_option("NAME/N", flags->trials, "the two trials")->required()->expected(2);
  compare
      ->add_option("--within", flags->within,
                   "differences up to this do not matter, 0.0005 or 0.05%: it can then come to "
                   "know that they are the same")
      ->type_name("DIFFERENCE");
  compare->footer(
      "Examples:\n"
      "  sweep compare seed-000/17 seed-000/4\n"
      "  sweep compare seed-000-confirm/1 seed-000-confirm/21 --within 0.05%");
  compare->callback([=] {
    session->exit_code = WithConnection(*session, /*waits=*/false, [&](Connection& connection) {
      return Compare(connection, *flags, *session);
    });
  });
}

}  // namespace sweep::cli
