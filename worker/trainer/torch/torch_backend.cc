#include "worker/trainer/torch/torch_backend.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <cstring>

#include "worker/trainer/torch/loss.h"
#include "worker/trainer/torch/network_module.h"
#include "worker/trainer/torch/sgd.h"

namespace sweep {
namespace {

std::vector<std::int64_t> ShapeOf(const at::Tensor& tensor) { return tensor.sizes().vec(); }

at::Tensor OnHost(const at::Tensor& tensor) { return tensor.detach().to(at::kCPU).contiguous(); }

SafeTensor Stored(const std::string& name, const at::Tensor& tensor) {
  const at::Tensor host = OnHost(tensor);
  if (host.scalar_type() == at::kLong) return ToSafeTensor(name, host.item<std::int64_t>());
  return ToSafeTensor(name, ShapeOf(host), host.data_ptr<float>());
}

void Restore(const std::vector<SafeTensor>& from, const std::string& name, const std::string& file,
             const at::Tensor& to) {
  const c10::NoGradGuard no_grad;
  const at::Tensor host = at::empty(to.sizes(), at::TensorOptions().dtype(to.scalar_type()));
  if (to.scalar_type() == at::kLong) {
    FromSafeTensors(from, name, file, host.data_ptr<std::int64_t>());
  } else {
    FromSafeTensors(from, name, ShapeOf(to), file, host.data_ptr<float>());
  }
  to.copy_(host);
}

class TorchBackend final : public Backend {
 public:
  TorchBackend(const TrialSpec& spec, const at::Device& device)
      : spec_(spec),
        device_(device),
        network_(spec.network, spec.seed, device),
        sgd_(spec, &network_),
        loss_sum_(at::zeros({}, at::TensorOptions(device).dtype(at::kDouble))),
        right_(at::zeros({}, at::TensorOptions(device).dtype(at::kLong))) {}

  void TrainStep(const Batch& batch, std::int64_t step, double lr) override {
    const at::Tensor labels = Labels(batch);
    network_.ZeroGradients();
    const at::Tensor outputs =
        network_.ForwardTraining(Images(batch), static_cast<std::uint32_t>(step));
    loss_ = Loss(spec_.loss, outputs, labels, spec_.label_smoothing);
    loss_.backward();
    sgd_.Step(lr);
    const c10::NoGradGuard no_grad;
    loss_ = loss_.detach();
    loss_sum_.add_(loss_.to(at::kDouble), batch.count);
    right_.add_(outputs.argmax(1).eq(labels).sum());
  }

  double LastLoss() override { return loss_.item<double>(); }
  int steps_between_looks() const override { return device_.is_cuda() ? 16 : 1; }

  BatchTotals TakeTotals() override {
    const BatchTotals totals{loss_sum_.item<double>(), right_.item<std::int64_t>()};
    loss_sum_.zero_();
    right_.zero_();
    return totals;
  }

  BatchTotals Evaluate(const Batch& batch, std::uint8_t* predictions) override {
    const at::Tensor labels = Labels(batch);
    const at::Tensor outputs = network_.ForwardEvaluation(Images(batch));
    const at::Tensor loss = Loss(spec_.loss, outputs, labels, /*label_smoothing=*/0);
    const at::Tensor predicted = Predictions(spec_.evaluate_with, outputs);
    const at::Tensor bytes = OnHost(predicted.to(at::kByte));
    std::memcpy(predictions, bytes.data_ptr(), bytes.nbytes());
    return {loss.item<double>() * batch.count, predicted.eq(labels).sum().item<std::int64_t>()};
  }

  TrainingState Save() const override {
    TrainingState state;
    const std::vector<NamedTensor>& parameters = network_.parameters();
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      state.network.push_back(Stored(parameters[i].name, parameters[i].tensor));
      state.momentum.push_back(Stored(parameters[i].name, Momentum(i)));
    }
    for (const NamedTensor& buffer : network_.buffers()) {
      state.network.push_back(Stored(buffer.name, buffer.tensor));
    }
    return state;
  }

  void Load(const TrainingState& state, const std::string& file) override {
    const std::vector<NamedTensor>& parameters = network_.parameters();
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      Restore(state.network, parameters[i].name, file, parameters[i].tensor);
      Restore(state.momentum, parameters[i].name, file, Momentum(i));
    }
    for (const NamedTensor& buffer : network_.buffers()) {
      Restore(state.network, buffer.name, file, buffer.tensor);
    }
  }

 private:
  at::Tensor Momentum(std::size_t parameter) const {
    return network_.ViewAsParameter(sgd_.momentum_buffer(), parameter);
  }

  // Convolutions of oneDNN and cuDNN are faster with channels last, and so are the operators
  // between them.
  at::Tensor Images(const Batch& batch) const {
    const Shape& shape = spec_.network.input;
    const at::Tensor images = at::empty({batch.count, shape.channels, shape.height, shape.width},
                                        at::kFloat, at::MemoryFormat::ChannelsLast);
    std::memcpy(images.data_ptr(), batch.images, images.nbytes());
    return images.to(device_);
  }
  at::Tensor Labels(const Batch& batch) const {
    const at::Tensor labels = at::empty({batch.count}, at::kLong);
    std::copy_n(batch.labels, batch.count, labels.data_ptr<std::int64_t>());
    return labels.to(device_);
  }

  const TrialSpec& spec_;
  const at::Device device_;
  NetworkModule network_;
  Sgd sgd_;
  at::Tensor loss_;  // of the last step
  const at::Tensor loss_sum_, right_;
};

}  // namespace

std::unique_ptr<Backend> MakeTorchBackend(const TrialSpec& spec, const std::string& device) {
  return std::make_unique<TorchBackend>(spec, at::Device(device));
}

}  // namespace sweep
