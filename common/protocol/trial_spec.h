#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/value.h"
#include "common/network/network.h"

namespace sweep {

// The version of the trainer's JSON-lines protocol (docs/protocol.md).
inline constexpr int kTrainerProtocolVersion = 1;

// Which images to train on.
struct DatasetSpec {
  std::string name = "mnist";  // "mnist", "synthetic", "idx", or "none": the program's own data
  std::string path;            // idx: the folder of the four IDX files; see also uploaded_data.h
  int train_size = 0;          // synthetic: images to draw; others: 0 = all, else the first N
  int test_size = 0;
  bool operator==(const DatasetSpec&) const = default;
};

// Everything that determines a training: same spec and seed, same epochs, bit for bit (on one ISA
// and build). The trainer reads it as its `trial` line. A sweep with its own `program` may have no
// network; then `network` has no layers and the line has no such field.
struct TrialSpec {
  std::string trial;  // "seed-000/17", for messages and as the id of every line
  std::uint64_t seed = 1;
  int epochs = 19;
  // Training pauses after this epoch, though the schedule is that of `epochs`; 0: the last epoch.
  int target_epoch = 0;
  // Epochs up to this one were trained as another trial, from whose checkpoint this one begins; 0:
  // it begins untrained.
  int start_epoch = 0;
  int batch_size = 64;
  double lr = 0.01;
  double momentum = 0.9;
  bool nesterov = false;
  double weight_decay = 0;
  bool decay_norm_and_bias = true;  // false leaves BatchNorm and biases out of weight decay
  double label_smoothing = 0;       // in [0, 1)

  std::string schedule = "constant";     // constant | step | cosine | one_cycle
  int step_epochs = 6;                   // step: epochs between decays
  double step_gamma = 0.1;               // step: factor of a decay
  double final_lr_fraction = 0;          // cosine: the last step's lr as a fraction of lr
  double warmup_epochs = 0;              // constant, step, cosine: linear from 0
  double one_cycle_warmup = 0.3;         // one_cycle: share of steps that rise
  double one_cycle_start_divisor = 25;   // first lr = lr / this
  double one_cycle_final_divisor = 1e4;  // last lr = first lr / this

  std::string augmentation = "none";  // none | shift | rotation | shift_rotation
  int shift_pixels = 2;               // uniform in [-n, n] in each direction
  double rotation_degrees = 10;       // uniform in [-d, d]

  std::string loss = "nll";                     // nll | nll_batch_softmax
  std::string evaluate_with = "class_softmax";  // class_softmax | batch_softmax
  double normalize_mean = 0.1307;
  double normalize_stddev = 0.3081;

  Network network;
  DatasetSpec dataset;
  int holdout = 0;  // training images kept for evaluation, chosen by the seed; 0: the test set

  // Every hyperparameter by name, for a sweep's own program, whose hyperparameters may not be
  // fields here. sweep-trainer ignores it.
  ParameterMap parameters;
  // The line contains only the fields that are in `parameters`, and `epochs`: the program has its
  // own defaults for the rest.
  bool only_parameters = false;

  int last_epoch() const {
    return target_epoch > 0 && target_epoch < epochs ? target_epoch : epochs;
  }

  // Set by the worker, not by the coordinator.
  std::string data_dir;         // folder of the IDX files of dataset "mnist"
  std::string data_sha256;      // of their content; "": unknown
  std::string output_dir;       // where weights, predictions and checkpoints are written
  std::string resume_from;      // a checkpoint file, or ""
  std::string device = "auto";  // auto | cpu | cuda:N
};

// Thrown for a line that breaks the protocol; the message names the field. The trainer is built
// without abseil, so this library reports by exception; callers that use absl::Status convert at
// their edge.
class ProtocolError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// One line of JSON (no newline), {"type":"trial","protocol":1,…}.
std::string TrialSpecToJson(const TrialSpec& spec);
// sweep-trainer requires a network; a program may do without.
enum class NetworkField { kRequired, kOptional };
// Throws ProtocolError. Infers the network's shapes and refuses a network that does not fit.
TrialSpec TrialSpecFromJson(std::string_view line, NetworkField network = NetworkField::kRequired);

// Sets the field of a resolved hyperparameter ("lr", "batch_size", …). False when TrialSpec has no
// such field or the value has the wrong type.
bool SetTrialParameter(std::string_view name, const Value& value, TrialSpec* spec);
// The names that SetTrialParameter knows.
std::vector<std::string> TrialParameterNames();
// "", or why a trial may not have that value: "lr is -1; it must be above 0".
std::string CheckTrialParameter(std::string_view name, const Value& value);

}  // namespace sweep
