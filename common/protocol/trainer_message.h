#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>

#include "common/protocol/trial_spec.h"
#include "common/trial/measures.h"

namespace sweep {

// Lines that a trainer writes (docs/protocol.md). Each carries the trial's id.
struct ReadyMessage {  // once, at start
  int protocol = kTrainerProtocolVersion;
  std::string build;         // "sweep-trainer 0.1.0, libtorch 2.13.0"
  std::string device;        // "cpu", "cuda:0 NVIDIA H200"
  std::string backend;       // "torch"
  std::string build_id;      // names the program's code
  std::string instructions;  // "AVX2"
  int threads = 0;           // that compute one trial; 0: unknown
};
struct ProgressMessage {
  std::string trial;
  int epoch = 0;
  int step = 0;
  int steps = 0;    // per epoch
  double loss = 0;  // of the last step
  double images_per_second = 0;
};
struct EpochMessage {
  std::string trial;
  EpochMetrics metrics;
};
struct CheckpointMessage {  // a checkpoint file has been written, renamed into place and fsynced
  std::string trial;
  int epoch = 0;  // the last whole epoch in it
  std::string path;
};
struct DoneMessage {
  std::string trial;
  int epochs = 0;
  bool stopped = false;  // ended because of a stop line
  // Files by role: "weights_best", "weights_last", "predictions".
  std::map<std::string, std::string> files;
};
struct ErrorMessage {
  std::string trial;
  std::string reason;
  bool retryable = false;  // false: the same spec would fail again (divergence, bad spec)
};
using TrainerMessage = std::variant<ReadyMessage, ProgressMessage, EpochMessage, CheckpointMessage,
                                    DoneMessage, ErrorMessage>;

// One line of JSON, no newline. NaN and infinities are written as the strings "NaN", "Infinity",
// "-Infinity", since JSON has no such numbers, and read back as such.
std::string TrainerMessageToJson(const TrainerMessage& message);
// Throws ProtocolError for a line of JSON that is no message. A line that does not start with '{'
// is log output: it sets `*is_json` to false and throws nothing.
TrainerMessage TrainerMessageFromJson(std::string_view line, bool* is_json);

// Lines that a trainer reads after its `trial` line.
enum class TrainerCommand { kStop, kCheckpoint };
std::string TrainerCommandToJson(TrainerCommand command, std::string_view trial);
// Sets `*trial` to the addressed trial. Throws ProtocolError.
TrainerCommand TrainerCommandFromJson(std::string_view line, std::string* trial);
// The "type" of any line: "trial", "stop", "checkpoint". Throws ProtocolError.
std::string LineType(std::string_view line);

}  // namespace sweep
