// What each kernel reaches inside a training step of cnn-17216, as a fraction of the processor's
// peak: kernels_bench [BATCH [STEPS [INSTRUCTION_SET]]]. One thread; the times are its processor
// times, and the peak is measured again before each step, so that other load on the machine
// disturbs little.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "worker/kernels/batch_norm.h"
#include "worker/kernels/convolution.h"
#include "worker/kernels/dropout_mask.h"
#include "worker/kernels/loss.h"
#include "worker/kernels/peak.h"
#include "worker/kernels/pooling.h"
#include "worker/kernels/sgd.h"
#include "worker/kernels/targets.h"

namespace sweep::kernels {
namespace {

constexpr double kDropout = 0.1;
constexpr float kKeepFactor = static_cast<float>(1 / (1 - kDropout));

// Times of one operator over all steps.
struct Row {
  double flops = 0;  // per step
  std::vector<double> seconds;
  std::vector<double> of_peak;
};

double Median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + values.size() / 2, values.end());
  return values[values.size() / 2];
}

// Convolution, ReLU, BatchNorm and perhaps dropout.
struct Layer {
  Layer(const ConvolutionShape& of, bool with_dropout, int images)
      : shape(of),
        dropout(with_dropout),
        channels(of.out_channels),
        values(BatchElements(of.output(), images)),
        gradient(values.size()),
        keep(values.size() / kLanes),
        weights(of.weights() + 3 * channels),
        gradients(weights.size()),
        momentum(weights.size()),
        forward_weights(of.weights()),
        backward_weights(of.weights()),
        unit_gradients((of.weights() + channels) * Blocks(images)),
        unit_sums(std::size_t{2} * channels * Blocks(images)),
        sums(std::size_t{2} * channels),
        per_channel(std::size_t{9} * channels) {
    std::mt19937 generator(1);
    std::normal_distribution<float> normal(0, 0.2f);
    for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = normal(generator);
    std::fill_n(gamma(), channels, 1.0f);
  }

  double flops(int images) const {
    const Shape output = shape.output();
    return 2.0 * static_cast<double>(shape.weights()) * output.height * output.width * images;
  }
  float* bias() { return weights.data() + shape.weights(); }
  float* gamma() { return bias() + channels; }
  float* beta() { return gamma() + channels; }
  float* array(int index) { return per_channel.data() + index * channels; }
  KeepBits keep_bits() { return {dropout ? keep.data() : nullptr}; }
  Source source() { return {values.data(), array(2), array(3), keep_bits()}; }
  GradientSink sink() {
    return {.gradient = gradient.data(),
            .keep = keep_bits(),
            .keep_factor = dropout ? kKeepFactor : 1,
            .activation = values.data(),
            .mean = array(0),
            .sums = unit_sums.data()};
  }
  GradientSource gradient_source() {
    return {gradient.data(), values.data(), array(4), array(5), array(6), true};
  }

  ConvolutionShape shape;
  bool dropout;
  int channels;
  AlignedBuffer<float> values, gradient;
  AlignedBuffer<std::uint16_t> keep;
  AlignedBuffer<float> weights, gradients, momentum, forward_weights, backward_weights,
      unit_gradients;
  AlignedBuffer<double> unit_sums, sums;
  // mean, 1/σ, scale, shift, gradient's scale, slope, offset, running mean and variance
  AlignedBuffer<float> per_channel;
};

