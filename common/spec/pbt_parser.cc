#include "common/spec/pbt_parser.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/spec/search_space.h"
#include "common/yaml/shown.h"

namespace sweep {
namespace {

constexpr std::int64_t kMaxPopulation = 1'000;
constexpr std::int64_t kMaxEpochs = 10'000;
// Values of one list that are tried: more hardly belong to a network.
constexpr std::int64_t kMostTried = 64;

void ReadShare(const YamlEntry& entry, bool (*is_allowed)(double), const std::string& allowed,
               YamlReader* reader, double* out) {
  const std::optional<double> share = reader->Number(entry);
  if (share && !is_allowed(*share)) {
    reader->Error(entry.line, absl::StrCat("'", entry.key, "' must be a number ", allowed, ", not ",
                                           Shown(entry.value.Scalar())));
  } else if (share) {
    *out = *share;
  }
}

using Shapes = std::vector<std::array<int, 4>>;

// What the tensors of a network depend on.
Shapes ShapesOf(const Network& network) {
  Shapes shapes;
  for (const Layer& layer : network.layers) {
    shapes.push_back({static_cast<int>(layer.kind), layer.output.channels, layer.output.height,
                      layer.output.width});
    shapes.push_back({layer.kernel, layer.stride, layer.padding, layer.bias ? 1 : 0});
  }
  return shapes;
}

std::vector<Value> TriedValues(const Parameter& parameter) {
  const std::int64_t values = parameter.GridSize();
  if (values == 0 || values > kMostTried) {
    const auto [least, greatest] = parameter.EndValues();
    return {least, greatest};
  }
  return parameter.GridValues();
}

}  // namespace

std::string PbtSettings::Canonical() const {
  return absl::StrCat(population, " ", segment_epochs, " ", FormatDouble(quantile), " ",
                      FormatDouble(resample), synchronous ? " synchronous" : "");
}

PbtSettings ParsePbt(const YamlEntry& entry, YamlReader* reader) {
  PbtSettings settings;
  const auto keys =
      reader->Keys(entry.value, entry.line, "'pbt'",
                   {"population", "segment_epochs", "quantile", "resample", "synchronous"});
  if (!entry.value.IsMap()) return settings;
  const auto read_int = [&](const char* key, std::int64_t min, std::int64_t max, int* out) {
    const auto found = keys.find(key);
    if (found == keys.end()) return;
    if (const auto value = reader->Int(found->second, min, max)) *out = static_cast<int>(*value);
  };
  read_int("population", 2, kMaxPopulation, &settings.population);
  read_int("segment_epochs", 1, kMaxEpochs, &settings.segment_epochs);
  if (const auto found = keys.find("quantile"); found != keys.end()) {
    ReadShare(
        found->second, [](double share) { return share > 0 && share <= 0.5; },
        "above 0 and at most 0.5", reader, &settings.quantile);
  }
  if (const auto found = keys.find("resample"); found != keys.end()) {
    ReadShare(
        found->second, [](double share) { return share >= 0 && share <= 1; }, "from 0 to 1", reader,
        &settings.resample);
  }
  if (const auto found = keys.find("synchronous"); found != keys.end()) {
    const std::optional<Value> value = reader->Scalar(found->second);
    const bool* const flag = value ? std::get_if<bool>(&*value) : nullptr;
    if (flag != nullptr) settings.synchronous = *flag;
    if (value && flag == nullptr) {
      reader->Error(found->second.line,
                    absl::StrCat("'synchronous' must be true or false, not ", Shown(*value)));
    }
  }
  return settings;
}

void CheckTakenOver(const SweepSpec& spec, int line, YamlReader* reader) {
  if (spec.models.size() != 1) return;
  ParameterMap middle;
  for (const Parameter& parameter : spec.parameters) {
    middle[parameter.name] =
        parameter.GridSize() == 1 ? parameter.GridValue(0) : parameter.Quantile(0.5);
  }
  for (const Parameter& parameter : spec.parameters) {
    // The trainer's own hyperparameters change no tensor.
    if (parameter.GridSize() == 1 || FindKnownParameter(parameter.name) != nullptr) continue;
    std::optional<Shapes> first;
    for (const Value& value : TriedValues(parameter)) {
      ParameterMap point = middle;
      point[parameter.name] = value;
      const absl::StatusOr<Configuration> built = spec.Complete(1, point);
      if (!built.ok()) continue;  // it would not be trained
      Shapes shapes = ShapesOf(built->network);
      if (!first) {
        first = std::move(shapes);
      } else if (shapes != *first) {
        reader->Error(parameter.line > 0 ? parameter.line : line,
                      absl::StrCat("parameter '", parameter.name,
                                   "' changes the shape of the network, and method pbt goes on "
                                   "with the weights of one value under another; give it one "
                                   "value, or take another method"));
        break;
      }
    }
  }
}

}  // namespace sweep
