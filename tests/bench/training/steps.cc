// Runs training steps of backend `lanes` on request, for bench.py beside it:
//
//   training_steps                            answers lines of JSON on standard input
//   training_steps --profile NETWORK [BATCH [DROPOUT [THREADS]]]
//
// A line {"network": "cnn-17216", "batch": 128, "dropout": 0.1, "threads": 1, "seconds": 1,
// "evaluate": false} is answered with images per second (median over steps), the peak of one core
// in FLOP/s, measured before, between and after, and the arithmetic of an image in FLOP. With
// "describe" the answer is the network as the trainer's protocol has it.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "common/network/testing/network_testing.h"
#include "common/protocol/trial_spec.h"
#include "worker/kernels/loss.h"
#include "worker/kernels/testing/peak.h"
#include "worker/trainer/dropout_bits.h"
#include "worker/trainer/lanes/lanes_backend.h"
#include "worker/trainer/lanes/lanes_network.h"

namespace sweep {
namespace {

using Clock = std::chrono::steady_clock;
using Json = nlohmann::json;

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double Median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// Noise with labels.
struct Data {
  Data(int count, const Shape& shape)
      : pixels(static_cast<std::size_t>(count * shape.elements())), labels(count) {
    std::mt19937 generator(1);
    std::normal_distribution<float> normal;
    for (float& pixel : pixels) pixel = normal(generator);
    for (std::uint8_t& label : labels) label = static_cast<std::uint8_t>(generator() % 10);
  }
  Batch batch() const { return {static_cast<int>(labels.size()), pixels.data(), labels.data()}; }
  std::vector<float> pixels;
  std::vector<std::uint8_t> labels;
};

Json Measure(const Json& asked) {
  TrialSpec spec;
  spec.network = ResolveBuiltin(asked.at("network"), asked.value("dropout", 0.0));
  if (asked.value("describe", false)) return Json::parse(TrialSpecToJson(spec)).at("network");
  spec.batch_size = asked.at("batch");
  spec.momentum = 0.9;
  const bool evaluate = asked.value("evaluate", false);
  const double seconds = asked.value("seconds", 1.0);
  std::unique_ptr<Backend> backend;
  if (const std::string reason = MakeLanesBackend(spec, asked.value("threads", 1), &backend);
      !reason.empty()) {
    throw std::runtime_error(reason);
  }
  const int images = evaluate ? 500 : spec.batch_size;
  const Data data(images, spec.network.input);
  std::vector<std::uint8_t> predictions(images);
  std::vector<double> steps;
  std::vector<double> peaks;
  const Clock::time_point begun = Clock::now();
  for (std::int64_t step = 0; steps.size() < 3 || SecondsSince(begun) < seconds; ++step) {
    if (step % 20 == 0) peaks.push_back(kernels::MeasurePeakFlops());
    const Clock::time_point start = Clock::now();
    if (evaluate) {
      backend->Evaluate(data.batch(), predictions.data());
    } else {
      backend->TrainStep(data.batch(), step, 0.01);
    }
    if (step > 0) steps.push_back(SecondsSince(start));  // the first one touches fresh memory
  }
  peaks.push_back(kernels::MeasurePeakFlops());
  return {{"images_per_second", images / Median(steps)},
          {"peak", Median(peaks)},
          {"flops_per_image", evaluate ? spec.network.forward_flops : spec.network.train_flops}};
}

void Answer() {
  std::string line;
  while (std::getline(std::cin, line)) {
    std::cout << Measure(Json::parse(line)).dump() << std::endl;
  }
}

// Times of one operator in one phase, over all steps.
struct Row {
  double flops = 0;  // per step
  std::vector<double> seconds;
  std::vector<double> of_peak;
};

class Profile {
 public:
  Profile(const Network& network, int batch, int threads)
      : network_(network), batch_(batch), team_(threads), data_(batch, network.input) {
    lanes::Plan plan;
    if (const std::string reason = MakePlan(network, &plan); !reason.empty()) {
      throw std::runtime_error(reason);
    }
    lanes_ = std::make_unique<lanes::LanesNetwork>(network, std::move(plan), DropoutKey(1), batch,
                                                   &team_);
    const std::vector<float> initial = InitialParameters(network, lanes_->layout(), 1);
    std::copy(initial.begin(), initial.end(), lanes_->parameters());
    lanes_->ParametersChanged();
    lanes_->set_observer([this](lanes::Phase phase, int index, const char* what, double seconds) {
      Add(Name(phase, index, what), Flops(phase, index), seconds);
    });
  }

