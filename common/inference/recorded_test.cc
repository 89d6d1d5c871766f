// Runs the networks of the dashboard's tests, dashboards/web/src/inference/testdata/: both
// implementations must give the same answers.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "common/inference/inference.h"
#include "common/protocol/trial_spec.h"

namespace sweep {
namespace {

using nlohmann::json;

std::map<std::string, json> Recorded() {
  std::map<std::string, json> recorded;
  const std::string folder = SWEEP_SOURCE_DIR "/dashboards/web/src/inference/testdata";
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    std::ifstream file(entry.path());
    recorded[entry.path().stem()] = json::parse(file);
  }
  return recorded;
}

std::string Bytes(const json& text) {
  std::string bytes;
  EXPECT_TRUE(absl::Base64Unescape(text.get<std::string>(), &bytes));
  return bytes;
}

std::vector<float> Normalised(const std::string& pixels) {
  std::vector<float> values;
  for (const char pixel : pixels) {
    const float share = static_cast<float>(static_cast<unsigned char>(pixel)) / 255.0f;
    values.push_back((share - 0.1307f) / 0.3081f);
  }
  return values;
}

TEST(Recorded, NetworksSayWhatTheySaidThen) {
  for (const auto& [name, recorded] : Recorded()) {
    SCOPED_TRACE(name);
    const json line = {
        {"type", "trial"}, {"protocol", 1}, {"trial", "t"}, {"network", recorded["network"]}};
    const auto network =
        InferenceNetwork::Create(TrialSpecFromJson(line.dump()).network,
                                 ParseSafeTensors(Bytes(recorded["weights"]), name), name);
    ASSERT_TRUE(network.ok()) << network.status();
    std::vector<float> expected;
    for (const auto& row : recorded["log_probabilities"]) {
      for (const float value : row) expected.push_back(value);
    }
    const std::vector<float> said = network->Run(Normalised(Bytes(recorded["images"])));
    ASSERT_EQ(said.size(), expected.size());
    for (std::size_t i = 0; i < said.size(); ++i) {
      EXPECT_NEAR(said[i], expected[i], 2e-5 * (1 + std::abs(expected[i]))) << i;
    }
  }
}

TEST(Recorded, NetworksHaveEveryKindOfLayer) {
  std::vector<std::string> kinds;
  for (const auto& [name, recorded] : Recorded()) {
    for (const auto& layer : recorded["network"]["layers"]) kinds.push_back(layer["kind"]);
  }
  EXPECT_THAT(kinds, ::testing::IsSupersetOf(LayerKindNames()));
}

}  // namespace
}  // namespace sweep
