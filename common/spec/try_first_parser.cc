#include "common/spec/try_first_parser.h"

#include <algorithm>
#include <map>
#include <optional>
#include <span>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/nearest.h"
#include "common/spec/constraint_tester.h"
#include "common/spec/nested_names.h"
#include "common/spec/parameters_parser.h"
#include "common/spec/point_completer.h"
#include "common/spec/point_resolver.h"
#include "common/spec/search_space.h"
#include "common/yaml/shown.h"

namespace sweep {
namespace {

// "one of 32, 64", "a multiple of 0.1 in [0, 0.5]": what a parameter can be.
std::string PossibleValues(const Parameter& parameter) {
  constexpr std::size_t kMostListed = 16;
  if (!parameter.values.empty()) {
    std::vector<std::string> listed;
    for (const Value& value : parameter.values) {
      if (!parameter.PlaceOf(value)) continue;
      if (listed.size() == kMostListed) {
        listed.push_back("…");
        break;
      }
      listed.push_back(FormatValue(value));
    }
    return absl::StrCat(listed.size() == 1 ? "" : "one of ", absl::StrJoin(listed, ", "));
  }
  const auto [least, greatest] = parameter.EndValues();
  const std::string range =
      absl::StrCat(" in [", FormatValue(least), ", ", FormatValue(greatest), "]");
  if (parameter.distribution == Distribution::kIntUniform) return "an integer" + range;
  if (parameter.q > 0) return absl::StrCat("a multiple of ", FormatDouble(parameter.q), range);
  return "a number" + range;
}

void ReadValue(const YamlEntry& entry, const SweepSpec& spec, WrittenPoint* point,
               YamlReader* reader) {
  const std::string what = absl::StrCat("'", entry.key, "' of ", point->name);
  const std::optional<Value> value =
      spec.HasOwnTrainer() ? reader->ScalarOrList(entry, what) : reader->Scalar(entry, what);
  if (!value) return;
  const Parameter* const parameter = FindParameter(spec, entry.key);
  if (parameter == nullptr) {
    std::vector<std::string> names;
    for (const Parameter& one : spec.parameters) names.push_back(one.name);
    return reader->Error(entry.line, absl::StrCat(point->name, " has ", Shown(entry.key),
                                                  ", which is no parameter of the sweep",
                                                  DidYouMean(entry.key, names)));
  }
  const std::optional<Value> own = parameter->OwnValue(*value);
  if (!own) {
    return reader->Error(entry.line,
                         absl::StrCat("'", entry.key, "' of ", point->name, " is ", Shown(*value),
                                      "; it must be ", PossibleValues(*parameter)));
  }
  point->values[entry.key] = *own;
  point->lines[entry.key] = entry.line;
}

Value DefaultOf(const Parameter& parameter) {
  const std::vector<double>& shares = parameter.probabilities;
  if (parameter.values.empty()) return parameter.Quantile(0.5);
  // The first of equally likely ones.
  const auto most = std::max_element(shares.begin(), shares.end());
  return parameter.values[static_cast<std::size_t>(most - shares.begin())];
}

// " (lr=0.5, batch_size=64)"
std::string ValuesOf(const ParameterMap& point) {
  std::vector<std::string> parts;
  for (const auto& [name, value] : point) {
    parts.push_back(absl::StrCat(name, "=", FormatValue(value)));
  }
  return parts.empty() ? "" : absl::StrCat(" (", absl::StrJoin(parts, ", "), ")");
}

// The text of the first constraint that excludes a point; "" when its network cannot be built.
std::string ExcludingConstraint(const SweepSpec& spec, const ParameterMap& point) {
  const absl::StatusOr<Configuration> configuration = spec.Complete(1, point);
  if (!configuration.ok()) return "";
  for (const Expression& constraint : spec.constraints) {
    const absl::StatusOr<bool> holds = constraint.Test(
        [&](std::string_view name) { return LookUpConfiguration(*configuration, name); });
    if (holds.ok() && !*holds) return constraint.text();
  }
  return "";
}

// Completes points and reports those that cannot be tried; one object per file.
class PointReader {
 public:
  PointReader(const SweepSpec& spec, YamlReader* reader)
      : spec_(spec),
        reader_(reader),
        resolver_(&spec, ConstraintTester::kSlowCharactersOfAFile),
        completer_(&spec, ConstraintTester::kSlowCharactersOfAFile) {}

