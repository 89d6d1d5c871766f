#include "cli/training/repetition.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "common/base/counted.h"
#include "proto/epochs.h"

namespace sweep::cli {
namespace {

// A database does not keep the sign of a zero.
bool IsSameBits(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

bool IsClose(std::string_view name, double a, double b) {
  if (IsSameBits(a, b)) return true;
  if (!std::isfinite(a) || !std::isfinite(b)) return false;
  const double difference = std::abs(a - b);
  const Measure* const measure = FindMeasure(name);
  if (measure != nullptr && measure->unit == Measure::Unit::kShare) {
    return difference <= kShareTolerance;
  }
  return difference <=
         std::max(kSmallTolerance, kNumberTolerance * std::max(std::abs(a), std::abs(b)));
}

bool IsRepeatable(std::string_view name) {
  const Measure* const measure = FindMeasure(name);
  return measure == nullptr || measure->is_reproducible;
}

std::string Threads(int threads) {
  return threads == 0 ? "an unknown number of threads" : Counted(threads, "thread");
}

std::string EpochsText(std::size_t count) {
  return count == 1 ? "the epoch is" : fmt::format("all {} epochs are", count);
}

}  // namespace

std::optional<ReadyMessage> ReadTrainer(const std::string& line) {
  if (line.empty()) return std::nullopt;
  try {
    bool is_json = false;
    const TrainerMessage message = TrainerMessageFromJson(line, &is_json);
    if (!is_json || !std::holds_alternative<ReadyMessage>(message)) return std::nullopt;
    return std::get<ReadyMessage>(message);
  } catch (const ProtocolError&) {  // of a later protocol
    return std::nullopt;
  }
}

std::string TrainerText(const ReadyMessage& trainer) {
  std::string text = trainer.build.empty() ? "a trainer without a name" : trainer.build;
  std::string separator = ": ";
  for (const std::string& part : {trainer.backend, trainer.instructions, trainer.device,
                                  trainer.threads > 0 ? Threads(trainer.threads) : ""}) {
    if (part.empty()) continue;
    text += separator + part;
    separator = ", ";
  }
  return text;
}

std::string TrainerDifference(const ReadyMessage& stored, const ReadyMessage& here) {
  std::string text;
  const auto add = [&](const std::string& what) { text += (text.empty() ? "" : "; ") + what; };
  const auto compare = [&](const char* name, const std::string& a, const std::string& b) {
    if (a == b) return;
    add(fmt::format("{} {}, here {}", name, a.empty() ? "unknown" : a, b.empty() ? "unknown" : b));
  };
  compare("backend", stored.backend, here.backend);
  compare("device", stored.device, here.device);
  compare("instruction set", stored.instructions, here.instructions);
  if (stored.build != here.build) {
    compare("build", stored.build, here.build);
  } else if (stored.build_id != here.build_id) {
    add("another build of " + (here.build.empty() ? "the same program" : here.build));
  }
  if (stored.threads != here.threads) {
    add(fmt::format("{}, here {}", Threads(stored.threads), here.threads));
  }
  return text;
}

bool RepeatedEpoch::is_same() const {
  return std::all_of(values.begin(), values.end(), [](const auto& one) { return one.is_same; });
}

bool RepeatedEpoch::is_close() const {
  return std::all_of(values.begin(), values.end(), [](const auto& one) { return one.is_close; });
}

const RepeatedValue* RepeatedEpoch::Find(std::string_view name) const {
  const auto found = std::find_if(values.begin(), values.end(), [&](const RepeatedValue& one) {
    return one.name == CanonicalMeasure(name);
  });
  return found == values.end() ? nullptr : &*found;
}

RepeatedEpoch CompareEpoch(const v1::Epoch& row, const EpochMetrics& again) {
  const EpochMetrics stored = FromProto(row);
  RepeatedEpoch compared{.epoch = row.epoch(), .attempt = row.attempt()};
  std::set<std::string> names;
  for (const Measurements* measured : {&stored.values, &again.values}) {
    for (const auto& [name, value] : *measured) {
      if (IsRepeatable(name)) names.insert(name);
    }
  }
  for (const std::string& name : names) {
    RepeatedValue value{
        .name = name, .stored = stored.values.Get(name), .again = again.values.Get(name)};
    if (value.stored && value.again) {
      value.is_same = IsSameBits(*value.stored, *value.again);
      value.is_close = IsClose(name, *value.stored, *value.again);
    }
    compared.values.push_back(std::move(value));
  }
  return compared;
}

RepetitionVerdict JudgeRepetition(const std::vector<RepeatedEpoch>& epochs,
                                  const std::string& difference, bool is_complete) {
  const auto first_unlike =
      std::find_if(epochs.begin(), epochs.end(), [](const auto& one) { return !one.is_same(); });
  if (first_unlike == epochs.end() && is_complete) {
    return {.is_good = true,
            .kind = "same",
            .text = fmt::format("{} the same, bit for bit", EpochsText(epochs.size()))};
  }
  const auto broken = std::find_if(epochs.begin(), epochs.end(), [](const auto& one) {
    return one.expects_same && !one.is_same();
  });
  if (broken != epochs.end()) {
    return {.is_good = false,
            .kind = "different",
            .text = fmt::format(
                "epoch {} differs, although the same build computed it with the same backend and "
                "instruction set: something else than the trial's line has decided, such as other "
                "data, another build of the same libtorch, or a program that draws without its "
                "seed",
                broken->epoch)};
  }
  const std::string why =
      difference.empty() ? "an attempt before was computed otherwise" : difference;
  const auto far =
      std::find_if(epochs.begin(), epochs.end(), [](const auto& one) { return !one.is_close(); });
  if (far == epochs.end() && !is_complete) return {.is_good = false, .kind = "incomplete"};
  if (far == epochs.end()) {
    return {.is_good = true,
            .kind = "close",
            .text = fmt::format("{} within the tolerance; from epoch {} on not bit for bit, "
                                "because of {}",
                                EpochsText(epochs.size()), first_unlike->epoch, why)};
  }
  return {.is_good = false,
          .kind = "different",
          .text = fmt::format("epoch {} differs by more than the tolerance for another backend, "
                              "build or instruction set ({})",
                              far->epoch, why)};
}

}  // namespace sweep::cli
