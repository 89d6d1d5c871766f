#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/protocol/trainer_message.h"
#include "common/trial/measures.h"
#include "sweep/v1/resources.pb.h"

namespace sweep::cli {

// Compares a trial that was trained again with its stored epochs. Pure.

// The `ready` line that is stored with an attempt; nullopt when there is none that can be read.
std::optional<ReadyMessage> ReadTrainer(const std::string& line);
// "sweep-trainer 0.1.0, libtorch 2.13.0: lanes, AVX3, cpu, 1 thread".
std::string TrainerText(const ReadyMessage& trainer);
// What of two trainers differs, in words: "backend torch, here lanes; 2 threads, here 1". "" when
// they compute the same, bit for bit, unless libtorch is another build of the same version: the
// build id is sweep-trainer's alone.
std::string TrainerDifference(const ReadyMessage& stored, const ReadyMessage& here);

// One measure of an epoch. Only those that a repetition must measure again: no times.
struct RepeatedValue {
  std::string name;
  std::optional<double> stored, again;  // nullopt: not reported
  bool is_same = false;                 // bit for bit; NaN is NaN
  bool is_close = false;                // within the tolerance
};

struct RepeatedEpoch {
  int epoch = 0;
  int attempt = 0;            // that measured the stored one
  bool expects_same = false;  // it and the attempts before were computed like the repetition
  std::vector<RepeatedValue> values;  // by name

  bool is_same() const;
  bool is_close() const;
  const RepeatedValue* Find(std::string_view name) const;
};

// What trainings on other backends, builds or instruction sets may differ by: shares by 0.06, other
// numbers by 0.3 of the larger one, or by 0.05 near 0 (docs/training.md has what was measured).
inline constexpr double kShareTolerance = 0.06;
inline constexpr double kNumberTolerance = 0.3;
inline constexpr double kSmallTolerance = 0.05;

RepeatedEpoch CompareEpoch(const v1::Epoch& stored, const EpochMetrics& again);

// The result in one sentence, and whether it is as expected.
struct RepetitionVerdict {
  bool is_good = false;
  std::string kind;  // "same", "close", "different", "incomplete"
  std::string text;  // "" for "incomplete"
};
// `difference`: what of the trainers differs; "" for nothing; "unknown: …" when it is not known.
// `is_complete`: every stored epoch came again.
RepetitionVerdict JudgeRepetition(const std::vector<RepeatedEpoch>& epochs,
                                  const std::string& difference, bool is_complete = true);

}  // namespace sweep::cli