class Step {
 public:
  explicit Step(int images)
      : images_(images),
        input_(BatchElements({1, 28, 28}, images)),
        labels_(static_cast<std::size_t>(images)),
        pooled_(BatchElements({24, 11, 11}, images)),
        pooled_gradient_(pooled_.size()),
        chosen_(pooled_.size()),
        averaged_(BatchElements({16, 1, 1}, images)),
        averaged_gradient_(averaged_.size()) {
    const auto add = [&](int in, int out, int size, int kernel, bool dropout) {
      layers_.emplace_back(ConvolutionShape{{in, size, size}, out, kernel, 0}, dropout, images);
    };
    add(1, 16, 28, 3, true);
    add(16, 20, 26, 3, true);
    add(20, 24, 24, 3, false);
    add(24, 10, 11, 1, false);
    add(10, 16, 11, 3, true);
    add(16, 20, 9, 3, true);
    add(20, 24, 7, 3, true);
    add(24, 16, 5, 1, false);
    add(16, 10, 1, 1, false);  // the linear layer
    std::size_t scratch = 0;
    for (Layer& layer : layers_) {
      Pack(&layer);
      scratch = std::max({scratch, ForwardScratch(layer.shape), BackwardScratch(layer.shape)});
    }
    scratch_ =
        std::make_unique<AlignedBuffer<float>>(std::max(scratch, PoolBackwardScratch(kMaxPool)));
    std::mt19937 generator(2);
    std::normal_distribution<float> normal;
    for (std::size_t i = 0; i < input_.size(); ++i) input_[i] = normal(generator);
    for (std::uint8_t& label : labels_) label = static_cast<std::uint8_t>(generator() % 10);
  }

  void Run(std::uint32_t step) {
    peak_ = MeasurePeakFlops();
    Timed("dropout bits", 0, [&] { DrawDropout(step); });
    for (int i = 0; i <= kLinear; ++i) Forward(i);
    Timed("loss", 0, [&] {
      loss_ = ComputeLoss({.images = images_,
                           .classes = 10,
                           .outputs = layers_[kLinear].values.data(),
                           .labels = labels_.data(),
                           .gradient = layers_[kLinear].gradient.data()});
    });
    for (int i = kLinear; i >= 0; --i) Backward(i);
    Timed("sum gradients, SGD, pack", 0, [&] {
      for (Layer& layer : layers_) UpdateLayer(&layer);
    });
  }

  void Print() const {
    double seconds = 0;
    double flops = 0;
    double of_peak = 0;
    std::printf("%-28s %9s %9s %9s\n", "operator", "ms", "GFLOP/s", "of peak");
    for (const std::string& name : order_) {
      const Row& row = rows_.at(name);
      const double median = Median(row.seconds);
      seconds += median;
      flops += row.flops;
      std::printf("%-28s %9.3f", name.c_str(), median * 1e3);
      if (row.flops > 0) {
        std::printf(" %9.1f %8.0f%%", row.flops / median / 1e9, 100 * Median(row.of_peak));
      }
      std::printf("\n");
    }
    of_peak = flops / seconds / Median(peaks_);
    std::printf("%-28s %9.3f %9.1f %8.0f%%   %.0f images/s; peak %.1f GFLOP/s; loss %.4f\n",
                "whole step", seconds * 1e3, flops / seconds / 1e9, 100 * of_peak,
                images_ / seconds, Median(peaks_) / 1e9, loss_);
  }

 private:
  static constexpr int kPoolAfter = 2;
  static constexpr int kLinear = 8;
  static constexpr PoolShape kMaxPool{{24, 22, 22}, 2, 2, 2};
  static constexpr PoolShape kAveragePool{{16, 5, 5}, 5, 5, 1};

  template <typename Body>
  void Timed(const std::string& name, double flops, const Body& body) {
    const double start = ThreadSeconds();
    body();
    const double seconds = ThreadSeconds() - start;
    if (!rows_.contains(name)) order_.push_back(name);
    Row& row = rows_[name];
    row.flops = flops;
    row.seconds.push_back(seconds);
    row.of_peak.push_back(flops / seconds / peak_);
    if (peaks_.size() < row.seconds.size()) peaks_.push_back(peak_);
  }

  std::string Name(int index, const char* what) const {
    const ConvolutionShape& shape = layers_[index].shape;
    return std::to_string(shape.input.channels) + "→" + std::to_string(shape.out_channels) + " " +
           std::to_string(shape.input.height) + "² " + std::to_string(shape.kernel) + "×" +
           std::to_string(shape.kernel) + " " + what;
  }

