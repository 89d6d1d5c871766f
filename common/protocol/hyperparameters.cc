#include "common/protocol/hyperparameters.h"

#include <cstdint>
#include <string>
#include <utility>

namespace sweep {
namespace {

using Type = KnownParameter::Type;

enum class Ends { kClosed, kOpenMin, kOpenMax, kOpen };

KnownParameter Bool(std::string_view name, bool TrialSpec::* field, std::string_view help,
                    std::string_view example) {
  return {.name = name,
          .type = Type::kBool,
          .default_value = TrialSpec().*field,
          .help = help,
          .example = example,
          .field = field};
}

KnownParameter Int(std::string_view name, int TrialSpec::* field, int min, int max,
                   std::string_view help, std::string_view example) {
  return {.name = name,
          .type = Type::kInt,
          .min = static_cast<double>(min),
          .max = static_cast<double>(max),
          .default_value = std::int64_t{TrialSpec().*field},
          .help = help,
          .example = example,
          .field = field};
}

KnownParameter Double(std::string_view name, double TrialSpec::* field, double min, double max,
                      Ends ends, std::string_view help, std::string_view example) {
  return {.name = name,
          .type = Type::kDouble,
          .min = min,
          .max = max,
          .open_min = ends == Ends::kOpenMin || ends == Ends::kOpen,
          .open_max = ends == Ends::kOpenMax || ends == Ends::kOpen,
          .default_value = TrialSpec().*field,
          .help = help,
          .example = example,
          .field = field};
}

KnownParameter Choice(std::string_view name, std::string TrialSpec::* field,
                      std::vector<std::string_view> choices, std::string_view help,
                      std::string_view example) {
  return {.name = name,
          .type = Type::kChoice,
          .choices = std::move(choices),
          .default_value = TrialSpec().*field,
          .help = help,
          .example = example,
          .field = field};
}

KnownParameter Dropout() {
  return {.name = "dropout",
          .type = Type::kDouble,
          .max = 1,
          .open_max = true,
          .default_value = 0.0,
          .help = "probability of dropping, where the network leaves it open",
          .example = R"({"min": 0.0, "max": 0.15})"};
}

// The trainer's line has the same order, and a checkpoint is recognised by that line.
std::vector<KnownParameter> MakeKnownParameters() {
  using Spec = TrialSpec;
  return {
      Int("epochs", &Spec::epochs, 1, 10000, "passes over the training images",
          R"({"values": [10, 19]})"),
      Int("batch_size", &Spec::batch_size, 1, 65536, "images per step",
          R"({"values": [32, 64, 128]})"),
      Double("lr", &Spec::lr, 0, 100, Ends::kOpenMin, "learning rate (peak, when scheduled)",
             R"({"distribution": "log_uniform_values", "min": 0.003, "max": 0.3})"),
      Double("momentum", &Spec::momentum, 0, 1, Ends::kOpenMax, "momentum of SGD",
             R"({"min": 0.8, "max": 0.99})"),
      Bool("nesterov", &Spec::nesterov, "Nesterov's form of momentum",
           R"({"values": [true, false]})"),
      Double("weight_decay", &Spec::weight_decay, 0, 10, Ends::kClosed,
             "L2 penalty, added to the gradient", R"({"values": [0, 0.0001, 0.001]})"),
      Bool("decay_norm_and_bias", &Spec::decay_norm_and_bias,
           "whether weight decay also acts on BatchNorm and biases", R"(false)"),
      Dropout(),
      Double("label_smoothing", &Spec::label_smoothing, 0, 1, Ends::kOpenMax,
             "share of the target spread over all classes", R"({"values": [0, 0.05, 0.1]})"),
      Choice("schedule", &Spec::schedule, {"constant", "step", "cosine", "one_cycle"},
             "how the learning rate changes", R"({"values": ["cosine", "one_cycle"]})"),
      Int("step_epochs", &Spec::step_epochs, 1, 10000, "step: epochs between two decays",
          R"({"min": 3, "max": 8, "when": {"schedule": ["step"]}})"),
      Double("step_gamma", &Spec::step_gamma, 0, 1, Ends::kOpenMin, "step: factor of a decay",
             R"({"values": [0.1, 0.5], "when": "schedule == 'step'"})"),
      Double("final_lr_fraction", &Spec::final_lr_fraction, 0, 1, Ends::kClosed,
             "cosine: the last step's learning rate as a fraction of lr",
             R"({"values": [0, 0.01]})"),
      Double("warmup_epochs", &Spec::warmup_epochs, 0, 10000, Ends::kClosed,
             "constant, step, cosine: epochs of linear rise from 0", R"({"values": [0, 1]})"),
      Double("one_cycle_warmup", &Spec::one_cycle_warmup, 0, 1, Ends::kOpen,
             "one_cycle: share of steps that rise", R"({"min": 0.1, "max": 0.5})"),
      Double("one_cycle_start_divisor", &Spec::one_cycle_start_divisor, 1, 1e6, Ends::kClosed,
             "one_cycle: the first learning rate is lr divided by this", R"(10)"),
      Double("one_cycle_final_divisor", &Spec::one_cycle_final_divisor, 1, 1e9, Ends::kClosed,
             "one_cycle: the last learning rate is the first divided by this", R"(100)"),
      Choice("augmentation", &Spec::augmentation, {"none", "shift", "rotation", "shift_rotation"},
             "what is done to each training image", R"({"values": ["none", "shift", "rotation"]})"),
      Int("shift_pixels", &Spec::shift_pixels, 0, 14,
          "shift: pixels, uniform in [-n, n] in each direction", R"({"min": 1, "max": 3})"),
      Double("rotation_degrees", &Spec::rotation_degrees, 0, 180, Ends::kClosed,
             "rotation: uniform in [-d, d]", R"({"min": 5, "max": 15})"),
  };
}

}  // namespace

const std::vector<KnownParameter>& KnownParameters() {
  static const auto& known = *new std::vector<KnownParameter>(MakeKnownParameters());
  return known;
}

const KnownParameter* FindKnownParameter(std::string_view name) {
  for (const KnownParameter& known : KnownParameters()) {
    if (known.name == name) return &known;
  }
  return nullptr;
}

}  // namespace sweep
