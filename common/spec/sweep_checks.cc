#include "common/spec/sweep_checks.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <set>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "common/base/nearest.h"
#include "common/base/philox.h"
#include "common/spec/constraint_tester.h"
#include "common/spec/parameters_parser.h"
#include "common/spec/point_completer.h"
#include "common/spec/search_space.h"
#include "common/yaml/shown.h"

namespace sweep {
namespace {

#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
// Fuzzing needs to reach the code, not the one bad point of a space.
constexpr int kMaxSamples = 16;
constexpr std::int64_t kMaxTriedInTurn = 8;
constexpr std::size_t kDraws = 16;
#else
constexpr int kMaxSamples = 512;              // networks built per model
constexpr std::int64_t kMaxTriedInTurn = 64;  // values of one parameter tried in turn
constexpr std::size_t kDraws = 1000;
#endif
constexpr std::size_t kMaxComplaints = 3;  // per model
// Limit on the text of `when` evaluated while listing points: a second or two.
constexpr std::int64_t kMaxConditionCharacters = 32'000'000;
constexpr int kBlock = static_cast<int>(PointCompleter::kBlock);

bool HasEnded(const SpaceContext& context) {
  return context.is_cancelled && context.is_cancelled();
}

// Reports a network's error at its line in the network file if the message has one, else at `line`
// of the sweep file.
void ComplainOfNetwork(const NetworkFile& network, absl::string_view message,
                       const std::string& suffix, int line, YamlReader* reader) {
  absl::string_view rest = message;
  if (absl::ConsumePrefix(&rest, network.file()) && absl::ConsumePrefix(&rest, ":")) {
    int network_line = 0;
    const std::size_t colon = rest.find(": ");
    if (colon != absl::string_view::npos &&
        absl::SimpleAtoi(rest.substr(0, colon), &network_line)) {
      reader->ErrorIn(network.file(), network_line, absl::StrCat(rest.substr(colon + 2), suffix));
      return;
    }
  }
  reader->Error(line, absl::StrCat(message, suffix));
}

// Reports an error at a point of the search space, which may lie in its network.
void ComplainOfPoint(const SweepSpec& spec, const std::string& model, absl::string_view message,
                     const std::string& suffix, int line, YamlReader* reader) {
  if (const NetworkFile* network = FindNetwork(spec, model)) {
    return ComplainOfNetwork(*network, message, suffix, line, reader);
  }
  reader->Error(line, absl::StrCat(message, suffix));
}

// " (with kernel=9, width=3)"
std::string Where(const ParameterMap& chosen, const std::vector<std::string>& names) {
  constexpr std::size_t kMaxShown = 8;
  std::vector<std::string> parts;
  for (const std::string& name : names) {
    if (parts.size() == kMaxShown) {
      parts.push_back("…");
      break;
    }
    parts.push_back(absl::StrCat(name, "=", FormatValue(chosen.at(name))));
  }
  return parts.empty() ? "" : absl::StrCat(" (with ", absl::StrJoin(parts, ", "), ")");
}

// The values of one parameter to try: all of a short list, else a few spread over the range.
std::vector<Value> TriedValues(const Parameter& parameter) {
  const std::int64_t size = parameter.GridSize();
  if (size > 0 && size <= kMaxTriedInTurn) return parameter.GridValues();
  std::vector<Value> values;
  for (const double u : {0.0, 0.25, 0.5, 0.75, 1.0}) values.push_back(parameter.Quantile(u));
  return values;
}

// Tries one model; one object per model.
class ModelCheck {
 public:
  ModelCheck(const SweepSpec& spec, const std::string& model, const SpaceContext& context,
             YamlReader* reader)
      : spec_(spec),
        model_(model),
        context_(context),
        reader_(reader),
        completer_(&spec, ConstraintTester::kSlowCharactersOfAFile) {
    const NetworkFile* network = FindNetwork(spec, model);
    const std::vector<std::string> references =
        network == nullptr ? std::vector<std::string>() : network->references();
    for (const Parameter& parameter : spec.parameters) {
      middle_[parameter.name] = parameter.Quantile(0.5);
      if (!Contains(references, parameter.name)) continue;
      names_.push_back(parameter.name);
      tried_.push_back(TriedValues(parameter));
      combinations_ *= static_cast<double>(tried_.back().size());
    }
    if (spec.models.size() > 1) middle_["model"] = model;
  }

