#include "worker/trainer/lanes/lanes_backend.h"

#include <algorithm>
#include <utility>

#include "worker/kernels/layout.h"
#include "worker/kernels/loss.h"
#include "worker/kernels/sgd.h"
#include "worker/kernels/targets.h"
#include "worker/trainer/dropout_bits.h"
#include "worker/trainer/lanes/lanes_network.h"
#include "worker/trainer/lanes/plan.h"
#include "worker/trainer/lanes/team.h"

namespace sweep {
namespace {

using kernels::AlignedBuffer;
using kernels::kLanes;
using lanes::LanesNetwork;

class LanesBackend final : public Backend {
 public:
  LanesBackend(const TrialSpec& spec, lanes::Plan plan, int threads)
      : spec_(spec),
        team_(threads),
        // Evaluation computes one block per thread at a time.
        network_(spec.network, std::move(plan), DropoutKey(spec.seed),
                 std::max(spec.batch_size, threads * kLanes), &team_),
        momentum_(network_.layout().count) {
    const std::vector<float> initial =
        InitialParameters(spec.network, network_.layout(), spec.seed);
    std::copy(initial.begin(), initial.end(), network_.parameters());
    network_.ParametersChanged();
  }

  void TrainStep(const Batch& batch, std::int64_t step, double lr) override {
    const float* const outputs =
        network_.ForwardTraining(batch.images, batch.count, static_cast<std::uint32_t>(step));
    kernels::Loss loss = LossOf(outputs, batch);
    loss.label_smoothing = spec_.label_smoothing;
    loss.gradient = network_.output_gradient();
    last_loss_ = ComputeLoss(loss);
    totals_.loss += last_loss_ * batch.count;
    totals_.right += CountRight(loss, /*over_batch=*/false, nullptr);
    network_.Backward();
    Update(kernels::Sgd{
        .count = network_.layout().count,
        .decayed = spec_.decay_norm_and_bias ? network_.layout().count : network_.layout().weights,
        .lr = lr,
        .momentum = spec_.momentum,
        .weight_decay = spec_.weight_decay,
        .nesterov = spec_.nesterov,
        .parameters = network_.parameters(),
        .gradients = network_.gradients(),
        .momentum_buffer = momentum_.data()});
    network_.ParametersChanged();
  }

  double LastLoss() override { return last_loss_; }
  BatchTotals TakeTotals() override { return std::exchange(totals_, {}); }

  BatchTotals Evaluate(const Batch& batch, std::uint8_t* predictions) override {
    const int classes = spec_.network.classes;
    const int pixels = static_cast<int>(spec_.network.input.elements());
    outputs_.resize(
        std::max(outputs_.size(), kernels::BatchElements({classes, 1, 1}, batch.count)));
    // A few blocks at a time, so that their activations stay in the caches.
    const int together = team_.size() * kLanes;
    for (int first = 0; first < batch.count; first += together) {
      const int count = std::min(together, batch.count - first);
      const float* const outputs = network_.ForwardEvaluation(
          batch.images + static_cast<std::ptrdiff_t>(first) * pixels, count);
      std::copy_n(outputs, kernels::BatchElements({classes, 1, 1}, count),
                  outputs_.data() + kernels::BatchElements({classes, 1, 1}, first));
    }
    const kernels::Loss loss = LossOf(outputs_.data(), batch);
    return {.loss = ComputeLoss(loss) * batch.count,
            .right = CountRight(loss, spec_.evaluate_with == "batch_softmax", predictions)};
  }

  TrainingState Save() const override {
    TrainingState state;
    for (const Parameter& parameter : network_.layout().parameters) {
      state.network.push_back(
          ToSafeTensor(parameter.name, parameter.shape, network_.parameters() + parameter.offset));
      state.momentum.push_back(
          ToSafeTensor(parameter.name, parameter.shape, momentum_.data() + parameter.offset));
    }
    for (const LanesNetwork::Estimates& norm : network_.estimates()) {
      state.network.push_back(
          ToSafeTensor(norm.prefix + "running_mean", {norm.channels}, norm.running_mean));
      state.network.push_back(
          ToSafeTensor(norm.prefix + "running_var", {norm.channels}, norm.running_variance));
      state.network.push_back(
          ToSafeTensor(norm.prefix + "num_batches_tracked", *norm.batches_tracked));
    }
    return state;
  }

  void Load(const TrainingState& state, const std::string& file) override {
    for (const Parameter& parameter : network_.layout().parameters) {
      FromSafeTensors(state.network, parameter.name, parameter.shape, file,
                      network_.parameters() + parameter.offset);
      FromSafeTensors(state.momentum, parameter.name, parameter.shape, file,
                      momentum_.data() + parameter.offset);
    }
    for (const LanesNetwork::Estimates& norm : network_.estimates()) {
      FromSafeTensors(state.network, norm.prefix + "running_mean", {norm.channels}, file,
                      norm.running_mean);
      FromSafeTensors(state.network, norm.prefix + "running_var", {norm.channels}, file,
                      norm.running_variance);
      FromSafeTensors(state.network, norm.prefix + "num_batches_tracked", file,
                      norm.batches_tracked);
    }
    network_.ParametersChanged();
  }

 private:
  kernels::Loss LossOf(const float* outputs, const Batch& batch) const {
    return {.images = batch.count,
            .classes = spec_.network.classes,
            .outputs = outputs,
            .labels = batch.labels,
            .over_batch = spec_.loss == "nll_batch_softmax"};
  }

  // Also writes the predictions, unless `predictions` is null.
  std::int64_t CountRight(kernels::Loss outputs, bool over_batch, std::uint8_t* predictions) {
    const auto count = static_cast<std::size_t>(outputs.images);
    if (predictions == nullptr) {
      predicted_.resize(count);
      predictions = predicted_.data();
    }
    log_sums_.resize(static_cast<std::size_t>(outputs.classes));
    outputs.over_batch = over_batch;
    Predict(outputs, predictions, log_sums_.data());
    std::int64_t right = 0;
    for (std::size_t i = 0; i < count; ++i) right += predictions[i] == outputs.labels[i] ? 1 : 0;
    return right;
  }

  const TrialSpec& spec_;
  lanes::Team team_;
  LanesNetwork network_;
  AlignedBuffer<float> momentum_;  // in the places of the parameters
  double last_loss_ = 0;
  BatchTotals totals_;
  std::vector<float> outputs_;  // of an evaluation, [block][class][16]
  std::vector<std::uint8_t> predicted_;
  std::vector<double> log_sums_;
};

}  // namespace

std::string MakeLanesBackend(const TrialSpec& spec, int threads,
                             std::unique_ptr<Backend>* backend) {
  lanes::Plan plan;
  std::string reason = lanes::MakePlan(spec.network, &plan);
  if (reason.empty()) *backend = std::make_unique<LanesBackend>(spec, std::move(plan), threads);
  return reason;
}

bool LanesAreFast() { return kernels::InstructionSets().front() != "SCALAR"; }

}  // namespace sweep
