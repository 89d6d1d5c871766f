#include "worker/kernels/loss.h"

#include <algorithm>
#include <cmath>

namespace sweep::kernels {
namespace {

std::size_t Place(const Loss& work, int image, int label) {
  const std::size_t block = static_cast<std::size_t>(image / kLanes);
  return (block * work.classes + label) * kLanes + image % kLanes;
}

// Softmax `index` of the batch: over the classes of one image, or over the images for one class.
struct Softmax {
  Softmax(const Loss& of, int at) : work(of), index(at) {}
  int terms() const { return work.over_batch ? work.images : work.classes; }
  std::size_t place(int term) const {
    return work.over_batch ? Place(work, term, index) : Place(work, index, term);
  }
  bool is_target(int term) const {
    return work.over_batch ? work.labels[term] == index : work.labels[index] == term;
  }

  const Loss& work;
  int index;
};

int Softmaxes(const Loss& work) { return work.over_batch ? work.classes : work.images; }

// log Σ exp, computed relative to the largest term so that nothing overflows.
double LogSum(const Softmax& softmax) {
  double largest = softmax.work.outputs[softmax.place(0)];
  for (int term = 1; term < softmax.terms(); ++term) {
    largest = std::max(largest, double{softmax.work.outputs[softmax.place(term)]});
  }
  double sum = 0;
  for (int term = 0; term < softmax.terms(); ++term) {
    sum += std::exp(softmax.work.outputs[softmax.place(term)] - largest);
  }
  return largest + std::log(sum);
}

}  // namespace

double ComputeLoss(const Loss& work) {
  if (work.gradient != nullptr) {
    const Shape shape{work.classes, 1, 1};
    std::fill_n(work.gradient, BatchElements(shape, work.images), 0.0f);
  }
  const double everywhere = work.label_smoothing / (double{1} * work.images * work.classes);
  const double at_label = (1 - work.label_smoothing) / work.images;
  double loss = 0;
  for (int i = 0; i < Softmaxes(work); ++i) {
    const Softmax softmax(work, i);
    const double log_sum = LogSum(softmax);
    double weight = 0;  // of all log-probabilities that share this sum
    for (int term = 0; term < softmax.terms(); ++term) {
      const double target = everywhere + (softmax.is_target(term) ? at_label : 0);
      weight += target;
      if (target != 0) loss -= target * (work.outputs[softmax.place(term)] - log_sum);
    }
    if (work.gradient == nullptr) continue;
    for (int term = 0; term < softmax.terms(); ++term) {
      const double target = everywhere + (softmax.is_target(term) ? at_label : 0);
      const double probability = std::exp(work.outputs[softmax.place(term)] - log_sum);
      work.gradient[softmax.place(term)] = static_cast<float>(weight * probability - target);
    }
  }
  return loss;
}

void Predict(const Loss& work, std::uint8_t* predictions, double* log_sums) {
  std::fill_n(log_sums, work.classes, 0.0);
  if (work.over_batch) {
    for (int label = 0; label < work.classes; ++label) log_sums[label] = LogSum({work, label});
  }
  for (int image = 0; image < work.images; ++image) {
    int best = 0;
    double largest = work.outputs[Place(work, image, 0)] - log_sums[0];
    for (int label = 1; label < work.classes; ++label) {
      const double value = work.outputs[Place(work, image, label)] - log_sums[label];
      if (value <= largest) continue;
      largest = value;
      best = label;
    }
    predictions[image] = static_cast<std::uint8_t>(best);
  }
}

}  // namespace sweep::kernels