  // The parameters that exist at each point. `points` has at most PointCompleter::kBlock.
  std::vector<ParameterMap> Complete(std::span<const WrittenPoint> points) {
    std::vector<ParameterMap> chosen;
    for (const WrittenPoint& point : points) {
      chosen.push_back(point.values);
      for (const Parameter& parameter : spec_.parameters) {
        chosen.back().try_emplace(parameter.name, DefaultOf(parameter));
      }
    }
    std::vector<ParameterMap> values;
    std::vector<PointResolver::Result> resolved = resolver_.Resolve(chosen);
    for (std::size_t i = 0; i < points.size(); ++i) {
      values.push_back(Existing(points[i], &resolved[i]));
    }
    const std::vector<PointCompleter::Result> built = completer_.Complete(1, values);
    for (std::size_t i = 0; i < points.size(); ++i) {
      if (resolved[i].ok()) Check(points[i], values[i], built[i]);
    }
    return values;
  }

 private:
  // Empty after an error, which `resolved` then is.
  ParameterMap Existing(const WrittenPoint& point, PointResolver::Result* resolved) {
    if (!resolved->ok()) {
      reader_->Error(point.line, absl::StrCat(point.name, ": ", resolved->status().message()));
      return {};
    }
    ParameterMap existing = (*resolved)->parameters;
    for (const auto& [name, line] : point.lines) {
      if (existing.contains(name)) continue;
      const std::string why =
          absl::StrCat(point.name, " has '", name, "', which does not exist there: ",
                       Shown(FindParameter(spec_, name)->when->text()), " does not hold");
      reader_->Error(line, why);
      *resolved = absl::InvalidArgumentError(why);
    }
    return resolved->ok() ? existing : ParameterMap();
  }

  void Check(const WrittenPoint& point, const ParameterMap& values,
             const PointCompleter::Result& built) {
    const std::string what = absl::StrCat(point.name, ValuesOf(values));
    const auto [same, is_new] = known_.emplace(values, point.name);
    if (!built.ok()) {
      reader_->Error(point.line, absl::StrCat(what, ": ", built.status().message()));
    } else if (!built->has_value()) {
      const std::string constraint = ExcludingConstraint(spec_, values);
      reader_->Error(
          point.line,
          absl::StrCat(what, " is excluded by ",
                       constraint.empty() ? "'constraints'"
                                          : absl::StrCat("constraint ", Shown(constraint))));
    } else if (!is_new && !spec_.repeat_points) {
      reader_->Error(point.line, absl::StrCat(what, " is the same as ", same->second));
    }
  }

  const SweepSpec& spec_;
  YamlReader* const reader_;
  PointResolver resolver_;
  PointCompleter completer_;
  std::map<ParameterMap, std::string> known_;  // the names of the points so far
};

}  // namespace

std::vector<WrittenPoint> ParseTryFirst(const YamlEntry& entry, const SweepSpec& spec,
                                        bool parameters_are_known, YamlReader* reader) {
  std::vector<WrittenPoint> points;
  if (!entry.value.IsSequence() || entry.value.size() == 0) {
    reader->Error(entry.line, "'try_first' must be a list of points, such as [{lr: 0.1}]");
    return points;
  }
  for (const YAML::Node& node : entry.value) {
    WrittenPoint& point = points.emplace_back();
    point.name = absl::StrCat("point ", points.size(), " of 'try_first'");
    point.line = LineOf(node);
    for (const YamlEntry& value : FlatValues(node, point.line, point.name, reader)) {
      if (parameters_are_known) {
        ReadValue(value, spec, &point, reader);
      } else {
        reader->ScalarOrList(value);
      }
    }
  }
  if (spec.run_cap > 0 && std::ssize(points) > spec.run_cap) {
    reader->Error(entry.line,
                  absl::StrCat("'try_first' has ", points.size(),
                               " points, more than 'run_cap', which is ", spec.run_cap));
  }
  return points;
}

std::vector<ParameterMap> CompleteTryFirst(const std::vector<WrittenPoint>& points,
                                           const SweepSpec& spec, const IsCancelled& is_cancelled,
                                           YamlReader* reader) {
  constexpr std::size_t kMostErrors = 20;
  std::vector<ParameterMap> completed;
  PointReader point_reader(spec, reader);
  for (std::size_t first = 0; first < points.size(); first += PointCompleter::kBlock) {
    if (reader->error_count() > kMostErrors || (is_cancelled && is_cancelled())) break;
    const std::size_t count = std::min(PointCompleter::kBlock, points.size() - first);
    for (ParameterMap& values : point_reader.Complete(std::span(points).subspan(first, count))) {
      completed.push_back(std::move(values));
    }
  }
  return completed;
}

}  // namespace sweep
