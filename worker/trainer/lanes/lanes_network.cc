#include "worker/trainer/lanes/lanes_network.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "worker/kernels/dropout_mask.h"
#include "worker/kernels/elementwise.h"
#include "worker/trainer/dropout_bits.h"

namespace sweep::lanes {
namespace {

using kernels::AlignedBuffer;
using kernels::Blocks;
using Kind = Operator::Kind;

// Work is cut into at least this many units, so that several threads get equal shares of a small
// batch too. More would only add up more partial sums. It must not depend on the number of threads,
// because the results would.
constexpr int kUnitsWanted = 8;

int PartsFor(int images) { return std::max(1, kernels::CeilDiv(kUnitsWanted, Blocks(images))); }

int MaxUnits(int max_images) { return std::max(Blocks(max_images), 2 * kUnitsWanted); }

template <typename T>
std::unique_ptr<AlignedBuffer<T>> Allocate(std::size_t size) {
  return std::make_unique<AlignedBuffer<T>>(size);
}

Places PlacesOf(const ParameterLayout& layout, int layer) {
  Places places;
  bool is_first = true;
  for (const Parameter& parameter : layout.parameters) {
    if (parameter.layer != static_cast<std::size_t>(layer)) continue;
    (is_first ? places.weight : places.bias) = parameter.offset;
    places.has_bias = !is_first;
    is_first = false;
  }
  return places;
}

}  // namespace

LanesNetwork::LanesNetwork(const Network& network, Plan plan, std::uint64_t dropout_key,
                           int max_images, Team* team)
    : network_(network),
      plan_(std::move(plan)),
      layout_(LayOutParameters(network)),
      dropout_key_(dropout_key),
      max_images_(max_images),
      team_(*team),
      parameters_(layout_.count),
      gradients_(layout_.count) {
  AllocateNorms();
  AllocateTensors();
  AllocateConvolutions();
  AllocateScratch();
}

void LanesNetwork::AllocateNorms() {
  for (const Activation& activation : plan_.activations) {
    if (activation.norm < 0) continue;
    const auto channels = static_cast<std::size_t>(activation.shape.channels);
    Norm norm{.layer = activation.norm,
              .channels = activation.shape.channels,
              .pixels = double{1} * activation.shape.height * activation.shape.width,
              .places = PlacesOf(layout_, activation.norm),
              .arrays = Allocate<float>(Norm::kArrays * channels),
              .unit_sums = Allocate<double>(2 * channels * MaxUnits(max_images_)),
              .sums = Allocate<double>(2 * channels),
              .batches_tracked = std::make_unique<std::int64_t>(0)};
    std::fill_n(norm.array(Norm::kRunningVariance), channels, 1.0f);
    norms_.push_back(std::move(norm));
  }
}

void LanesNetwork::AllocateTensors() {
  std::size_t largest = 0;
  for (const Activation& activation : plan_.activations) {
    largest = std::max(largest, kernels::BatchElements(activation.shape, max_images_));
  }
  for (auto& buffer : gradient_buffers_) buffer = Allocate<float>(largest);
  int norms = 0;
  for (std::size_t i = 0; i < plan_.activations.size(); ++i) {
    const Activation& activation = plan_.activations[i];
    const std::size_t elements = kernels::BatchElements(activation.shape, max_images_);
    Tensor tensor{.values = Allocate<float>(elements)};
    if (activation.norm >= 0) tensor.norm = norms++;
    // The images need no gradient, except for the sums of a BatchNorm on them.
    if (i > 0 || activation.norm >= 0) tensor.gradient = gradient_buffers_[i % 2]->data();
    if (activation.dropout >= 0) {
      const Layer& layer = network_.layers[activation.dropout];
      tensor.keep_per_channel = layer.kind == LayerKind::kDropout2d;
      const Shape drawn =
          tensor.keep_per_channel ? Shape{activation.shape.channels, 1, 1} : activation.shape;
      tensor.keep =
          Allocate<std::uint16_t>(kernels::BatchElements(drawn, max_images_) / kernels::kLanes);
      tensor.threshold = DropoutThreshold(layer.p);
      tensor.keep_factor = static_cast<float>(1.0 / (1.0 - layer.p));
      if (activation.norm >= 0) {
        norms_[tensor.norm].keep_factor = tensor.keep_factor;
      } else {
        const auto channels = static_cast<std::size_t>(activation.shape.channels);
        tensor.keep_scale = Allocate<float>(2 * channels);
        std::fill_n(tensor.keep_scale->data(), channels, tensor.keep_factor);
      }
    }
    tensors_.push_back(std::move(tensor));
  }
}

void LanesNetwork::AllocateConvolutions() {
  convolutions_.resize(plan_.operators.size());
  chosen_.resize(plan_.operators.size());
  for (std::size_t i = 0; i < plan_.operators.size(); ++i) {
    const Operator& made = plan_.operators[i];
    if (made.kind == Kind::kMaxPool) {
      chosen_[i] = Allocate<std::uint8_t>(kernels::BatchElements(made.pool.output(), max_images_));
    }
    if (made.kind != Kind::kConvolution) continue;
    const std::size_t weights = made.convolution.weights();
    const std::size_t packed = kernels::PackedWeights(made.convolution);
    const std::size_t all = weights + made.convolution.out_channels;
    convolutions_[i] = {.places = PlacesOf(layout_, made.layer),
                        .forward_weights = Allocate<float>(packed),
                        .backward_weights = Allocate<float>(packed),
                        .unit_gradients = Allocate<float>(all * MaxUnits(max_images_)),
                        .gradients = Allocate<float>(all)};
  }
}

void LanesNetwork::AllocateScratch() {
  std::size_t size = 0;
  for (const Operator& made : plan_.operators) {
    switch (made.kind) {
      case Kind::kConvolution:
        size = std::max({size, kernels::ForwardScratch(made.convolution),
                         kernels::BackwardScratch(made.convolution)});
        break;
      case Kind::kMaxPool:
      case Kind::kAveragePool:
        size = std::max(size, kernels::PoolBackwardScratch(made.pool));
        break;
      default:
        size = std::max(size, kernels::ElementwiseScratch(plan_.activations[made.input].shape));
    }
  }
  for (int thread = 0; thread < team_.size(); ++thread) scratch_.emplace_back(size);
}

std::vector<LanesNetwork::Estimates> LanesNetwork::estimates() const {
  std::vector<Estimates> all;
  for (const Norm& norm : norms_) {
    all.push_back({.prefix = "layers." + std::to_string(norm.layer) + ".",
                   .channels = norm.channels,
                   .running_mean = norm.array(Norm::kRunningMean),
                   .running_variance = norm.array(Norm::kRunningVariance),
                   .batches_tracked = norm.batches_tracked.get()});
  }
  return all;
}

template <typename Body>
void LanesNetwork::Timed(Phase phase, int operator_index, const char* what, const Body& body) {
  if (!observer_) return body();
  const auto start = std::chrono::steady_clock::now();
  body();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  observer_(phase, operator_index, what, took.count());
}

template <typename Work>
void LanesNetwork::RunUnits(const Work& work, int units) {
  // The order alternates: an operator begins with the blocks that the one before left in the
  // caches.
  is_reversed_ = !is_reversed_;
  team_.Run(units, [&](int number, int thread) {
    const int unit = is_reversed_ ? units - 1 - number : number;
    if constexpr (requires { RunUnit(work, unit, scratch_[0].data()); }) {
      RunUnit(work, unit, scratch_[thread].data());
    } else {
      RunUnit(work, unit);
    }
  });
}

void LanesNetwork::ParametersChanged() {
  Timed(Phase::kOther, -1, "pack weights", [&] {
    for (std::size_t i = 0; i < plan_.operators.size(); ++i) {
      if (plan_.operators[i].kind != Kind::kConvolution) continue;
      const kernels::ConvolutionShape& shape = plan_.operators[i].convolution;
      const Convolution& convolution = convolutions_[i];
      const float* const weights = parameters() + convolution.places.weight;
      PackForwardWeights(shape, weights, convolution.forward_weights->data());
      PackBackwardWeights(shape, weights, convolution.backward_weights->data());
    }
  });
}

kernels::Source LanesNetwork::SourceOf(int activation) const {
  const Tensor& tensor = tensors_[activation];
  kernels::Source source{.values = tensor.values->data()};
  if (tensor.norm >= 0) {
    source.scale = norms_[tensor.norm].array(Norm::kScale);
    source.shift = norms_[tensor.norm].array(Norm::kShift);
  }
  if (!training_ || tensor.keep == nullptr) return source;
  source.keep = {.bits = tensor.keep->data(), .per_channel = tensor.keep_per_channel};
  if (tensor.keep_scale != nullptr) {
    source.scale = tensor.keep_scale->data();
    source.shift = source.scale + plan_.activations[activation].shape.channels;
  }
  return source;
}

kernels::GradientSource LanesNetwork::GradientSourceOf(int activation) const {
  const Tensor& tensor = tensors_[activation];
  kernels::GradientSource source{.gradient = tensor.gradient,
                                 .activation = tensor.values->data(),
                                 .relu = plan_.activations[activation].relu};
  if (tensor.norm >= 0) {
    const Norm& norm = norms_[tensor.norm];
    source.scale = norm.array(Norm::kGradientScale);
    source.slope = norm.array(Norm::kGradientSlope);
    source.offset = norm.array(Norm::kGradientOffset);
  }
  return source;
}

kernels::GradientSink LanesNetwork::SinkOf(int activation) {
  const Tensor& tensor = tensors_[activation];
  kernels::GradientSink sink{.gradient = tensor.gradient};
  if (sink.gradient == nullptr) return sink;
  if (tensor.keep != nullptr) {
    sink.keep = {.bits = tensor.keep->data(), .per_channel = tensor.keep_per_channel};
    sink.keep_factor = tensor.keep_factor;
  }
  if (tensor.norm >= 0) {
    const Norm& norm = norms_[tensor.norm];
    sink.activation = tensor.values->data();
    sink.mean = norm.array(Norm::kMean);
    sink.sums = norm.unit_sums->data();
  }
  return sink;
}

void LanesNetwork::DrawDropout(int activation, std::uint32_t step) {
  const Tensor& tensor = tensors_[activation];
  const Activation& drawn = plan_.activations[activation];
  const kernels::DropoutMask work{
      .key = dropout_key_,
      .step = step,
      .layer = static_cast<std::uint32_t>(drawn.dropout),
      .threshold = tensor.threshold,
      .shape = tensor.keep_per_channel ? Shape{drawn.shape.channels, 1, 1} : drawn.shape,
      .bits = tensor.keep->data()};
  RunUnits(work, Blocks(images_));
}

void LanesNetwork::NormalizeForward(Norm* norm, int units) {
  kernels::SumUnits(norm->unit_sums->data(), units, norm->sums->size(), norm->sums->data());
  Compute(kernels::BatchNormForward{.channels = norm->channels,
                                    .count = images_ * norm->pixels,
                                    .sums = norm->sums->data(),
                                    .pivot = norm->array(Norm::kRunningMean),
                                    .gamma = parameters() + norm->places.weight,
                                    .beta = parameters() + norm->places.bias,
                                    .keep_factor = norm->keep_factor,
                                    .running_mean = norm->array(Norm::kRunningMean),
                                    .running_variance = norm->array(Norm::kRunningVariance),
                                    .mean = norm->array(Norm::kMean),
                                    .inverse_stddev = norm->array(Norm::kInverseStddev),
                                    .scale = norm->array(Norm::kScale),
                                    .shift = norm->array(Norm::kShift)});
  ++*norm->batches_tracked;
}

void LanesNetwork::NormalizeBackward(Norm* norm) {
  kernels::SumUnits(norm->unit_sums->data(), norm->units, norm->sums->size(), norm->sums->data());
  Compute(kernels::BatchNormBackward{.channels = norm->channels,
                                     .count = images_ * norm->pixels,
                                     .sums = norm->sums->data(),
                                     .gamma = parameters() + norm->places.weight,
                                     .mean = norm->array(Norm::kMean),
                                     .inverse_stddev = norm->array(Norm::kInverseStddev),
                                     .gamma_gradient = gradients_.data() + norm->places.weight,
                                     .beta_gradient = gradients_.data() + norm->places.bias,
                                     .scale = norm->array(Norm::kGradientScale),
                                     .slope = norm->array(Norm::kGradientSlope),
                                     .offset = norm->array(Norm::kGradientOffset)});
}

void LanesNetwork::UseEstimates() {
  for (const Norm& norm : norms_) {
    Compute(kernels::BatchNormInference{.channels = norm.channels,
                                        .gamma = parameters() + norm.places.weight,
                                        .beta = parameters() + norm.places.bias,
                                        .running_mean = norm.array(Norm::kRunningMean),
                                        .running_variance = norm.array(Norm::kRunningVariance),
                                        .scale = norm.array(Norm::kScale),
                                        .shift = norm.array(Norm::kShift)});
  }
}

void LanesNetwork::Begin(int count, bool training) {
  images_ = count;
  parts_ = PartsFor(count);
  training_ = training;
}

const float* LanesNetwork::ForwardTraining(const float* images, int count, std::uint32_t step) {
  Begin(count, /*training=*/true);
  Timed(Phase::kOther, -1, "dropout bits", [&] {
    for (std::size_t i = 0; i < tensors_.size(); ++i) {
      if (tensors_[i].keep != nullptr) DrawDropout(static_cast<int>(i), step);
    }
  });
  Forward(images);
  return tensors_.back().values->data();
}

const float* LanesNetwork::ForwardEvaluation(const float* images, int count) {
  Begin(count, /*training=*/false);
  UseEstimates();
  Forward(images);
  return tensors_.back().values->data();
}

void LanesNetwork::Forward(const float* images) {
  Timed(Phase::kOther, -1, "pack images", [&] {
    kernels::PackImages(images, images_, network_.input, tensors_.front().values->data());
  });
  for (std::size_t i = 0; i < plan_.operators.size(); ++i) {
    Timed(Phase::kForward, static_cast<int>(i), "", [&] { ForwardOperator(i); });
  }
}

void LanesNetwork::ForwardOperator(std::size_t index) {
  const Operator& made = plan_.operators[index];
  const kernels::Source input = SourceOf(made.input);
  const int written = made.kind == Kind::kStatistics ? made.input : made.output;
  float* const output = made.kind == Kind::kStatistics ? nullptr : tensors_[written].values->data();
  Norm* const norm = tensors_[written].norm < 0 ? nullptr : &norms_[tensors_[written].norm];
  // The operator that writes a BatchNorm's input also sums up its statistics, if it can.
  double* const sums = norm == nullptr || !training_ ? nullptr : norm->unit_sums->data();
  const float* const pivot = sums == nullptr ? nullptr : norm->array(Norm::kRunningMean);
  int units = Blocks(images_);
  switch (made.kind) {
    case Kind::kConvolution: {
      const Convolution& convolution = convolutions_[index];
      units *= parts_;
      RunUnits(kernels::ConvolutionForward{.shape = made.convolution,
                                           .images = images_,
                                           .parts = parts_,
                                           .input = input,
                                           .weights = convolution.forward_weights->data(),
                                           .bias = convolution.places.has_bias
                                                       ? parameters() + convolution.places.bias
                                                       : nullptr,
                                           .relu = plan_.activations[written].relu,
                                           .output = output,
                                           .sums = sums,
                                           .pivot = pivot},
               units);
      break;
    }
    case Kind::kMaxPool:
      RunUnits(kernels::MaxPoolForward{.shape = made.pool,
                                       .images = images_,
                                       .input = input,
                                       .output = output,
                                       .chosen = training_ ? chosen_[index]->data() : nullptr},
               units);
      return;
    case Kind::kAveragePool:
      RunUnits(
          kernels::AveragePoolForward{
              .shape = made.pool, .images = images_, .input = input, .output = output},
          units);
      return;
    case Kind::kStore:
    case Kind::kStatistics:
      if (output == nullptr && sums == nullptr) return;
      RunUnits(
          kernels::ElementwiseForward{
              .shape = plan_.activations[written].shape,
              .images = images_,
              .input = output == nullptr ? kernels::Source{.values = input.values} : input,
              .relu = output != nullptr && plan_.activations[written].relu,
              .output = output,
              .sums = sums,
              .pivot = pivot},
          units);
      break;
  }
  if (sums != nullptr) NormalizeForward(norm, units);
}

void LanesNetwork::Backward() {
  for (std::size_t i = plan_.operators.size(); i-- > 0;) {
    Timed(Phase::kBackward, static_cast<int>(i), "", [&] { BackwardOperator(i); });
  }
}

void LanesNetwork::BackwardOperator(std::size_t index) {
  const Operator& made = plan_.operators[index];
  const bool only_statistics = made.kind == Kind::kStatistics;
  const int read = only_statistics ? made.input : made.output;
  // The operator that summed a BatchNorm's statistics also turns the gradient after it into the
  // gradient before it. After a pool a kStatistics operator does so, in place.
  const bool has_formed_sums =
      made.kind != Kind::kMaxPool && made.kind != Kind::kAveragePool && tensors_[read].norm >= 0;
  if (has_formed_sums) NormalizeBackward(&norms_[tensors_[read].norm]);
  const kernels::GradientSink sink =
      only_statistics ? kernels::GradientSink{.gradient = tensors_[read].gradient}
                      : SinkOf(made.input);
  // Nobody needs the images' gradient, but a convolution has parameter gradients as well.
  const bool is_needed = sink.gradient != nullptr && !(only_statistics && read == 0);
  if (made.kind != Kind::kConvolution && !is_needed) return;
  int units = Blocks(images_);
  switch (made.kind) {
    case Kind::kConvolution: {
      const Convolution& convolution = convolutions_[index];
      units *= parts_;
      RunUnits(
          kernels::ConvolutionBackward{.shape = made.convolution,
                                       .images = images_,
                                       .parts = parts_,
                                       .input = SourceOf(made.input),
                                       .output_gradient = GradientSourceOf(read),
                                       .weights = convolution.backward_weights->data(),
                                       .input_gradient = sink,
                                       .parameter_gradients = convolution.unit_gradients->data()},
          units);
      SumGradients(made, convolution, units);
      break;
    }
    case Kind::kMaxPool:
      RunUnits(kernels::MaxPoolBackward{.shape = made.pool,
                                        .images = images_,
                                        .output_gradient = tensors_[read].gradient,
                                        .chosen = chosen_[index]->data(),
                                        .input_gradient = sink},
               units);
      break;
    case Kind::kAveragePool:
      RunUnits(kernels::AveragePoolBackward{.shape = made.pool,
                                            .images = images_,
                                            .output_gradient = tensors_[read].gradient,
                                            .input_gradient = sink},
               units);
      break;
    case Kind::kStore:
    case Kind::kStatistics:
      RunUnits(kernels::ElementwiseBackward{.shape = plan_.activations[read].shape,
                                            .images = images_,
                                            .output_gradient = GradientSourceOf(read),
                                            .input_gradient = sink},
               units);
      break;
  }
  if (sink.sums != nullptr) norms_[tensors_[made.input].norm].units = units;
}

void LanesNetwork::SumGradients(const Operator& of, const Convolution& convolution, int units) {
  const std::size_t weights = of.convolution.weights();
  const float* const sums = convolution.gradients->data();
  kernels::SumUnits(convolution.unit_gradients->data(), units, convolution.gradients->size(),
                    convolution.gradients->data());
  std::copy_n(sums, weights, gradients_.data() + convolution.places.weight);
  if (!convolution.places.has_bias) return;
  std::copy_n(sums + weights, of.convolution.out_channels,
              gradients_.data() + convolution.places.bias);
}

}  // namespace sweep::lanes