  template <typename Work>
  void RunUnits(const Work& work) {
    for (int unit = 0; unit < Units(images_, 1); ++unit) RunUnit(work, unit, scratch_->data());
  }

  void DrawDropout(std::uint32_t step) {
    for (int i = 0; i < kLinear; ++i) {
      if (!layers_[i].dropout) continue;
      const DropoutMask work{.key = 1,
                             .step = step,
                             .layer = static_cast<std::uint32_t>(i),
                             .threshold = static_cast<std::uint32_t>(kDropout * 65536),
                             .shape = layers_[i].shape.output(),
                             .bits = layers_[i].keep.data()};
      for (int block = 0; block < Blocks(images_); ++block) RunUnit(work, block);
    }
  }

  Source InputOf(int index) {
    if (index == 0) return {.values = input_.data()};
    if (index == kPoolAfter + 1) return {.values = pooled_.data()};
    if (index == kLinear) return {.values = averaged_.data()};
    return layers_[index - 1].source();
  }

  void Forward(int index) {
    Layer& layer = layers_[index];
    const bool normalized = index != kLinear;
    Timed(Name(index, "forward"), layer.flops(images_), [&] {
      RunUnits(ConvolutionForward{.shape = layer.shape,
                                  .images = images_,
                                  .input = InputOf(index),
                                  .weights = layer.forward_weights.data(),
                                  .bias = layer.bias(),
                                  .relu = normalized,
                                  .output = layer.values.data(),
                                  .sums = normalized ? layer.unit_sums.data() : nullptr,
                                  .pivot = layer.array(7)});
      if (normalized) NormalizeForward(&layer);
    });
    if (index == kPoolAfter) {
      Timed("max pool forward", 0, [&] {
        for (int block = 0; block < Blocks(images_); ++block) {
          RunUnit(MaxPoolForward{kMaxPool, images_, layer.source(), pooled_.data(), chosen_.data()},
                  block);
        }
      });
    } else if (index == kLinear - 1) {
      Timed("average pool forward", 0, [&] {
        for (int block = 0; block < Blocks(images_); ++block) {
          RunUnit(AveragePoolForward{kAveragePool, images_, layer.source(), averaged_.data()},
                  block);
        }
      });
    }
  }

  double Count(const Layer& layer) const {
    const Shape output = layer.shape.output();
    return static_cast<double>(images_) * output.height * output.width;
  }

  void NormalizeForward(Layer* layer) {
    SumUnits(layer->unit_sums.data(), Blocks(images_), layer->sums.size(), layer->sums.data());
    Compute(BatchNormForward{.channels = layer->channels,
                             .count = Count(*layer),
                             .sums = layer->sums.data(),
                             .pivot = layer->array(7),
                             .gamma = layer->gamma(),
                             .beta = layer->beta(),
                             .keep_factor = layer->dropout ? kKeepFactor : 1,
                             .running_mean = layer->array(7),
                             .running_variance = layer->array(8),
                             .mean = layer->array(0),
                             .inverse_stddev = layer->array(1),
                             .scale = layer->array(2),
                             .shift = layer->array(3)});
  }

  void NormalizeBackward(Layer* layer) {
    float* gradients = layer->gradients.data() + layer->shape.weights() + layer->channels;
    SumUnits(layer->unit_sums.data(), Blocks(images_), layer->sums.size(), layer->sums.data());
    Compute(BatchNormBackward{.channels = layer->channels,
                              .count = Count(*layer),
                              .sums = layer->sums.data(),
                              .gamma = layer->gamma(),
                              .mean = layer->array(0),
                              .inverse_stddev = layer->array(1),
                              .gamma_gradient = gradients,
                              .beta_gradient = gradients + layer->channels,
                              .scale = layer->array(4),
                              .slope = layer->array(5),
                              .offset = layer->array(6)});
  }