  void Run() {
    const int samples = static_cast<int>(std::min<double>(combinations_, kMaxSamples));
    for (int first = 0; first < samples && !HasEnded(context_); first += kBlock) {
      std::vector<ParameterMap> block;
      for (int i = first; i < std::min(first + kBlock, samples); ++i) {
        block.push_back(Sample(i, samples));
      }
      Try(block);
    }
    if (complaints_.size() > kMaxComplaints) {
      reader_->Error(context_.parameters,
                     absl::StrCat("network ", Shown(model_), " does not fit in ",
                                  complaints_.size() - kMaxComplaints, " more ways"));
    }
  }

 private:
  // Sample i of n, spread evenly over all combinations and including the first and the last.
  ParameterMap Sample(int i, int n) const {
    double rest = n == 1 ? 0 : std::floor(i * ((combinations_ - 1) / (n - 1)) + 0.5);
    ParameterMap chosen = middle_;
    for (std::size_t k = names_.size(); k-- > 0;) {
      const double size = static_cast<double>(tried_[k].size());
      const double digit = std::clamp(std::fmod(rest, size), 0.0, size - 1);
      chosen[names_[k]] = tried_[k][static_cast<std::size_t>(digit)];
      rest = std::floor(rest / size);
    }
    return chosen;
  }

  void Try(const std::vector<ParameterMap>& block) {
    std::vector<Configuration> built;
    const std::vector<PointCompleter::Result> allowed = completer_.Complete(1, block);
    for (std::size_t i = 0; i < block.size(); ++i) {
      absl::StatusOr<Configuration> configuration = spec_.Complete(1, block[i]);
      if (configuration.ok()) {
        built.push_back(*std::move(configuration));
      } else if (!allowed[i].ok() &&
                 complaints_.insert(std::string(configuration.status().message())).second &&
                 complaints_.size() <= kMaxComplaints) {
        ComplainOfPoint(spec_, model_, configuration.status().message(), Where(block[i], names_),
                        context_.parameters, reader_);
      }
    }
    TryConstraints(built);
  }

  // Reports constraints that cannot be evaluated.
  void TryConstraints(const std::vector<Configuration>& built) {
    if (built.empty()) return;
    tester_.Begin(built.size(), [&](std::size_t row, std::string_view name) {
      return LookUpConfiguration(built[row], name);
    });
    const std::vector<bool> all(built.size(), true);
    for (std::size_t i = 0; i < spec_.constraints.size(); ++i) {
      const Expression& constraint = spec_.constraints[i];
      if (complaints_.contains(constraint.text())) continue;
      for (const absl::StatusOr<bool>& holds : tester_.Test(constraint, all)) {
        if (holds.ok()) continue;
        complaints_.insert(constraint.text());
        reader_->Error(
            context_.constraints[i],
            absl::StrCat("constraint ", Shown(constraint.text()), ": ", holds.status().message()));
        break;
      }
    }
  }

  const SweepSpec& spec_;
  const std::string model_;
  const SpaceContext& context_;
  YamlReader* const reader_;
  ParameterMap middle_;             // every parameter at its median
  std::vector<std::string> names_;  // the parameters that the layers refer to
  std::vector<std::vector<Value>> tried_;
  double combinations_ = 1;
  std::set<std::string> complaints_;
  PointCompleter completer_;
  ConstraintTester tester_{ConstraintTester::kSlowCharactersOfAFile};
};

// Completes points and reports impossible ones that the constraints allow: they would be trained.
class PointCheck {
 public:
  PointCheck(const SweepSpec& spec, const SpaceContext& context, YamlReader* reader)
      : spec_(spec),
        context_(context),
        reader_(reader),
        completer_(&spec, ConstraintTester::kSlowCharactersOfAFile) {
    for (const Parameter& parameter : spec.parameters) {
      if (parameter.GridSize() != 1) varied_.push_back(parameter.name);
    }
  }

  // The number of possible and allowed points among `size`. Ends early after kMaxComplaints, which
  // refuse the file anyway, or when the caller cancels.
  std::int64_t Count(std::size_t size, const std::function<ParameterMap(std::size_t)>& point) {
    std::int64_t count = 0;
    for (std::size_t first = 0; first < size; first += kBlock) {
      if (complaints_.size() == kMaxComplaints || HasEnded(context_)) return count;
      std::vector<ParameterMap> block;
      for (std::size_t i = first; i < std::min(first + kBlock, size); ++i) {
        block.push_back(point(i));
      }
      const std::vector<PointCompleter::Result> results = completer_.Complete(1, block);
      for (std::size_t i = 0; i < block.size(); ++i) {
        if (!results[i].ok()) Complain(block[i], results[i].status());
        if (results[i].ok() && results[i]->has_value()) ++count;
      }
    }
    return count;
  }

