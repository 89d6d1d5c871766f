// A trainer for tests: speaks the trainer's protocol, trains nothing, and misbehaves as told.
//
//   fake_trainer [never-ready | wrong-protocol | exit-at-start]
//
// The network's name in a trial is a script, words separated by commas: "pause=3" waits after epoch
// 3 until it is told to stop; "deaf=3" does the same but ignores stop, SIGTERM and the end of its
// input; "crash=3", "exit=3", "error=3", "retryable=3", "broken=3", "skip-back=3" end badly after
// epoch 3; "checkpoint=2" writes a checkpoint after epoch 2; "garbage" logs before every epoch;
// "flood" logs 3 MiB without a newline first; "once" ends after one trial; "quit" ends when it is
// stopped instead of answering; "slow-stop=500" takes 500 ms to write a checkpoint when it is
// stopped; "eager" trains on after the target epoch, where others leave a checkpoint.
// images_per_second of every epoch is the process id.

#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>
#include <optional>
#include <sstream>
#include <string>

#include "common/protocol/trainer_message.h"
#include "common/protocol/trial_spec.h"

namespace {

using sweep::TrainerMessage;

using Script = std::map<std::string, int>;

Script ParseScript(const std::string& text) {
  Script script;
  std::istringstream words(text);
  for (std::string word; std::getline(words, word, ',');) {
    const std::size_t equals = word.find('=');
    script[word.substr(0, equals)] =
        equals == std::string::npos ? 1 : std::atoi(word.substr(equals + 1).c_str());
  }
  return script;
}

bool At(const Script& script, const std::string& word, int epoch) {
  const auto found = script.find(word);
  return found != script.end() && found->second == epoch;
}

void Say(const TrainerMessage& message) {
  std::cout << sweep::TrainerMessageToJson(message) << std::endl;
}

// Lines of standard input; keeps what was read ahead.
class Input {
 public:
  // nullopt at the end of input.
  std::optional<std::string> NextLine() {
    while (text_.find('\n') == std::string::npos) {
      char buffer[4096];
      const ssize_t got = read(STDIN_FILENO, buffer, sizeof buffer);
      if (got <= 0) return std::nullopt;
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

std::string WriteFile(const std::string& path, const std::string& text) {
  std::ofstream(path) << text;
  return path;
}

int FirstEpoch(const sweep::TrialSpec& spec) {
  if (spec.resume_from.empty()) return 1;
  std::ifstream file(spec.resume_from);
  int epoch = 0;
  file >> epoch;
  return epoch + 1;
}

void SayEpoch(const sweep::TrialSpec& spec, int epoch) {
  sweep::EpochMessage message{.trial = spec.trial};
  message.metrics.epoch = epoch;
  message.metrics.values = {{"train_loss", 1.0 / epoch},
                            {"train_accuracy", 0},
                            {"validation_loss", 0},
                            {"validation_accuracy", 0.9 + 0.001 * epoch},
                            {"lr", 0},
                            {"train_seconds", 1.5},
                            {"evaluate_seconds", 0},
                            {"images_per_second", getpid()}};
  Say(message);
}

void SayDone(const sweep::TrialSpec& spec, int epochs, bool stopped) {
  sweep::DoneMessage done{.trial = spec.trial, .epochs = epochs, .stopped = stopped};
  for (const std::string role : {"weights_best", "weights_last", "predictions"}) {
    done.files[role] = WriteFile(spec.output_dir + "/" + role, role + " of " + spec.trial);
  }
  Say(done);
}

// Does what the script says for the end of `epoch`. True when that has ended the trial.
bool MisbehaveAfter(int epoch, const Script& script, const sweep::TrialSpec& spec) {
  if (At(script, "crash", epoch)) {
    std::cerr << "about to crash" << std::endl;
    raise(SIGKILL);
  }
  if (At(script, "exit", epoch)) std::exit(3);
  if (At(script, "broken", epoch)) {
    std::cout << "{\"type\":\"nonsense\"}" << std::endl;
    while (true) pause();  // the agent ends it; the lines before are its last output
  }
  if (At(script, "skip-back", epoch)) SayEpoch(spec, 1);
  const bool retryable = At(script, "retryable", epoch);
  if (!retryable && !At(script, "error", epoch)) return false;
  Say(sweep::ErrorMessage{.trial = spec.trial, .reason = "loss is NaN", .retryable = retryable});
  return true;
}

void BeDeaf() {
  signal(SIGTERM, SIG_IGN);
  while (true) pause();
}

// Reports its progress, then waits for the stop line.
void WaitForStop(const sweep::TrialSpec& spec, int epoch, const Script& script, Input* input) {
  Say(sweep::ProgressMessage{.trial = spec.trial, .epoch = epoch + 1, .step = 7, .steps = 9});
  while (const std::optional<std::string> line = input->NextLine()) {
    if (sweep::LineType(*line) != "stop") continue;
    if (script.contains("quit")) std::exit(0);
    if (const auto slow = script.find("slow-stop"); slow != script.end()) {
      poll(nullptr, 0, slow->second);
      const std::string path = spec.output_dir + "/late";
      Say(sweep::CheckpointMessage{
          .trial = spec.trial, .epoch = epoch, .path = WriteFile(path, "written late")});
    }
    return SayDone(spec, epoch, /*stopped=*/true);
  }
  std::exit(0);
}

void Train(const sweep::TrialSpec& spec, Input* input) {
  const Script script = ParseScript(spec.network.name);
  if (script.contains("flood")) std::cout << std::string(3 << 20, '.') << std::endl;
  const int last = script.contains("eager") ? spec.epochs : spec.last_epoch();
  for (int epoch = FirstEpoch(spec); epoch <= last; ++epoch) {
    if (script.contains("garbage")) {
      std::cout << "Epoch " << epoch << " [====>   ]\n\n";
      std::cerr << "warning: garbage" << std::endl;
    }
    SayEpoch(spec, epoch);
    if (At(script, "checkpoint", epoch) || (epoch == last && last < spec.epochs)) {
      const std::string path = spec.output_dir + "/checkpoint";
      Say(sweep::CheckpointMessage{.trial = spec.trial,
                                   .epoch = epoch,
                                   .path = WriteFile(path, std::to_string(epoch) + " epochs")});
    }
    if (MisbehaveAfter(epoch, script, spec)) return;
    if (At(script, "deaf", epoch)) BeDeaf();
    if (At(script, "pause", epoch)) return WaitForStop(spec, epoch, script, input);
  }
  SayDone(spec, last, /*stopped=*/false);
  if (script.contains("once")) std::exit(0);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string mode = argc > 1 ? argv[1] : "";
  if (mode == "exit-at-start") {
    std::cerr << "cannot find libsomething.so" << std::endl;
    return 127;
  }
  Input input;
  if (mode == "never-ready") {
    input.NextLine();
    BeDeaf();
  }
  sweep::ReadyMessage ready{.build = "fake_trainer", .device = "cpu", .backend = "none"};
  if (mode == "wrong-protocol") ready.protocol = sweep::kTrainerProtocolVersion + 1;
  Say(ready);
  while (const std::optional<std::string> line = input.NextLine()) {
    if (sweep::LineType(*line) == "trial") Train(sweep::TrialSpecFromJson(*line), &input);
  }
  return 0;
}
