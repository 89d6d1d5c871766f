// Commands that repeat a trial without a coordinator.

#include <gmock/gmock.h>

#include "coordinator/store/testing/store_testing.h"
#include "coordinator/views/view_context.h"

namespace sweep {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr char kNetwork[] =
    "name: mine\nparameters: {width: 16}\nlayers:\n  - conv: {out: \"${width}\", kernel: 3}\n"
    "  - conv: {out: 10, kernel: 3}\n  - global_avg_pool\n";

// The commands for the first configuration of a sweep file.
Replay Of(const SweepSource& source, const ParameterMap& chosen, const std::string& line = "") {
  Diagnostics diagnostics;
  const absl::StatusOr<SweepSpec> spec = SweepSpec::Parse(source, &diagnostics);
  EXPECT_TRUE(spec.ok()) << FormatDiagnostics(diagnostics);
  const absl::StatusOr<Configuration> configuration = spec->Complete(1, chosen);
  EXPECT_TRUE(configuration.ok()) << configuration.status();
  TrialRow trial;
  trial.model = spec->program.empty() ? "mine" : "";
  trial.seed = 7;
  return ReplayOf(*spec, source, trial, *configuration, line);
}

TEST(Replay, OfAnOwnNetworkNamesItsFileAndWhatWasSweptInIt) {
  const SweepSource source = {
      .file = "s.yaml",
      .text =
          "name: s\nmodel: nets/my net.yaml\ndataset: synthetic\nmethod: grid\nepochs: 2\n"
          "parameters: {width: {values: [8, 12]}, lr: 0.1}\n",
      .network_files = {{"nets/my net.yaml", kNetwork}}};
  const Replay replay = Of(source, {{"width", std::int64_t{12}}, {"lr", 0.1}});
  ASSERT_EQ(replay.commands.size(), 1u);
  EXPECT_THAT(replay.commands[0], HasSubstr("sweep train 'nets/my net.yaml' "));
  EXPECT_THAT(replay.commands[0], HasSubstr(" --set width=12"));
  EXPECT_THAT(replay.commands[0], HasSubstr(" --lr 0.1"));
  EXPECT_THAT(replay.commands[0], HasSubstr(" --epochs 2"));
  EXPECT_THAT(replay.commands[0], HasSubstr(" --seed 7"));
  EXPECT_THAT(replay.note, HasSubstr("folder of the sweep file"));
  EXPECT_THAT(replay.note, HasSubstr("nets/my net.yaml"));
}

// `sweep train` has no default for such a hyperparameter.
TEST(Replay, OfAnOwnNetworkNamesWhatItHasNoValueFor) {
  std::string network = kNetwork;
  network.erase(network.find("parameters:"), std::string("parameters: {width: 16}\n").size());
  const SweepSource source = {
      .file = "s.yaml",
      .text =
          "name: s\nmodel: net.yaml\ndataset: synthetic\nmethod: grid\nepochs: 2\n"
          "parameters: {width: {values: [8, 12]}}\n",
      .network_files = {{"net.yaml", network}}};
  const Replay replay = Of(source, {{"width", std::int64_t{12}}});
  ASSERT_EQ(replay.commands.size(), 1u);
  EXPECT_THAT(replay.commands[0], HasSubstr(" --set width=12"));
}

TEST(Replay, OfSeveralNetworksNamesTheOneThatWasChosen) {
  const SweepSource source = {
      .file = "s.yaml",
      .text =
          "name: s\nmodel: {values: [mine.yaml, cnn-18718]}\ndataset: synthetic\nmethod: grid\n"
          "parameters: {lr: 0.1}\n",
      .network_files = {{"mine.yaml", kNetwork}}};
  const Replay built_in = Of(source, {{"model", std::string("cnn-18718")}, {"lr", 0.1}});
  EXPECT_THAT(built_in.commands, ElementsAre(HasSubstr("sweep train cnn-18718 ")));
  EXPECT_EQ(built_in.note, "");
}

TEST(Replay, OfAProgramHandsItTheLineOfItsTrial) {
  const SweepSource source = {.file = "s.yaml",
                              .text =
                                  "name: s\nprogram: [python3, \"my train.py\"]\nmethod: grid\n"
                                  "parameters: {lr: {values: [0.1]}}\n"};
  const Replay replay = Of(source, {{"lr", 0.1}}, R"({"note":"it's\n"})");
  EXPECT_THAT(replay.commands, ElementsAre(R"(printf '%s\n' '{"note":"it'\''s\n"}' | )"
                                           "python3 'my train.py'"));
  EXPECT_THAT(replay.note, HasSubstr("reads this one line"));
}

TEST(Replay, WithoutACommandSaysWhy) {
  const SweepSource source = {
      .file = "s.yaml",
      .text =
          "name: s\nmodel: mine.yaml\ndataset: synthetic\nevaluate: {holdout: 100}\nmethod: grid\n"
          "parameters: {lr: 0.1}\n",
      .network_files = {{"mine.yaml", kNetwork}}};
  const Replay replay = Of(source, {{"lr", 0.1}});
  EXPECT_THAT(replay.commands, IsEmpty());
  EXPECT_THAT(replay.note, HasSubstr("100 training images"));
}

}  // namespace
}  // namespace sweep
