#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/network/network.h"
#include "worker/kernels/batch_norm.h"
#include "worker/kernels/layout.h"
#include "worker/kernels/operands.h"
#include "worker/trainer/lanes/plan.h"
#include "worker/trainer/lanes/team.h"
#include "worker/trainer/parameters.h"

namespace sweep::lanes {

// Phases of a step, for profiles.
enum class Phase { kForward, kBackward, kOther };

// Gets the time that an operator of the plan (-1: none) took. Called on the thread that runs the
// step.
using Observer =
    std::function<void(Phase phase, int operator_index, const char* what, double seconds)>;

// The offsets of a layer's weight (γ) and bias (β) in the flat buffers.
struct Places {
  std::size_t weight = 0, bias = 0;
  bool has_bias = false;
};

// A network on the kernels: forward and backward passes over batches in the layout of
// worker/kernels/layout.h. The constructor allocates all memory. Results are the same, bit for bit,
// for every number of threads: units of work depend on the batch alone, and their sums are added in
// order. Used by one thread at a time.
class LanesNetwork {
 public:
  // For batches of up to `max_images`. `network` has passed InferShapes and MakePlan; `team` must
  // outlive the object. Parameters start at zero, estimates as in PyTorch.
  LanesNetwork(const Network& network, Plan plan, std::uint64_t dropout_key, int max_images,
               Team* team);

  const ParameterLayout& layout() const { return layout_; }
  // Laid out as layout() says, each tensor row-major. Call ParametersChanged after a change.
  float* parameters() { return parameters_.data(); }
  const float* parameters() const { return parameters_.data(); }
  void ParametersChanged();
  // Written by Backward, in the same layout.
  const float* gradients() const { return gradients_.data(); }

  // A BatchNorm layer's running estimates.
  struct Estimates {
    std::string prefix;  // "layers.2."
    int channels = 0;
    float* running_mean = nullptr;
    float* running_variance = nullptr;
    std::int64_t* batches_tracked = nullptr;
  };
  std::vector<Estimates> estimates() const;

  // `images` is [count][channels][height][width]. Returns the raw outputs, [block][class][16],
  // valid until the next call. Training uses the batch's statistics, updates the estimates and
  // draws dropout for `step`.
  const float* ForwardTraining(const float* images, int count, std::uint32_t step);
  const float* ForwardEvaluation(const float* images, int count);
  // The gradient of the loss at the outputs, which the caller fills in before Backward: in the same
  // layout as the outputs, zero in unused lanes.
  float* output_gradient() { return tensors_.back().gradient; }
  // Requires ForwardTraining before.
  void Backward();

  void set_observer(Observer observer) { observer_ = std::move(observer); }
  const Plan& plan() const { return plan_; }

 private:
  // The memory of an activation.
  struct Tensor {
    std::unique_ptr<kernels::AlignedBuffer<float>> values;
    float* gradient = nullptr;                                    // null where nobody needs it
    int norm = -1;                                                // index in norms_
    std::unique_ptr<kernels::AlignedBuffer<std::uint16_t>> keep;  // null without dropout
    bool keep_per_channel = false;
    std::uint32_t threshold = 0;
    float keep_factor = 1;
    // Used without a BatchNorm that could take the factor: [2][channels], the factor and zeros.
    std::unique_ptr<kernels::AlignedBuffer<float>> keep_scale;
  };

  struct Norm {
    int layer = 0;
    int channels = 0;
    double pixels = 0;      // per image and channel
    float keep_factor = 1;  // of a dropout after it
    Places places;
    // [9][channels], see Array.
    std::unique_ptr<kernels::AlignedBuffer<float>> arrays;
    std::unique_ptr<kernels::AlignedBuffer<double>> unit_sums, sums;
    int units = 0;  // the number that wrote unit_sums last
    std::unique_ptr<std::int64_t> batches_tracked;

    enum Array {
      kRunningMean,
      kRunningVariance,
      kMean,
      kInverseStddev,
      kScale,
      kShift,
      kGradientScale,
      kGradientSlope,
      kGradientOffset,
      kArrays
    };
    float* array(Array which) const { return arrays->data() + which * channels; }
  };

  struct Convolution {
    Places places;
    std::unique_ptr<kernels::AlignedBuffer<float>> forward_weights, backward_weights;
    std::unique_ptr<kernels::AlignedBuffer<float>> unit_gradients, gradients;
  };

  void AllocateTensors();
  void AllocateNorms();
  void AllocateConvolutions();
  void AllocateScratch();

  void Begin(int count, bool training);
  void Forward(const float* images);
  void ForwardOperator(std::size_t index);
  void BackwardOperator(std::size_t index);
  void DrawDropout(int activation, std::uint32_t step);
  // Uses the sums of `units` units.
  void NormalizeForward(Norm* norm, int units);
  void NormalizeBackward(Norm* norm);
  void UseEstimates();
  void SumGradients(const Operator& of, const Convolution& convolution, int units);

  kernels::Source SourceOf(int activation) const;
  kernels::GradientSource GradientSourceOf(int activation) const;
  kernels::GradientSink SinkOf(int activation);

  // Runs `work` on all of its units, with each thread's scratch.
  template <typename Work>
  void RunUnits(const Work& work, int units);
  template <typename Body>
  void Timed(Phase phase, int operator_index, const char* what, const Body& body);

  const Network network_;
  const Plan plan_;
  const ParameterLayout layout_;
  const std::uint64_t dropout_key_;
  const int max_images_;
  Team& team_;
  Observer observer_;

  kernels::AlignedBuffer<float> parameters_, gradients_;
  std::vector<Tensor> tensors_;
  std::vector<Norm> norms_;
  std::vector<Convolution> convolutions_;                                      // by operator
  std::vector<std::unique_ptr<kernels::AlignedBuffer<std::uint8_t>>> chosen_;  // by operator
  // Only the operator before reads a gradient, so two buffers alternate.
  std::unique_ptr<kernels::AlignedBuffer<float>> gradient_buffers_[2];
  std::vector<kernels::AlignedBuffer<float>> scratch_;  // by thread

  // State of the batch that is being computed.
  int images_ = 0;
  int parts_ = 1;
  bool training_ = false;
  bool is_reversed_ = false;  // the order of units; alternates
};

}  // namespace sweep::lanes
