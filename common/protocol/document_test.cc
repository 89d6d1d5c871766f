// Checks docs/protocol.md against this library's readers and writers.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "common/protocol/hyperparameters.h"
#include "common/protocol/trainer_message.h"
#include "common/protocol/trial_spec.h"

namespace sweep {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Key;

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

const std::vector<std::string>& Document() {
  static const auto* const lines = [] {
    std::ifstream file(SWEEP_SOURCE_DIR "/docs/protocol.md");
    std::ostringstream text;
    text << file.rdbuf();
    return new std::vector<std::string>(Lines(text.str()));
  }();
  return *lines;
}

// The lines of all fenced blocks in one language.
std::vector<std::string> Fenced(const std::string& language) {
  std::vector<std::string> lines;
  bool inside = false;
  for (const std::string& line : Document()) {
    if (line.starts_with("```")) {
      inside = !inside && line == "```" + language;
    } else if (inside) {
      lines.push_back(line);
    }
  }
  return lines;
}

// Maps field to default, from the tables under the heading "### `section`…".
std::map<std::string, std::string> Fields(const std::string& section) {
  std::map<std::string, std::string> fields;
  bool inside = false;
  for (const std::string& line : Document()) {
    if (line.starts_with("#")) inside = line.starts_with("### " + section);
    if (!inside || !line.starts_with("| `")) continue;
    std::vector<std::string> cells;
    std::istringstream row(line);
    for (std::string cell; std::getline(row, cell, '|');) cells.push_back(cell);
    if (cells.size() != 5) continue;  // not field, type, default, meaning
    const std::string& name = cells[1];
    fields[name.substr(2, name.size() - 4)] = cells[3].substr(1, cells[3].size() - 2);
  }
  return fields;
}

nlohmann::json Parse(const std::string& text) {
  return nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
}

bool IsForTheTrainer(const nlohmann::json& line) {
  const std::string type = line.value("type", "");
  return type == "trial" || type == "stop" || (type == "checkpoint" && !line.contains("path"));
}

TEST(ProtocolDocument, EveryExampleIsRead) {
  std::multiset<std::string> types;
  for (const std::string& line : Fenced("jsonl")) {
    SCOPED_TRACE(line);
    const nlohmann::json object = Parse(line);
    ASSERT_TRUE(object.is_object());
    types.insert(object.value("type", ""));
    if (IsForTheTrainer(object)) {
      if (LineType(line) == "trial") {
        EXPECT_NO_THROW(TrialSpecFromJson(line));
      } else {
        std::string trial;
        EXPECT_NO_THROW(TrainerCommandFromJson(line, &trial));
        EXPECT_NE(trial, "");
      }
    } else {
      bool is_json = false;
      EXPECT_NO_THROW(TrainerMessageFromJson(line, &is_json));
      EXPECT_TRUE(is_json);
    }
  }
  EXPECT_THAT(
      std::set<std::string>(types.begin(), types.end()),
      ElementsAre("checkpoint", "done", "epoch", "error", "progress", "ready", "stop", "trial"));
  EXPECT_EQ(types.count("checkpoint"), 2u);  // the request and the notice
}

// Compares an object's fields, and those of its `dataset`, with the table of the trial line.
void CompareDefaults(const nlohmann::json& object, const std::string& prefix,
                     const std::map<std::string, std::string>& fields) {
  for (const auto& [key, value] : object.items()) {
    const std::string name = prefix + key;
    if (FindKnownParameter(name) != nullptr) continue;  // the table refers to docs/sweep-file.md
    ASSERT_THAT(fields, Contains(Key(name)));
    const std::string& text = fields.at(name);
    if (text == "required") continue;
    if (value.is_object()) {
      CompareDefaults(value, name + ".", fields);
      continue;
    }
    ASSERT_GT(text.size(), 2u) << name;
    EXPECT_EQ(Parse(text.substr(1, text.size() - 2)), value) << name;
  }
}

TEST(ProtocolDocument, TheTrialsTableHasEveryFieldAndItsDefault) {
  CompareDefaults(Parse(TrialSpecToJson(TrialSpec{})), "", Fields("`trial`"));
}

TEST(ProtocolDocument, TheTrialsTableHasWhatOnlyProgramsGet) {
  TrialSpec spec;
  spec.parameters = {{"width", std::int64_t{7}}};
  const nlohmann::json object = Parse(TrialSpecToJson(spec));
  const std::map<std::string, std::string> fields = Fields("`trial`");
  for (const auto& [key, value] : object.items()) {
    if (FindKnownParameter(key) == nullptr) EXPECT_THAT(fields, Contains(Key(key)));
  }
  EXPECT_EQ(fields.at("parameters"), "`{}`");
}

TEST(ProtocolDocument, RequiredFieldsOfATrialAreThoseThatTheReaderRequires) {
  nlohmann::json example;
  for (const std::string& line : Fenced("jsonl")) {
    if (line.starts_with(R"({"type":"trial")")) example = Parse(line);
  }
  for (const auto& [name, text] : Fields("`trial`")) {
    if (name.find('.') != std::string::npos) continue;
    nlohmann::json without = example;
    without.erase(name);
    if (text == "required") {
      EXPECT_THROW(TrialSpecFromJson(without.dump()), ProtocolError) << name;
    } else {
      EXPECT_NO_THROW(TrialSpecFromJson(without.dump())) << name;
    }
  }
}

// Every predefined measure, and one that a program defines.
EpochMessage WholeEpoch() {
  EpochMessage message;
  for (const Measure& measure : PredefinedMeasures()) message.metrics.values.Set(measure.name, 1);
  message.metrics.values.Set("val/f1", 1);
  return message;
}

TEST(ProtocolDocument, EveryMessagesTableHasItsFields) {
  const std::map<std::string, TrainerMessage> messages = {
      {"`ready`", ReadyMessage{}}, {"`progress`", ProgressMessage{}},
      {"`epoch`", WholeEpoch()},   {"`checkpoint` (the notice)", CheckpointMessage{}},
      {"`done`", DoneMessage{}},   {"`error`", ErrorMessage{}}};
  for (const auto& [section, message] : messages) {
    const std::map<std::string, std::string> fields = Fields(section);
    const nlohmann::json object = Parse(TrainerMessageToJson(message));
    for (const auto& [key, value] : object.items()) {
      EXPECT_THAT(fields, Contains(Key(key))) << section;
    }
    EXPECT_EQ(fields.size(), object.size()) << section;
  }
}

// Runs a command and returns its standard output; `*status` gets its exit status.
std::string OutputOf(const std::string& command, int* status) {
  std::string output;
  FILE* const pipe = popen(command.c_str(), "r");
  char buffer[4096];
  while (const std::size_t got = std::fread(buffer, 1, sizeof(buffer), pipe)) {
    output.append(buffer, got);
  }
  *status = WEXITSTATUS(pclose(pipe));
  return output;
}

TEST(ProtocolDocument, TheTrainerInPythonSpeaksTheProtocol) {
  int status = 0;
  OutputOf("python3 --version", &status);
  if (status != 0) GTEST_SKIP() << "no python3";
  std::string name = (std::filesystem::temp_directory_path() / "sweep-trainer-XXXXXX").string();
  ASSERT_NE(mkdtemp(name.data()), nullptr);
  const std::filesystem::path folder = name;
  std::ofstream program(folder / "train.py");
  for (const std::string& line : Fenced("python")) program << line << '\n';
  program.close();
  std::ofstream input(folder / "input");
  for (const std::string& line : Fenced("jsonl")) {
    if (IsForTheTrainer(Parse(line))) input << line << '\n';
  }
  input.close();
  const std::string output = OutputOf("cd " + name + " && python3 train.py < input", &status);
  std::filesystem::remove_all(folder);
  EXPECT_EQ(status, 0);
  const std::vector<std::string> lines = Lines(output);
  std::vector<TrainerMessage> messages;
  for (const std::string& line : lines) {
    bool is_json = false;
    ASSERT_NO_THROW(messages.push_back(TrainerMessageFromJson(line, &is_json))) << line;
    EXPECT_TRUE(is_json) << line;
  }
  ASSERT_EQ(messages.size(), 21u);  // ready, 19 epochs, done
  EXPECT_TRUE(std::holds_alternative<ReadyMessage>(messages.front()));
  EXPECT_EQ(std::get<EpochMessage>(messages[19]).metrics.epoch, 19);
  EXPECT_EQ(std::get<DoneMessage>(messages.back()).trial, "seed-000/17");
}

}  // namespace
}  // namespace sweep
