#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "cli/calls.h"
#include "cli/connection.h"
#include "fmt/format.h"
#include "tests/integration/process.h"

namespace sweep::testing {

// Real programs that are disturbed while they train sweep "s".
class RecoveryTest : public ::testing::Test {
 protected:
  // `trainer` "" means the real one.
  std::unique_ptr<Process> StartWorker(const std::string& name, const std::string& coordinator,
                                       int slots = 1, const std::string& trainer = "") {
    std::vector<std::string> command = {
        "sweep-worker", "--coordinator", coordinator,          "--name",
        name,           "--slots",       std::to_string(slots)};
    if (!trainer.empty()) command.insert(command.end(), {"--trainer", trainer});
    return std::make_unique<Process>(
        Process::Options{.command = command, .folder = folder_.path()});
  }

  // Writes a program with this text and returns its path.
  std::string Program(const std::string& name, const std::string& text) {
    const std::string path = folder_.Write(name, text);
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    return path;
  }
  // A program that starts the timer trainer with epochs of this length.
  std::string TimerTrainer(int milliseconds_per_epoch) {
    return Program(fmt::format("timer-{}", milliseconds_per_epoch),
                   fmt::format("#!/bin/sh\nexec {} {}\n", ProgramPath("timer_trainer"),
                               milliseconds_per_epoch));
  }

  // Runs a command of the client for the coordinator to which the test is connected.
  Result Sweep(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "sweep");
    return testing::Run({.command = arguments,
                         .folder = folder_.path(),
                         .environment = {{"SWEEP_COORDINATOR", connection_->address()}}});
  }

  void ConnectTo(const std::string& address) {
    connection_.reset();
    auto connection = cli::Connection::To(address);
    ASSERT_TRUE(connection.ok()) << connection.status();
    connection_ = *std::move(connection);
  }

  static std::string SweepText(int configurations, int epochs) {
    std::string rates;
    for (int i = 1; i <= configurations; ++i)
      rates += fmt::format("{}{}", i == 1 ? "" : ", ", 0.01 * i);
    return fmt::format(
        "name: s\nmodel: cnn-18718\ndataset: {{name: synthetic, train: 1024, test: 256}}\n"
        "method: grid\nparameters:\n  lr: {{values: [{}]}}\n  dropout: {{value: 0.05}}\n"
        "  batch_size: {{value: 64}}\nepochs: {}\n",
        rates, epochs);
  }
  void Submit(const std::string& text) {
    v1::SweepSource source;
    source.set_file("s.yaml");
    source.set_text(text);
    const auto created = cli::CreateSweep(*connection_, source);
    ASSERT_TRUE(created.ok()) << created.status();
  }

  v1::Trial Trial(int number) {
    const auto trial = cli::GetTrial(*connection_, fmt::format("s/{}", number));
    return trial.ok() ? trial->trial() : v1::Trial();
  }
  std::vector<v1::Attempt> Attempts(int number) {
    const auto attempts = cli::ListAttempts(*connection_, fmt::format("s/{}", number));
    EXPECT_TRUE(attempts.ok()) << attempts.status();
    return attempts.ok() ? *attempts : std::vector<v1::Attempt>();
  }
  std::vector<v1::Epoch> Epochs(int number) {
    const auto epochs = cli::ListEpochs(*connection_, fmt::format("s/{}", number));
    EXPECT_TRUE(epochs.ok()) << epochs.status();
    return epochs.ok() ? *epochs : std::vector<v1::Epoch>();
  }
  // The epochs that this attempt has reported, in order.
  std::vector<int> EpochsOf(int number, int attempt) {
    std::vector<int> numbers;
    for (const v1::Epoch& epoch : Epochs(number)) {
      if (epoch.attempt() == attempt) numbers.push_back(epoch.epoch());
    }
    return numbers;
  }
  bool HasEpoch(int number, int epoch) { return Trial(number).epoch() >= epoch; }
  bool Completed() {
    const auto sweep = cli::GetSweep(*connection_, "s");
    return sweep.ok() && sweep->state() == v1::SWEEP_STATE_COMPLETED;
  }
  // Every trial has completed in exactly one attempt, with every epoch.
  void ExpectAllCompleted(int trials, int epochs) {
    for (int number = 1; number <= trials; ++number) {
      SCOPED_TRACE(number);
      EXPECT_EQ(Trial(number).state(), v1::TRIAL_STATE_COMPLETED) << Trial(number).reason();
      int completed = 0;
      for (const v1::Attempt& attempt : Attempts(number))
        completed += attempt.outcome() == "completed";
      EXPECT_EQ(completed, 1);
      std::set<int> measured;
      for (const v1::Epoch& epoch : Epochs(number)) measured.insert(epoch.epoch());
      EXPECT_EQ(std::ssize(measured), epochs);
    }
  }

  TemporaryFolder folder_;
  std::unique_ptr<cli::Connection> connection_;
};

}  // namespace sweep::testing