  void Run(int steps) {
    for (int step = -2; step < steps; ++step) {
      counted_ = step >= 0;
      // The peak of all threads together.
      peak_ = kernels::MeasurePeakFlops() * team_.size();
      const Clock::time_point start = Clock::now();
      const float* const outputs =
          lanes_->ForwardTraining(data_.pixels.data(), batch_, static_cast<std::uint32_t>(step));
      kernels::Loss loss{.images = batch_,
                         .classes = network_.classes,
                         .outputs = outputs,
                         .labels = data_.labels.data(),
                         .gradient = lanes_->output_gradient()};
      ComputeLoss(loss);
      lanes_->Backward();
      lanes_->ParametersChanged();
      Add("whole step", static_cast<double>(network_.train_flops) * batch_, SecondsSince(start));
      if (counted_) peaks_.push_back(peak_);
    }
  }

  void Print() const {
    const Row& whole = rows_.at("whole step");
    const double step = Median(whole.seconds);
    std::printf("%-40s %9s %9s %9s %9s\n", "operator", "ms", "of step", "GFLOP/s", "of peak");
    for (const std::string& name : order_) {
      const Row& row = rows_.at(name);
      const double median = Median(row.seconds);
      std::printf("%-40s %9.3f %8.1f%%", name.c_str(), median * 1e3, 100 * median / step);
      if (row.flops > 0) {
        std::printf(" %9.1f %8.0f%%", row.flops / median / 1e9, 100 * Median(row.of_peak));
      }
      std::printf("\n");
    }
    std::printf("%.0f images/s; peak %.1f GFLOP/s on %d thread%s\n", batch_ / step,
                Median(peaks_) / 1e9, team_.size(), team_.size() == 1 ? "" : "s");
  }

 private:
  void Add(const std::string& name, double flops, double seconds) {
    if (!counted_) return;
    if (!rows_.contains(name)) order_.push_back(name);
    Row& row = rows_[name];
    row.flops = flops;
    row.seconds.push_back(seconds);
    row.of_peak.push_back(flops / seconds / peak_);
  }

  std::string Name(lanes::Phase phase, int index, const char* what) const {
    if (index < 0) return what;
    const lanes::Operator& made = lanes_->plan().operators[index];
    const Layer& layer = network_.layers[made.layer];
    const bool stores = made.kind == lanes::Operator::Kind::kStore;
    const std::string words = stores ? "store before" : DescribeLayer(layer);
    return (phase == lanes::Phase::kForward ? "forward  " : "backward ") +
           std::to_string(made.layer + 1) + " " + words + " on " +
           std::to_string(layer.input.channels) + "×" + std::to_string(layer.input.height) + "²";
  }

  double Flops(lanes::Phase phase, int index) const {
    if (index < 0) return 0;
    const lanes::Operator& made = lanes_->plan().operators[index];
    if (made.kind != lanes::Operator::Kind::kConvolution) return 0;
    const double forward = static_cast<double>(network_.layers[made.layer].forward_flops) * batch_;
    if (phase == lanes::Phase::kForward) return forward;
    return made.input == 0 ? forward : 2 * forward;  // nobody needs the images' gradient
  }

  const Network network_;
  const int batch_;
  lanes::Team team_;
  const Data data_;
  std::unique_ptr<lanes::LanesNetwork> lanes_;
  bool counted_ = false;
  double peak_ = 1;
  std::vector<double> peaks_;
  std::vector<std::string> order_;
  std::map<std::string, Row> rows_;
};

void PrintProfile(const std::vector<std::string>& arguments) {
  const auto number = [&](std::size_t index, double otherwise) {
    return arguments.size() > index ? std::stod(arguments[index]) : otherwise;
  };
  if (arguments.empty()) throw std::runtime_error("--profile needs a network");
  const int batch = static_cast<int>(number(1, 128));
  const double dropout = number(2, 0.1);
  const int threads = static_cast<int>(number(3, 1));
  std::printf("%s, batch %d, dropout %g\n", arguments[0].c_str(), batch, dropout);
  Profile profile(ResolveBuiltin(arguments[0], dropout), batch, threads);
  profile.Run(25);
  profile.Print();
}

int Main(const std::vector<std::string>& arguments) {
  if (arguments.empty()) {
    Answer();
  } else if (arguments[0] == "--profile") {
    PrintProfile({arguments.begin() + 1, arguments.end()});
  } else {
    throw std::runtime_error("unknown argument '" + arguments[0] + "'");
  }
  return 0;
}

}  // namespace
}  // namespace sweep

int main(int argc, char** argv) {
  try {
    return sweep::Main({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    std::fprintf(stderr, "training_steps: %s\n", error.what());
    return 2;
  }
}
