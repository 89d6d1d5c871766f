// Reads sweep files from disk, including the examples.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "common/spec/testing/sweep_testing.h"

namespace sweep {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class SourceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = std::filesystem::temp_directory_path() / "sweep_spec_XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string Write(const std::string& name, const std::string& text) {
    const std::filesystem::path path = folder_ / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
    return path.string();
  }
  std::string LoadComplaints(const std::string& path) {
    Diagnostics diagnostics;
    const absl::StatusOr<SweepSource> source = LoadSweepSource(path, &diagnostics);
    EXPECT_EQ(source.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(source.status().message(), FormatDiagnostics(diagnostics));
    return FormatDiagnostics(diagnostics);
  }

  std::filesystem::path folder_;
};

TEST_F(SourceTest, NetworkFilesAreFoundBesideTheSweepFile) {
  Write("nets/widths.yaml", kWidthsNetwork);
  const std::string absolute = Write("own.yaml", kWidthsNetwork);
  const std::string path =
      Write("s.yaml", "name: s\nmodel: {values: [cnn-18718, nets/widths.yaml, " + absolute +
                          "]}\nmethod: grid\n");
  Diagnostics diagnostics;
  const absl::StatusOr<SweepSource> source = LoadSweepSource(path, &diagnostics);
  ASSERT_TRUE(source.ok()) << source.status();
  EXPECT_EQ(source->file, path);
  EXPECT_THAT(source->network_files, ElementsAre(std::pair(absolute, kWidthsNetwork),
                                                 std::pair("nets/widths.yaml", kWidthsNetwork)))
      << "by the names that the sweep file uses; what is built in does not travel";
  const absl::StatusOr<SweepSpec> spec = SweepSpec::Parse(*source, &diagnostics);
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_EQ(spec->points, 3);
  EXPECT_EQ(spec->networks.at("nets/widths.yaml").file(), (folder_ / "nets/widths.yaml").string());
}

TEST_F(SourceTest, FilesThatCannotBeReadAreNamed) {
  const std::string missing = (folder_ / "none.yaml").string();
  EXPECT_EQ(LoadComplaints(missing), missing + ": no such file");
  EXPECT_EQ(LoadComplaints(folder_.string()), folder_.string() + ": is a folder, not a file");
  const std::string big = Write("big.yaml", std::string((1 << 20) + 1, '#'));
  EXPECT_EQ(LoadComplaints(big), big + ": is larger than 1048576 bytes");
  const std::string below = Write("file", "") + "/s.yaml";
  EXPECT_THAT(LoadComplaints(below), HasSubstr(below + ": "));
}

TEST_F(SourceTest, AMissingNetworkFileIsNamedTogetherWithTheOtherErrors) {
  const std::string path =
      Write("s.yaml", "name: s\nmodel: nets/none.yaml\nrun_cap: 0\nparameters: {momentun: 0.9}\n");
  EXPECT_THAT(LoadComplaints(path),
              AllOf(HasSubstr("nets/none.yaml: no such file (named by 'model' in " + path + ")"),
                    HasSubstr(path + ":3: 'run_cap'"),
                    HasSubstr(path + ":4: parameter 'momentun' is no hyperparameter; did you mean "
                                     "'momentum'?")));
  EXPECT_THAT(LoadComplaints(Write("t.yaml", "name: s\nmodel: nets/none.yaml\nrun_cap: 1\n")),
              HasSubstr("no such file"))
      << "also when nothing else is wrong";
}

TEST_F(SourceTest, NoLinkToANetworkLeadsOutOfTheFolder) {
  const std::string outside = Write("outside.yaml", kWidthsNetwork);
  const std::string path =
      Write("sweep/s.yaml", "name: s\nmodel: own.yaml\nrun_cap: 1\nparameters: {lr: 0.1}\n");
  std::filesystem::create_symlink(outside, folder_ / "sweep/own.yaml");
  EXPECT_THAT(LoadComplaints(path), AllOf(HasSubstr("sweep/own.yaml: is or lies behind a link to "),
                                          HasSubstr("/outside.yaml, outside of the folder ")));
  std::filesystem::remove(folder_ / "sweep/own.yaml");
  Write("sweep/nets/real.yaml", kWidthsNetwork);
  std::filesystem::create_symlink("nets/real.yaml", folder_ / "sweep/own.yaml");
  Diagnostics diagnostics;
  EXPECT_TRUE(LoadSweepSource(path, &diagnostics).ok()) << FormatDiagnostics(diagnostics);
}

TEST_F(SourceTest, ANetworkThatIsAPipeIsNotWaitedFor) {
  const std::string path = Write("s.yaml", "name: s\nmodel: pipe.yaml\nrun_cap: 1\n");
  ASSERT_EQ(mkfifo((folder_ / "pipe.yaml").c_str(), 0600), 0);
  EXPECT_THAT(LoadComplaints(path), HasSubstr("pipe.yaml: is a pipe, not a file"));
}

TEST_F(SourceTest, AWrongNetworkFileIsNamedByItsOwnLine) {
  Write("bad.yaml", "name: bad\nlayers:\n  - conf: 3\n");
  const std::string path = Write("s.yaml", "name: s\nmodel: bad.yaml\nrun_cap: 1\n");
  Diagnostics diagnostics;
  const absl::StatusOr<SweepSource> source = LoadSweepSource(path, &diagnostics);
  ASSERT_TRUE(source.ok()) << "the texts are there; what they say is looked at by Parse";
  EXPECT_FALSE(SweepSpec::Parse(*source, &diagnostics).ok());
  EXPECT_THAT(FormatDiagnostics(diagnostics),
              AllOf(HasSubstr((folder_ / "bad.yaml").string() + ":3: "), HasSubstr("'conv'")));
}

TEST(Examples, AllAreGood) {
  const std::filesystem::path folder = std::filesystem::path(SWEEP_SOURCE_DIR) / "examples";
  int sweeps = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string path = entry.path().string();
    if (entry.path().extension() != ".yaml" || path.ends_with("-net.yaml")) continue;
    Diagnostics diagnostics;
    const absl::StatusOr<SweepSource> source = LoadSweepSource(path, &diagnostics);
    ASSERT_TRUE(source.ok()) << source.status();
    EXPECT_TRUE(source->text.starts_with("# ")) << path << " says what it shows";
    const absl::StatusOr<SweepSpec> spec = SweepSpec::Parse(*source, &diagnostics);
    ASSERT_TRUE(spec.ok()) << FormatDiagnostics(diagnostics);
    EXPECT_EQ(spec->name, entry.path().stem().string()) << "the sweep is called as its file";
    EXPECT_GT(spec->PlannedConfigurations(), 1);
    EXPECT_FALSE(spec->require.empty()) << path;
    ++sweeps;
  }
  EXPECT_GE(sweeps, 9);
}

}  // namespace
}  // namespace sweep
