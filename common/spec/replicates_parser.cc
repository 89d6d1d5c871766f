#include "common/spec/replicates_parser.h"

#include <cmath>
#include <map>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/expr/expression.h"
#include "common/yaml/shown.h"

namespace sweep {
namespace {

constexpr int kMaxReplicates = 1000;
constexpr std::int64_t kMaxExtra = 1'000'000;
constexpr int kAutoMax = 10;

// A number, or one with a per cent sign: the metric may be a share.
void ReadWithin(const YamlEntry& entry, YamlReader* reader, double* within) {
  if (!reader->Text(entry)) return;
  const std::string& text = entry.value.Scalar();
  const absl::StatusOr<Gate> read = Gate::Parse("within", text);
  const bool is_number = read.ok() && read->op == Gate::Op::kEqual && IsNumber(read->bound);
  const double value = is_number ? AsDouble(read->bound) : -1;
  if (!std::isfinite(value) || value < 0) {
    return reader->Error(entry.line,
                         absl::StrCat("'within' of 'replicates' must be a difference of the metric "
                                      "from 0 on, such as 0.0005 or 0.05 %, not ",
                                      Shown(text)));
  }
  *within = value;
}

void ReadRace(const YamlEntry& entry, YamlReader* reader, SweepSpec* spec) {
  const std::map<std::string, YamlEntry> keys =
      reader->Keys(entry.value, entry.line, "'replicates'", {"min", "max", "extra", "within"});
  const auto read = [&](const char* key, std::int64_t min, std::int64_t max, auto* out) {
    const auto found = keys.find(key);
    if (found == keys.end()) return;
    const auto value = reader->Int(found->second, min, max);
    if (value) *out = static_cast<std::remove_pointer_t<decltype(out)>>(*value);
  };
  ReplicateRace race;
  spec->replicates = kAutoMax;
  read("min", 1, kMaxReplicates - 1, &race.min);
  read("max", 2, kMaxReplicates, &spec->replicates);
  read("extra", 1, kMaxExtra, &race.extra);
  if (const auto within = keys.find("within"); within != keys.end()) {
    ReadWithin(within->second, reader, &race.within);
  }
  if (race.min >= spec->replicates) {
    reader->Error(entry.line,
                  absl::StrCat("'replicates' has min: ", race.min, " and max: ", spec->replicates,
                               ": 'max' must be larger; for as many runs of every configuration "
                               "write replicates: ",
                               race.min));
    race.min = 1;
    spec->replicates = kAutoMax;
  }
  spec->race = race;
}

}  // namespace

void ParseReplicates(const YamlEntry& entry, YamlReader* reader, SweepSpec* spec) {
  if (entry.value.IsMap()) return ReadRace(entry, reader, spec);
  if (entry.value.IsScalar() && entry.value.Scalar() == "auto") {
    spec->replicates = kAutoMax;
    spec->race = ReplicateRace();
    return;
  }
  if (!entry.value.IsScalar()) {
    return reader->Error(entry.line,
                         "'replicates' must be an integer, auto, or a mapping such as {max: 10}");
  }
  const auto value = reader->Int(entry, 1, kMaxReplicates);
  if (value) spec->replicates = static_cast<int>(*value);
}

}  // namespace sweep
