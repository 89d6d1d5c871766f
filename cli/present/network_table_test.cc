// Compares the layer tables with those printed in the write-ups.

#include "cli/present/network_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <vector>

#include "cli/spec_input.h"
#include "cli/training/settings.h"

namespace sweep::cli {
namespace {

using ::testing::ElementsAreArray;
using ::testing::HasSubstr;

Network Resolved(const std::string& name) {
  const absl::StatusOr<NetworkFile> file = ReadNetwork(name);
  EXPECT_TRUE(file.ok()) << file.status();
  const absl::StatusOr<Network> network = ResolveWithRecipe(*file);
  EXPECT_TRUE(network.ok()) << network.status();
  return *network;
}

// The part of each line that torchsummary prints too.
std::vector<std::string> TorchPart(const std::string& table) {
  std::vector<std::string> lines;
  std::istringstream text(table);
  for (std::string line; std::getline(text, line);) {
    line = line.substr(0, 64);
    line.erase(line.find_last_not_of(' ') + 1);
    lines.push_back(line);
  }
  return lines;
}

std::vector<std::string> LinesOf(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

// Write-up 004, as printed there.
constexpr char kWriteUp004[] =
    R"(----------------------------------------------------------------
        Layer (type)               Output Shape         Param #
================================================================
            Conv2d-1            [-1, 8, 28, 28]              72
              ReLU-2            [-1, 8, 28, 28]               0
       BatchNorm2d-3            [-1, 8, 28, 28]              16
         Dropout2d-4            [-1, 8, 28, 28]               0
            Conv2d-5           [-1, 16, 26, 26]           1,152
              ReLU-6           [-1, 16, 26, 26]               0
       BatchNorm2d-7           [-1, 16, 26, 26]              32
         Dropout2d-8           [-1, 16, 26, 26]               0
            Conv2d-9           [-1, 16, 24, 24]           2,304
             ReLU-10           [-1, 16, 24, 24]               0
      BatchNorm2d-11           [-1, 16, 24, 24]              32
        Dropout2d-12           [-1, 16, 24, 24]               0
        MaxPool2d-13           [-1, 16, 12, 12]               0
           Conv2d-14            [-1, 8, 12, 12]             128
             ReLU-15            [-1, 8, 12, 12]               0
        Dropout2d-16            [-1, 8, 12, 12]               0
           Conv2d-17           [-1, 16, 10, 10]           1,152
             ReLU-18           [-1, 16, 10, 10]               0
      BatchNorm2d-19           [-1, 16, 10, 10]              32
        Dropout2d-20           [-1, 16, 10, 10]               0
           Conv2d-21             [-1, 32, 8, 8]           4,608
             ReLU-22             [-1, 32, 8, 8]               0
      BatchNorm2d-23             [-1, 32, 8, 8]              64
        Dropout2d-24             [-1, 32, 8, 8]               0
           Conv2d-25              [-1, 8, 8, 8]             256
             ReLU-26              [-1, 8, 8, 8]               0
        Dropout2d-27              [-1, 8, 8, 8]               0
           Conv2d-28             [-1, 16, 6, 6]           1,152
             ReLU-29             [-1, 16, 6, 6]               0
      BatchNorm2d-30             [-1, 16, 6, 6]              32
        Dropout2d-31             [-1, 16, 6, 6]               0
           Conv2d-32             [-1, 32, 4, 4]           4,608
             ReLU-33             [-1, 32, 4, 4]               0
      BatchNorm2d-34             [-1, 32, 4, 4]              64
        Dropout2d-35             [-1, 32, 4, 4]               0
        AvgPool2d-36             [-1, 32, 1, 1]               0
           Linear-37                   [-1, 10]             330
================================================================
Total params: 16,034
Trainable params: 16,034
Non-trainable params: 0
----------------------------------------------------------------
Input size (MB): 0.00
Forward/backward pass size (MB): 1.00
Params size (MB): 0.06
Estimated Total Size (MB): 1.07
----------------------------------------------------------------
)";

// Write-up 003. Its global average pooling is a function and has no line, so later layers have a
// number one lower than ours.
constexpr char kWriteUp003[] =
    R"(----------------------------------------------------------------
        Layer (type)               Output Shape         Param #
================================================================
            Conv2d-1           [-1, 16, 26, 26]             160
              ReLU-2           [-1, 16, 26, 26]               0
       BatchNorm2d-3           [-1, 16, 26, 26]              32
           Dropout-4           [-1, 16, 26, 26]               0
            Conv2d-5           [-1, 20, 24, 24]           2,900
              ReLU-6           [-1, 20, 24, 24]               0
       BatchNorm2d-7           [-1, 20, 24, 24]              40
           Dropout-8           [-1, 20, 24, 24]               0
            Conv2d-9           [-1, 24, 22, 22]           4,344
             ReLU-10           [-1, 24, 22, 22]               0
      BatchNorm2d-11           [-1, 24, 22, 22]              48
        MaxPool2d-12           [-1, 24, 11, 11]               0
           Conv2d-13           [-1, 10, 11, 11]             250
             ReLU-14           [-1, 10, 11, 11]               0
      BatchNorm2d-15           [-1, 10, 11, 11]              20
           Conv2d-16             [-1, 16, 9, 9]           1,456
             ReLU-17             [-1, 16, 9, 9]               0
      BatchNorm2d-18             [-1, 16, 9, 9]              32
          Dropout-19             [-1, 16, 9, 9]               0
           Conv2d-20             [-1, 20, 7, 7]           2,900
             ReLU-21             [-1, 20, 7, 7]               0
      BatchNorm2d-22             [-1, 20, 7, 7]              40
          Dropout-23             [-1, 20, 7, 7]               0
           Conv2d-24             [-1, 24, 5, 5]           4,344
             ReLU-25             [-1, 24, 5, 5]               0
      BatchNorm2d-26             [-1, 24, 5, 5]              48
          Dropout-27             [-1, 24, 5, 5]               0
           Conv2d-28             [-1, 16, 5, 5]             400
             ReLU-29             [-1, 16, 5, 5]               0
      BatchNorm2d-30             [-1, 16, 5, 5]              32
           Linear-31                   [-1, 10]             170
================================================================
Total params: 17,216
Trainable params: 17,216
Non-trainable params: 0
----------------------------------------------------------------
Input size (MB): 0.00
Forward/backward pass size (MB): 1.09
Params size (MB): 0.07
Estimated Total Size (MB): 1.16
----------------------------------------------------------------
)";

TEST(NetworkTable, IsThatOfWriteUp004) {
  std::vector<std::string> ours = TorchPart(NetworkTable(Resolved("cnn-16034"), 0, 0));
  const std::vector<std::string> theirs = LinesOf(kWriteUp004);
  ASSERT_GT(ours.size(), theirs.size());
  ours.resize(theirs.size());
  EXPECT_THAT(ours, ElementsAreArray(theirs));
}

TEST(NetworkTable, IsThatOfWriteUp003ButForItsGlobalPooling) {
  std::vector<std::string> ours = TorchPart(NetworkTable(Resolved("cnn-17216"), 0, 0));
  const std::vector<std::string> theirs = LinesOf(kWriteUp003);
  ASSERT_EQ(ours[33], "AdaptiveAvgPool2d-31             [-1, 16, 1, 1]               0");
  ours.erase(ours.begin() + 33);
  ASSERT_EQ(ours[33], "           Linear-32                   [-1, 10]             170");
  ours[33].replace(ours[33].find("32"), 2, "31");
  ASSERT_GT(ours.size(), theirs.size());
  ours.resize(theirs.size());
  EXPECT_THAT(ours, ElementsAreArray(theirs));
}

// Write-ups 000, 001 and 002 print no table, but state the total, and 000 the receptive field.
TEST(NetworkTable, HasTheSumsThatTheOtherWriteUpsState) {
  EXPECT_THAT(NetworkTable(Resolved("cnn-18718"), 0, 0), HasSubstr("Total params: 18,718\n"));
  EXPECT_THAT(NetworkTable(Resolved("cnn-19046"), 0, 0), HasSubstr("Total params: 19,046\n"));
  EXPECT_THAT(NetworkTable(Resolved("cnn-19750"), 0, 0), HasSubstr("Total params: 19,750\n"));
  for (const char* name : {"cnn-18718", "cnn-19046"}) {
    EXPECT_THAT(NetworkTable(Resolved(name), 0, 0), HasSubstr("Fully connected layer: no\n"));
  }
}

TEST(NetworkTable, ColumnsFitATerminalOf80) {
  const std::string table = NetworkTable(Resolved("cnn-17216"), 0, 80);
  for (const std::string& line : LinesOf(table)) EXPECT_LE(line.size(), 80u) << line;
  EXPECT_THAT(table, HasSubstr("AdaptiveAvgPool2d-31"));
}

TEST(NetworkTable, ABatchStandsInTheShapesAndTheMemory) {
  const Network network = Resolved("cnn-16034");
  EXPECT_THAT(NetworkTable(network, 128, 0), HasSubstr("[128, 8, 28, 28]"));
  EXPECT_NEAR(MemoryOf(network, 128).passes, 128 * MemoryOf(network, 0).passes, 1e-9);
  EXPECT_NEAR(MemoryOf(network, 128).input, 128 * 28 * 28 * 4 / 1048576.0, 1e-9);
  EXPECT_EQ(MemoryOf(network, 128).parameters, MemoryOf(network, 0).parameters);
}

// Computed by hand: an unpadded 3×3 convolution from 1 to 2 channels on 28×28 has 26·26 outputs per
// channel with 9 multiply-adds each; the linear layer has 2·26·26 inputs and 3 outputs.
TEST(NetworkTable, FlopsAndReceptiveFieldAsReckonedByHand) {
  Network network{.name = "small",
                  .layers = {{.kind = LayerKind::kConv, .out = 2, .kernel = 3},
                             {.kind = LayerKind::kLinear, .out = 3}}};
  ASSERT_EQ(InferShapes(&network), "");
  const std::vector<std::string> lines = LinesOf(NetworkTable(network, 0, 0));
  EXPECT_THAT(lines[3], HasSubstr("0.024"));  // 2 × 9 × 2 × 676 = 24,336
  EXPECT_THAT(lines[3], HasSubstr("0.049"));  // forward and the weights' gradient
  EXPECT_TRUE(lines[3].ends_with("     3")) << lines[3];
  EXPECT_THAT(lines[4], HasSubstr("4,059"));  // 1352 × 3 + 3
  EXPECT_THAT(lines[4], HasSubstr("0.008"));  // 2 × 1352 × 3 = 8,112
  EXPECT_TRUE(lines[4].ends_with("    28")) << lines[4];
}

TEST(Settings, AreReadAsASweepFileReadsScalars) {
  std::vector<std::string> warnings;
  const absl::StatusOr<ParameterMap> values =
      ParseSettings({"width=12", "lr=1e-3", "nesterov=true", "schedule=one_cycle", "text=a=b",
                     "quoted=\"yes\"", "single='1_000'"},
                    &warnings);
  ASSERT_TRUE(values.ok()) << values.status();
  EXPECT_TRUE(warnings.empty());
  EXPECT_EQ(values->at("quoted"), Value(std::string("yes")));
  EXPECT_EQ(values->at("single"), Value(std::string("1_000")));
  EXPECT_EQ(values->at("width"), Value(std::int64_t{12}));
  EXPECT_EQ(values->at("lr"), Value(1e-3));
  EXPECT_EQ(values->at("nesterov"), Value(true));
  EXPECT_EQ(values->at("schedule"), Value(std::string("one_cycle")));
  EXPECT_EQ(values->at("text"), Value(std::string("a=b")));
}

TEST(Settings, AreWarnedOfAndRefusedAsInASweepFile) {
  for (const char* text : {"yes", "on", "1_000", "0777", "1,000", "None"}) {
    std::vector<std::string> warnings;
    EXPECT_TRUE(ParseSettings({std::string("a=") + text}, &warnings).ok()) << text;
    ASSERT_EQ(warnings.size(), 1u) << text;
    EXPECT_THAT(warnings[0], HasSubstr(std::string("--set a: '") + text + "' is "));
  }
  for (const char* text : {".inf", ".nan", "12345678901234567890", "~", "null", "(64, 32", "\"a"}) {
    std::vector<std::string> warnings;
    const absl::Status status = ParseSettings({std::string("a=") + text}, &warnings).status();
    EXPECT_THAT(std::string(status.message()), HasSubstr(text));
  }
}

TEST(Settings, WrongOnesAreNamed) {
  std::vector<std::string> warnings;
  for (const char* wrong : {"width", "=3", "width=", ""}) {
    const absl::Status status = ParseSettings({wrong}, &warnings).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << wrong;
    EXPECT_THAT(std::string(status.message()), HasSubstr(std::string("'") + wrong + "'"));
  }
  EXPECT_THAT(std::string(ParseSettings({"a=1", "a=2"}, &warnings).status().message()),
              HasSubstr("--set a: given twice"));
  const absl::Status unknown =
      CheckSettingNames({{"widht", std::int64_t{3}}}, {"width"}, "network x");
  EXPECT_THAT(std::string(unknown.message()), HasSubstr("did you mean 'width'?"));
}

}  // namespace
}  // namespace sweep::cli