 private:
  void Complain(const ParameterMap& chosen, const absl::Status& status) {
    const std::string message(status.message());
    if (complaints_.size() == kMaxComplaints || !complaints_.insert(message).second) return;
    const auto model = chosen.find("model");
    ComplainOfPoint(spec_, model == chosen.end() ? DefaultModel(spec_) : FormatValue(model->second),
                    message, absl::StrCat(Where(chosen, varied_), "; exclude it by 'constraints'"),
                    context_.parameters, reader_);
  }

  const SweepSpec& spec_;
  const SpaceContext& context_;
  YamlReader* const reader_;
  std::vector<std::string> varied_;
  std::set<std::string> complaints_;
  PointCompleter completer_;
};

bool SomeDrawIsValid(const SweepSpec& spec, PointCheck* check) {
  PhiloxStream stream(DeriveKey(spec.seed, "validate"), 0);
  const auto uniform = [&](const std::string&) { return stream.NextUniform(); };
  return check->Count(kDraws, [&](std::size_t) { return DrawPoint(spec, uniform); }) > 0;
}

void CountPoints(const SpaceContext& context, YamlReader* reader, SweepSpec* spec) {
  const std::size_t errors = reader->error_count();
  PointCheck check(*spec, context, reader);
  const std::optional<FiniteSpace> space = FiniteSpace::Make(spec);
  const absl::StatusOr<std::vector<std::uint64_t>> codes =
      space ? space->Codes({.condition_characters = kMaxConditionCharacters,
                            .is_cancelled = context.is_cancelled})
            : absl::ResourceExhaustedError("far too many");
  bool valid = false;
  if (codes.ok()) {
    spec->points =
        check.Count(codes->size(), [&](std::size_t i) { return space->Decode((*codes)[i]); });
    valid = *spec->points > 0;
  } else if (!absl::IsResourceExhausted(codes.status())) {
    reader->Error(context.parameters, std::string(codes.status().message()));
  } else if (spec->method->finite) {
    reader->Error(context.parameters,
                  absl::StrCat("the grid has ", codes.status().message(), " points; the limit is ",
                               FiniteSpace::kMaxPoints));
  } else {
    valid = SomeDrawIsValid(*spec, &check);
  }
  if (valid || reader->error_count() != errors || HasEnded(context)) return;
  reader->Error(context.constraints.empty() ? context.parameters : context.constraints.front(),
                absl::StrCat("no point of the search space satisfies the constraints",
                             spec->points ? "" : absl::StrCat(" (of ", kDraws, " drawn)")));
}

}  // namespace

void CheckConstraintNames(const SweepSpec& spec, const std::vector<int>& lines,
                          YamlReader* reader) {
  const std::vector<std::string> hyperparameters = HyperparameterNames(spec);
  std::vector<std::string> known = hyperparameters;
  if (!spec.models.empty()) {
    known.insert(known.end(), NetworkFactNames().begin(), NetworkFactNames().end());
  }
  for (std::size_t i = 0; i < spec.constraints.size(); ++i) {
    for (const std::string& written : spec.constraints[i].names()) {
      const std::string name(WithoutParametersPrefix(written));
      const std::vector<std::string>& allowed = name == written ? known : hyperparameters;
      if (Contains(allowed, name)) continue;
      const bool is_result = name == "accuracy" || name == "loss";
      const bool is_fact = Contains(NetworkFactNames(), name);
      const std::string why = is_result ? ", which only training tells; use 'require'"
                              : is_fact && name != written
                                  ? ", a fact of the network and no hyperparameter"
                              : is_fact ? ", a fact of the network, which needs 'model'"
                                        : DidYouMean(name, allowed);
      reader->Error(lines[i], absl::StrCat("constraint ", Shown(spec.constraints[i].text()),
                                           " refers to unknown '", written, "'", why));
    }
  }
}

void CheckDefaultsFit(const SweepSpec& spec, YamlReader* reader) {
  for (const std::string& model : spec.models) {
    const NetworkFile& network = spec.networks.at(model);
    const ParameterMap base = BaseParameters(spec, model);
    const auto has_value = [&](const std::string& name) { return base.contains(name); };
    if (!std::all_of(network.references().begin(), network.references().end(), has_value)) continue;
    const absl::Status status = network.Resolve(base).status();
    if (!status.ok()) ComplainOfNetwork(network, status.message(), "", 0, reader);
  }
}

void CheckPoints(const SpaceContext& context, YamlReader* reader, SweepSpec* spec) {
  const std::size_t errors = reader->error_count();
  if (spec->models.empty()) ModelCheck(*spec, "", context, reader).Run();
  for (const std::string& model : spec->models) ModelCheck(*spec, model, context, reader).Run();
  if (reader->error_count() == errors) CountPoints(context, reader, spec);
}

}  // namespace sweep
