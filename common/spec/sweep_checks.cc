#include "common/spec/sweep_checks.h"

#include <algorithm>
#include <cmath>
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
#include "common/spec/parameters_parser.h"
#include "common/spec/search_space.h"
#include "common/yaml/shown.h"

namespace sweep {
namespace {

#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
// A fuzzer has to get through the code, not to find the one bad point of a space.
constexpr int kMaxSamples = 16;
constexpr std::int64_t kMaxListed = 8;
constexpr int kDraws = 16;
#else
constexpr int kMaxSamples = 512;         // networks built per model
constexpr std::int64_t kMaxListed = 64;  // values of one parameter tried in turn
constexpr int kDraws = 1000;
#endif
constexpr std::size_t kMaxComplaints = 3;  // per model

bool Contains(const std::vector<std::string>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// Complains about a network, pointing into its own file where the message does, else at `line` of
// the sweep file.
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

// Complains about a point of the search space, which may be its network's fault.
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

// The values of one parameter that are tried: all of a short list, else a spread.
std::vector<Value> TriedValues(const Parameter& parameter) {
  const std::int64_t size = parameter.GridSize();
  if (size > 0 && size <= kMaxListed) return parameter.GridValues();
  std::vector<Value> values;
  for (const double u : {0.0, 0.25, 0.5, 0.75, 1.0}) values.push_back(parameter.Quantile(u));
  return values;
}

// Tries one model. An object per model.
class ModelCheck {
 public:
  ModelCheck(const SweepSpec& spec, const std::string& model, const SpaceLines& lines,
             YamlReader* reader)
      : spec_(spec), model_(model), lines_(lines), reader_(reader) {
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
    for (int i = 0; i < samples; ++i) Try(Sample(i, samples));
    if (complaints_.size() > kMaxComplaints) {
      reader_->Error(lines_.parameters,
                     absl::StrCat("network ", Shown(model_), " does not fit in ",
                                  complaints_.size() - kMaxComplaints, " more ways"));
    }
  }

 private:
  // Sample i of n, spread evenly over all combinations, the first and the last among them.
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

  void Try(const ParameterMap& chosen) {
    const absl::StatusOr<Configuration> configuration = spec_.Complete(1, chosen);
    if (configuration.ok()) {
      TryConstraints(*configuration);
    } else if (const absl::StatusOr<ResolvedPoint> point = ResolvePoint(spec_, chosen);
               !(point.ok() && IsExcluded(spec_, *point)) &&
               complaints_.insert(std::string(configuration.status().message())).second &&
               complaints_.size() <= kMaxComplaints) {
      ComplainOfPoint(spec_, model_, configuration.status().message(), Where(chosen, names_),
                      lines_.parameters, reader_);
    }
  }

  void TryConstraints(const Configuration& configuration) {
    const auto scope = [&](std::string_view name) {
      return LookUpConfiguration(configuration, name);
    };
    for (std::size_t i = 0; i < spec_.constraints.size(); ++i) {
      const Expression& constraint = spec_.constraints[i];
      const absl::Status status = constraint.Test(scope).status();
      if (status.ok() || !complaints_.insert(constraint.text()).second) continue;
      reader_->Error(lines_.constraints[i],
                     absl::StrCat("constraint ", Shown(constraint.text()), ": ", status.message()));
    }
  }

  const SweepSpec& spec_;
  const std::string model_;
  const SpaceLines& lines_;
  YamlReader* const reader_;
  ParameterMap middle_;             // every parameter at its median
  std::vector<std::string> names_;  // what the layers refer to
  std::vector<std::vector<Value>> tried_;
  double combinations_ = 1;
  std::set<std::string> complaints_;
};

// Completes points and complains of those that the constraints allow but that are impossible, since
// they would be trained.
class PointCheck {
 public:
  PointCheck(const SweepSpec& spec, const SpaceLines& lines, YamlReader* reader)
      : spec_(spec), lines_(lines), reader_(reader) {
    for (const Parameter& parameter : spec.parameters) {
      if (parameter.GridSize() != 1) varied_.push_back(parameter.name);
    }
  }

  // Whether the point is possible and allowed.
  bool Try(const ParameterMap& chosen) {
    const auto configuration = spec_.CompleteIfAllowed(1, chosen);
    if (configuration.ok()) return configuration->has_value();
    const std::string message(configuration.status().message());
    if (complaints_.size() == kMaxComplaints || !complaints_.insert(message).second) return false;
    const auto model = chosen.find("model");
    ComplainOfPoint(spec_, model == chosen.end() ? DefaultModel(spec_) : FormatValue(model->second),
                    message, absl::StrCat(Where(chosen, varied_), "; exclude it by 'constraints'"),
                    lines_.parameters, reader_);
    return false;
  }

 private:
  const SweepSpec& spec_;
  const SpaceLines& lines_;
  YamlReader* const reader_;
  std::vector<std::string> varied_;
  std::set<std::string> complaints_;
};

bool SomeDrawIsValid(const SweepSpec& spec, PointCheck* check) {
  PhiloxStream stream(DeriveKey(spec.seed, "validate"), 0);
  const auto uniform = [&](const std::string&) { return stream.NextUniform(); };
  bool valid = false;
  for (int draw = 0; draw < kDraws; ++draw) valid |= check->Try(DrawPoint(spec, uniform));
  return valid;
}

void CountPoints(const SpaceLines& lines, YamlReader* reader, SweepSpec* spec) {
  const std::size_t errors = reader->error_count();
  PointCheck check(*spec, lines, reader);
  const std::optional<FiniteSpace> space = FiniteSpace::Make(spec);
  const absl::StatusOr<std::vector<std::uint64_t>> codes =
      space ? space->Codes() : absl::ResourceExhaustedError("far too many");
  bool valid = false;
  if (codes.ok()) {
    spec->points = std::count_if(codes->begin(), codes->end(), [&](std::uint64_t code) {
      return check.Try(space->Decode(code));
    });
    valid = *spec->points > 0;
  } else if (!absl::IsResourceExhausted(codes.status())) {
    reader->Error(lines.parameters, std::string(codes.status().message()));
  } else if (spec->method == Method::kGrid) {
    reader->Error(lines.parameters,
                  absl::StrCat("the grid has ", codes.status().message(), " points; the limit is ",
                               FiniteSpace::kMaxPoints));
  } else {
    valid = SomeDrawIsValid(*spec, &check);
  }
  if (valid || reader->error_count() != errors) return;
  reader->Error(lines.constraints.empty() ? lines.parameters : lines.constraints.front(),
                absl::StrCat("no point of the search space satisfies the constraints",
                             spec->points ? "" : absl::StrCat(" (of ", kDraws, " drawn)")));
}

}  // namespace

void CheckConstraintNames(const SweepSpec& spec, const std::vector<int>& lines,
                          YamlReader* reader) {
  std::vector<std::string> known = HyperparameterNames(spec);
  if (!spec.models.empty()) {
    known.insert(known.end(), NetworkFactNames().begin(), NetworkFactNames().end());
  }
  for (std::size_t i = 0; i < spec.constraints.size(); ++i) {
    for (const std::string& name : spec.constraints[i].names()) {
      if (Contains(known, name)) continue;
      const bool is_result = name == "accuracy" || name == "loss";
      const bool is_fact = Contains(NetworkFactNames(), name);
      const std::string why = is_result ? ", which only training tells; use 'require'"
                              : is_fact ? ", a fact of the network, which needs 'model'"
                                        : DidYouMean(name, known);
      reader->Error(lines[i], absl::StrCat("constraint ", Shown(spec.constraints[i].text()),
                                           " refers to unknown '", name, "'", why));
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

void CheckPoints(const SpaceLines& lines, YamlReader* reader, SweepSpec* spec) {
  const std::size_t errors = reader->error_count();
  if (spec->models.empty()) ModelCheck(*spec, "", lines, reader).Run();
  for (const std::string& model : spec->models) ModelCheck(*spec, model, lines, reader).Run();
  if (reader->error_count() == errors) CountPoints(lines, reader, spec);
}

}  // namespace sweep
