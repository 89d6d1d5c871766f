// A trainer that computes nothing: an epoch is a pause, and its numbers depend only on the seed,
// the learning rate and the epoch, so that every worker gets the same. Speaks the trainer's
// protocol with checkpoints, stop and resume.
//
//   timer_trainer MILLISECONDS_PER_EPOCH

#include <poll.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <optional>
#include <string>

#include "common/protocol/trainer_message.h"
#include "common/protocol/trial_spec.h"

namespace {

void Say(const sweep::TrainerMessage& message) {
  std::cout << sweep::TrainerMessageToJson(message) << std::endl;
}

// Lines of standard input, with a time limit.
class Input {
 public:
  // nullopt when no line came in time; ends the process at the end of input.
  std::optional<std::string> NextLine(std::chrono::milliseconds limit) {
    const auto deadline = std::chrono::steady_clock::now() + limit;
    while (text_.find('\n') == std::string::npos) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
          deadline - std::chrono::steady_clock::now());
      pollfd fd = {.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
      if (left.count() <= 0 || poll(&fd, 1, static_cast<int>(left.count())) == 0)
        return std::nullopt;
      char buffer[65536];
      const ssize_t got = read(STDIN_FILENO, buffer, sizeof buffer);
      if (got <= 0) std::_Exit(0);
      text_.append(buffer, static_cast<std::size_t>(got));
    }
    const std::size_t newline = text_.find('\n');
    std::string line = text_.substr(0, newline);
    text_.erase(0, newline + 1);
    return line;
  }

 private:
  std::string text_;
};

sweep::EpochMetrics Measure(const sweep::TrialSpec& spec, int epoch) {
  const double share = std::fabs(std::sin(static_cast<double>(spec.seed % 1000) + 31 * spec.lr));
  return {.epoch = epoch,
          .values = {{"train_loss", 1.0 / (epoch + share)},
                     {"train_accuracy", 0.98 + 0.019 * share},
                     {"validation_loss", 1.1 / (epoch + share)},
                     {"validation_accuracy", 0.97 + 0.025 * share * (1 - 0.3 / epoch)},
                     {"lr", spec.lr},
                     {"train_seconds", 0.01}}};
}

void WriteCheckpoint(const sweep::TrialSpec& spec, int epoch) {
  const std::string path = spec.output_dir + "/checkpoint";
  std::ofstream(path + ".new") << epoch << ' ' << spec.trial << '\n';
  std::filesystem::rename(path + ".new", path);
  Say(sweep::CheckpointMessage{.trial = spec.trial, .epoch = epoch, .path = path});
}

void Train(const sweep::TrialSpec& spec, std::chrono::milliseconds epoch_time, Input* input) {
  int done = 0;
  if (!spec.resume_from.empty()) std::ifstream(spec.resume_from) >> done;
  while (done < spec.epochs) {
    const std::optional<std::string> line = input->NextLine(epoch_time);
    if (line && sweep::LineType(*line) == "stop") {
      Say(sweep::DoneMessage{.trial = spec.trial, .epochs = done, .stopped = true});
      return;
    }
    ++done;
    Say(sweep::EpochMessage{.trial = spec.trial, .metrics = Measure(spec, done)});
    std::cout << "epoch " << done << " of " << spec.trial << std::endl;
    if (done % 2 == 0) WriteCheckpoint(spec, done);
  }
  Say(sweep::DoneMessage{.trial = spec.trial, .epochs = done});
}

}  // namespace

int main(int argc, char** argv) {
  const std::chrono::milliseconds epoch_time(argc > 1 ? std::atoi(argv[1]) : 50);
  Input input;
  Say(sweep::ReadyMessage{.build = "timer_trainer", .device = "cpu", .backend = "timer"});
  while (true) {
    const std::optional<std::string> line = input.NextLine(std::chrono::hours(24));
    if (line && sweep::LineType(*line) == "trial") {
      Train(sweep::TrialSpecFromJson(*line), epoch_time, &input);
    }
  }
}
