#pragma once

#include <string>

#include "absl/time/time.h"
#include "common/protocol/trainer_message.h"

namespace sweep::cli {

// The log of a training in the form that the write-ups print, which is that of PyTorch's MNIST
// example under tqdm:
//
//   Epoch number: 3
//   loss=0.0512 batch_id=937 accuracy=98.43: 100%|██████████| 938/938 [00:12<00:00, 74.21it/s]
//   Test set: Average loss: 0.0307, Accuracy: 9908/10000 (99.08%)
//
// During an epoch the loss is that of the last step, at its end the mean over the epoch. The
// accuracy is that on the training images during the epoch. Pure.

// The progress within an epoch.
std::string TrainingBar(const ProgressMessage& progress, absl::Duration elapsed, bool ascii);
// The three lines of an epoch, each with a newline; the first one is printed at the epoch's start.
std::string EpochHeading(int epoch);
std::string EpochBar(const EpochMetrics& epoch, int steps, bool ascii);
std::string TestLine(const EpochMetrics& epoch, int evaluation_images);

// The number of steps in an epoch, from its measurements: exact for images_per_second ×
// train_seconds images.
int StepsOf(const EpochMetrics& epoch, int batch_size);

}  // namespace sweep::cli
