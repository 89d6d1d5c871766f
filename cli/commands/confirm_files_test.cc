#include "cli/commands/confirm_files.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace sweep::cli {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

constexpr char kNetwork[] = "name: own\n";

class ConfirmFilesTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "sweep-confirm-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string File() const { return folder_ / "again.yaml"; }
  std::string Read(const std::string& name) const {
    std::ostringstream text;
    text << std::ifstream(folder_ / name).rdbuf();
    return text.str();
  }
  static SweepSource With(const std::string& network) {
    return {.network_files = {{network, kNetwork}}};
  }
  absl::Status Written(const std::string& network) const {
    return WriteFilesBeside(File(), With(network)).status();
  }

  fs::path folder_;
};

TEST_F(ConfirmFilesTest, OnlyNamesThatLeadOutAreChanged) {
  EXPECT_THAT(NamesInside(File(), With("nets/mine.yaml")), IsEmpty());
  EXPECT_THAT(NamesInside(File(), With("../nets/mine.yaml")),
              ElementsAre(Pair("../nets/mine.yaml", "mine.yaml")));
  EXPECT_THAT(NamesInside(File(), With("../again.yaml")),
              ElementsAre(Pair("../again.yaml", "again-2.yaml")))
      << "the sweep file itself is again.yaml";
  EXPECT_THAT(NamesInside(File(), With("../nets/cnn-18718")),
              ElementsAre(Pair("../nets/cnn-18718", "./cnn-18718")))
      << "cnn-18718 alone would be the built-in network";
}

TEST_F(ConfirmFilesTest, FilesAreWrittenOnceAndNeverReplaced) {
  EXPECT_TRUE(Written("nets/mine.yaml").ok());
  EXPECT_EQ(Read("nets/mine.yaml"), kNetwork);
  EXPECT_TRUE(Written("nets/mine.yaml").ok()) << "it is the same";
  std::ofstream(folder_ / "nets/mine.yaml") << "another";
  EXPECT_EQ(Written("nets/mine.yaml").code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(Read("nets/mine.yaml"), "another");
}

TEST_F(ConfirmFilesTest, TheSweepFileDoesNotTakeThePlaceOfItsOwnNetwork) {
  std::ofstream(folder_ / "again.yaml") << kNetwork;
  const absl::Status refused = Written("again.yaml");
  EXPECT_EQ(refused.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("the place of the sweep's own again.yaml"));
}

TEST_F(ConfirmFilesTest, NothingHiddenAndNothingBehindALinkIsWritten) {
  for (const char* const name : {".profile", ".config/start.yaml", "nets/.hidden.yaml"}) {
    EXPECT_EQ(Written(name).code(), absl::StatusCode::kInvalidArgument) << name;
    EXPECT_FALSE(fs::exists(folder_ / name)) << name;
  }
  fs::create_directory(folder_ / "elsewhere");
  fs::create_directory(folder_ / "sweeps");
  fs::create_directory_symlink("../elsewhere", folder_ / "sweeps/nets");
  EXPECT_EQ(WriteFilesBeside(folder_ / "sweeps/again.yaml", With("nets/mine.yaml")).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(fs::is_empty(folder_ / "elsewhere"));
}

TEST_F(ConfirmFilesTest, NothingLiesBesideADevice) {
  EXPECT_FALSE(HasFolder("/dev/stdout"));
  EXPECT_FALSE(HasFolder("/proc/self/fd/1"));
  EXPECT_TRUE(HasFolder(File()));
}

}  // namespace
}  // namespace sweep::cli