  GradientSink SinkBefore(int index) {
    if (index == 0) return {};
    if (index == kPoolAfter + 1) return {.gradient = pooled_gradient_.data()};
    if (index == kLinear) return {.gradient = averaged_gradient_.data()};
    return layers_[index - 1].sink();
  }

  void Backward(int index) {
    Layer& layer = layers_[index];
    Timed(Name(index, "backward"), (index == 0 ? 1 : 2) * layer.flops(images_), [&] {
      if (index != kLinear) NormalizeBackward(&layer);
      RunUnits(ConvolutionBackward{
          .shape = layer.shape,
          .images = images_,
          .input = InputOf(index),
          .output_gradient = index == kLinear ? GradientSource{.gradient = layer.gradient.data()}
                                              : layer.gradient_source(),
          .weights = layer.backward_weights.data(),
          .input_gradient = SinkBefore(index),
          .parameter_gradients = layer.unit_gradients.data()});
    });
    if (index == kPoolAfter + 1) {
      Timed("max pool backward", 0, [&] {
        RunUnits(MaxPoolBackward{kMaxPool, images_, pooled_gradient_.data(), chosen_.data(),
                                 layers_[kPoolAfter].sink()});
      });
    } else if (index == kLinear) {
      Timed("average pool backward", 0, [&] {
        RunUnits(AveragePoolBackward{kAveragePool, images_, averaged_gradient_.data(),
                                     layers_[kLinear - 1].sink()});
      });
    }
  }

  void Pack(Layer* layer) {
    PackForwardWeights(layer->shape, layer->weights.data(), layer->forward_weights.data());
    PackBackwardWeights(layer->shape, layer->weights.data(), layer->backward_weights.data());
  }

  void UpdateLayer(Layer* layer) {
    SumUnits(layer->unit_gradients.data(), Blocks(images_),
             layer->shape.weights() + layer->channels, layer->gradients.data());
    Update(Sgd{.count = layer->weights.size(),
               .decayed = layer->shape.weights(),
               .lr = 0.01,
               .momentum = 0.9,
               .parameters = layer->weights.data(),
               .gradients = layer->gradients.data(),
               .momentum_buffer = layer->momentum.data()});
    Pack(layer);
  }

  const int images_;
  AlignedBuffer<float> input_;
  std::vector<std::uint8_t> labels_;
  std::vector<Layer> layers_;
  AlignedBuffer<float> pooled_, pooled_gradient_;
  AlignedBuffer<std::uint8_t> chosen_;
  AlignedBuffer<float> averaged_, averaged_gradient_;
  std::unique_ptr<AlignedBuffer<float>> scratch_;
  double peak_ = 0;
  double loss_ = 0;
  std::vector<double> peaks_;
  std::vector<std::string> order_;
  std::map<std::string, Row> rows_;
};

int Main(int argc, char** argv) {
  const int batch = argc > 1 ? std::atoi(argv[1]) : 128;
  const int steps = argc > 2 ? std::atoi(argv[2]) : 15;
  const std::string set = argc > 3 ? argv[3] : InstructionSets().front();
  if (batch < 2 || steps < 1 || !UseInstructionSet(set)) {
    std::fprintf(stderr, "usage: kernels_bench [BATCH [STEPS [%s", InstructionSets()[0].c_str());
    for (std::size_t i = 1; i < InstructionSets().size(); ++i) {
      std::fprintf(stderr, "|%s", InstructionSets()[i].c_str());
    }
    std::fprintf(stderr, "]]]\n");
    return 2;
  }
  std::printf("cnn-17216, batch %d, one thread, %s, medians of %d steps\n", batch, set.c_str(),
              steps);
  Step step(batch);
  for (int i = 0; i < steps; ++i) step.Run(static_cast<std::uint32_t>(i));
  step.Print();
  return 0;
}

}  // namespace
}  // namespace sweep::kernels

int main(int argc, char** argv) { return sweep::kernels::Main(argc, argv); }
