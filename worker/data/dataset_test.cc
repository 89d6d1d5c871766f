#include "worker/data/dataset.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cmath>
#include <filesystem>
#include <set>
#include <stdexcept>

#include "worker/data/download.h"
#include "worker/data/idx.h"
#include "worker/data/mnist.h"
#include "worker/data/testing/data_testing.h"

namespace sweep {
namespace {

namespace fs = std::filesystem;
using sweep::testing::DataErrorOf;
using sweep::testing::Gzip;
using sweep::testing::IdxImages;
using sweep::testing::IdxLabels;
using sweep::testing::ReadFile;
using sweep::testing::ScopedVariable;
using sweep::testing::TemporaryFolder;
using sweep::testing::WriteFile;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

// Four files that are well-formed but not MNIST.
void WriteSmallSet(const std::string& folder) {
  fs::create_directories(folder);
  WriteFile(folder + "/train-images-idx3-ubyte", IdxImages(6, 5, 4));
  WriteFile(folder + "/train-labels-idx1-ubyte.gz", Gzip(IdxLabels({0, 1, 2, 0, 1, 2})));
  WriteFile(folder + "/t10k-images.idx3-ubyte.gz", Gzip(IdxImages(3, 5, 4)));
  WriteFile(folder + "/t10k-labels.idx1-ubyte", IdxLabels({0, 3, 1}));
}

// Runs each test with an empty cache and without the caller's data folder.
class DatasetTest : public ::testing::Test {
 protected:
  // The folder of the real files, or "".
  static std::string RealMnist() {
    const char* folder = std::getenv("SWEEP_DATA_DIR");
    return folder && *folder ? EnsureMnist({.data_dir = folder}) : "";
  }
  std::string Cache() const { return folder_ / "cache/sweep/mnist"; }

  TemporaryFolder folder_;
  const std::string real_ = RealMnist();
  const ScopedVariable data_dir_{"SWEEP_DATA_DIR", std::nullopt};
  const ScopedVariable cache_{"XDG_CACHE_HOME", folder_ / "cache"};
  const ScopedVariable url_{"SWEEP_MNIST_URL", "file://" + folder_.path() + "/mirror"};
};

TEST_F(DatasetTest, AnIdxFolderIsLoadedWhateverItsFilesSpelling) {
  WriteSmallSet(folder_ / "set");
  const DatasetSpec spec{.name = "idx", .path = folder_ / "set"};
  const Dataset data = LoadDataset(spec, EnsureDataset(spec, {}));
  EXPECT_EQ(data.train.count, 6);
  EXPECT_EQ(data.train.height, 5);
  EXPECT_EQ(data.train.width, 4);
  EXPECT_EQ(data.train.pixels.size(), 120u);
  EXPECT_EQ(data.test.count, 3);
  EXPECT_EQ(data.classes, 4);  // a test image has the largest label
}

TEST_F(DatasetTest, AnIdxFolderIsNamedAbsolutely) {
  WriteSmallSet(folder_ / "set");
  const DatasetSpec spec{.name = "idx", .path = fs::relative(folder_ / "set").string()};
  const std::string ensured = EnsureDataset(spec, {});
  EXPECT_TRUE(fs::path(ensured).is_absolute());
  EXPECT_TRUE(fs::equivalent(ensured, folder_ / "set"));
}

TEST_F(DatasetTest, SizesKeepTheFirstImages) {
  WriteSmallSet(folder_ / "set");
  const DatasetSpec spec{.name = "idx", .path = folder_ / "set", .train_size = 4, .test_size = 1};
  const Dataset data = LoadDataset(spec, "");
  EXPECT_EQ(data.train.count, 4);
  EXPECT_EQ(data.train.pixels.size(), 80u);
  EXPECT_EQ(data.train.pixels[79], 79);
  EXPECT_THAT(data.train.labels, ElementsAre(0, 1, 2, 0));
  EXPECT_THAT(data.test.labels, ElementsAre(0));
  EXPECT_EQ(data.classes, 4);  // images that are left out count as well
}

TEST_F(DatasetTest, SizesBeyondTheImagesAreRefused) {
  WriteSmallSet(folder_ / "set");
  DatasetSpec spec{.name = "idx", .path = folder_ / "set", .train_size = 7};
  EXPECT_THAT(DataErrorOf([&] { LoadDataset(spec, ""); }),
              HasSubstr("train is 7, but there are 6 images"));
  spec.train_size = 0;
  spec.test_size = -1;
  EXPECT_THAT(DataErrorOf([&] { LoadDataset(spec, ""); }), HasSubstr("test is -1"));
}

TEST_F(DatasetTest, TrainingAndTestImagesMustHaveOneSize) {
  WriteSmallSet(folder_ / "set");
  WriteFile(folder_ / "set/t10k-images.idx3-ubyte.gz", IdxImages(3, 4, 5));
  const DatasetSpec spec{.name = "idx", .path = folder_ / "set"};
  EXPECT_THAT(DataErrorOf([&] { LoadDataset(spec, ""); }),
              AllOf(HasSubstr("5 × 4"), HasSubstr("4 × 5")));
}

TEST_F(DatasetTest, WhatAnIdxFolderLacksIsNamed) {
  WriteSmallSet(folder_ / "set");
  fs::remove(folder_ / "set/train-labels-idx1-ubyte.gz");
  const DatasetSpec spec{.name = "idx", .path = folder_ / "set"};
  const auto complaint = AllOf(HasSubstr(folder_ / "set"), HasSubstr("train-labels-idx1-ubyte"),
                               Not(HasSubstr("train-images")));
  EXPECT_THAT(DataErrorOf([&] { EnsureDataset(spec, {}); }), complaint);
  EXPECT_THAT(DataErrorOf([&] { LoadDataset(spec, ""); }), complaint);
  EXPECT_THAT(DataErrorOf([] { EnsureDataset({.name = "idx"}, {}); }), HasSubstr("path"));
}

TEST_F(DatasetTest, AnUnknownNameIsRefused) {
  EXPECT_THAT(DataErrorOf([] { EnsureDataset({.name = "cifar"}, {}); }), HasSubstr("'cifar'"));
  EXPECT_THAT(DataErrorOf([] { LoadDataset({.name = "cifar"}, ""); }), HasSubstr("'cifar'"));
}

TEST_F(DatasetTest, SyntheticNeedsNoFilesAndItsPartsDiffer) {
  EXPECT_EQ(EnsureDataset({.name = "synthetic"}, {}), "");
  const Dataset usual = LoadDataset({.name = "synthetic"}, "");
  EXPECT_EQ(usual.train.count, 4096);
  EXPECT_EQ(usual.test.count, 1000);
  const Dataset sized = LoadDataset({.name = "synthetic", .train_size = 50, .test_size = 50}, "");
  EXPECT_EQ(sized.train.count, 50);
  EXPECT_NE(sized.train.pixels, sized.test.pixels);
}

TEST_F(DatasetTest, FilesThatAreNotMnistAreRefusedWithBothDigests) {
  WriteSmallSet(folder_ / "set");
  const std::string found = EnsureDataset({.name = "mnist"}, {.data_dir = folder_ / "set"});
  EXPECT_THAT(DataErrorOf([&] { LoadDataset({.name = "mnist"}, found); }),
              AllOf(StartsWith(folder_ / "set/train-images-idx3-ubyte"),
                    HasSubstr("expected SHA-256 ba891046e6505d7a"), HasSubstr("47040016 bytes"),
                    HasSubstr("found "), HasSubstr("136 bytes")));
}

TEST_F(DatasetTest, TheNamedFolderComesFirstThenTheVariableThenTheCache) {
  WriteSmallSet(Cache());
  EXPECT_EQ(EnsureMnist({}), Cache());
  WriteSmallSet(folder_ / "variable");
  const ScopedVariable variable("SWEEP_DATA_DIR", folder_ / "variable");
  EXPECT_EQ(EnsureMnist({}), folder_ / "variable");
  WriteSmallSet(folder_ / "option");
  EXPECT_EQ(EnsureMnist({.data_dir = folder_ / "option"}), folder_ / "option");
}

TEST_F(DatasetTest, AnEmptyVariableIsNoVariable) {
  WriteSmallSet(Cache());
  const ScopedVariable variable("SWEEP_DATA_DIR", "");
  EXPECT_EQ(EnsureMnist({}), Cache());
}

TEST_F(DatasetTest, TheCacheIsBelowHomeWithoutXdg) {
  const ScopedVariable xdg("XDG_CACHE_HOME", std::nullopt);
  const ScopedVariable home("HOME", folder_.path());
  WriteSmallSet(folder_ / ".cache/sweep/mnist");
  EXPECT_EQ(EnsureMnist({}), folder_ / ".cache/sweep/mnist");
}

TEST_F(DatasetTest, AParentOfAFolderMnistWillDo) {
  WriteSmallSet(folder_ / "data/mnist");
  EXPECT_EQ(EnsureMnist({.data_dir = folder_ / "data"}), folder_ / "data/mnist");
  const ScopedVariable variable("SWEEP_DATA_DIR", folder_ / "data");
  EXPECT_EQ(EnsureMnist({}), folder_ / "data/mnist");
}

TEST_F(DatasetTest, ANamedFolderThatLacksFilesIsNoReasonToLookElsewhere) {
  WriteSmallSet(Cache());
  WriteSmallSet(folder_ / "set");
  fs::remove(folder_ / "set/t10k-labels.idx1-ubyte");
  const auto complaint = AllOf(HasSubstr(folder_ / "set"), HasSubstr("t10k-labels-idx1-ubyte"),
                               Not(HasSubstr("t10k-images")));
  EXPECT_THAT(DataErrorOf([&] { EnsureMnist({.data_dir = folder_ / "set"}); }),
              AllOf(StartsWith("--data-dir"), complaint));
  const ScopedVariable variable("SWEEP_DATA_DIR", folder_ / "set");
  EXPECT_THAT(DataErrorOf([] { EnsureMnist({}); }), AllOf(StartsWith("SWEEP_DATA_DIR"), complaint));
  EXPECT_THAT(DataErrorOf([&] { EnsureMnist({.data_dir = folder_ / "nowhere"}); }),
              AllOf(HasSubstr(folder_ / "nowhere"), HasSubstr("not a folder")));
}

TEST_F(DatasetTest, WithoutDownloadingTheAdviceIsGiven) {
  EXPECT_THAT(DataErrorOf([] { EnsureMnist({.allow_download = false}); }),
              AllOf(HasSubstr(Cache()), HasSubstr("switched off"), HasSubstr("--data-dir"),
                    HasSubstr("dataset: synthetic")));
  EXPECT_FALSE(fs::exists(Cache()));
}

class DownloadedDatasetTest : public DatasetTest {
 protected:
  void SetUp() override {
    if (!CanDownload()) GTEST_SKIP() << "this build cannot download";
    fs::create_directories(folder_ / "mirror");
  }
  // Copies the real files to the mirror; false when there are none.
  bool FillMirror() {
    if (real_.empty()) return false;
    for (const MnistFile& file : kMnistFiles) {
      fs::copy_file(FindIdxFile(real_, file.name),
                    folder_ / ("mirror/" + std::string(file.name) + ".gz"));
    }
    return true;
  }
  // The names of the files in the cache.
  std::set<std::string> CacheContent() {
    std::set<std::string> names;
    for (const auto& entry : fs::directory_iterator(Cache())) {
      names.insert(entry.path().filename().string());
    }
    return names;
  }
};

TEST_F(DownloadedDatasetTest, AMirrorThatLacksTheFileIsNamedWithItsReason) {
  EXPECT_THAT(DataErrorOf([] { EnsureMnist({}); }),
              AllOf(HasSubstr("file://" + folder_.path() +
                              "/mirror/train-images-idx3-ubyte.gz: Couldn't open file"),
                    HasSubstr("--data-dir"), HasSubstr("dataset: synthetic")));
  EXPECT_THAT(CacheContent(), ElementsAre("lock"));
}

TEST_F(DownloadedDatasetTest, AMirrorThatServesSomethingElseLeavesNothingBehind) {
  WriteFile(folder_ / "mirror/train-images-idx3-ubyte.gz", Gzip(IdxImages(5, 28, 28)));
  EXPECT_THAT(DataErrorOf([] { EnsureMnist({}); }),
              AllOf(HasSubstr("train-images-idx3-ubyte.gz: "), HasSubstr("expected SHA-256 ba89"),
                    HasSubstr("3936 bytes")));
  EXPECT_THAT(CacheContent(), ElementsAre("lock"));

  WriteFile(folder_ / "mirror/train-images-idx3-ubyte.gz", "<html>please log in</html>");
  EXPECT_THAT(DataErrorOf([] { EnsureMnist({}); }), HasSubstr("not an IDX file"));
  EXPECT_THAT(CacheContent(), ElementsAre("lock"));
}

TEST_F(DownloadedDatasetTest, ACacheThatCannotBeMadeIsNamed) {
  WriteFile(folder_ / "cache", "a file in the way");
  EXPECT_THAT(DataErrorOf([] { EnsureMnist({}); }), HasSubstr("cannot create " + Cache()));
}

TEST_F(DownloadedDatasetTest, NoHomeAndNoCacheIsSaid) {
  const ScopedVariable xdg("XDG_CACHE_HOME", std::nullopt);
  const ScopedVariable home("HOME", std::nullopt);
  EXPECT_THAT(DataErrorOf([] { EnsureMnist({}); }), HasSubstr("neither XDG_CACHE_HOME nor HOME"));
}

TEST_F(DownloadedDatasetTest, FetchesTheFourFilesOnce) {
  if (!FillMirror()) GTEST_SKIP() << "SWEEP_DATA_DIR does not name MNIST";
  std::set<std::string> shown;
  const auto progress = [&](std::string_view file, std::int64_t, std::int64_t) {
    shown.insert(std::string(file));
  };
  EXPECT_EQ(EnsureMnist({.progress = progress}), Cache());
  EXPECT_EQ(shown.size(), 4u);
  EXPECT_EQ(CacheContent().size(), 5u);  // the four and the lock
  EXPECT_EQ(LoadDataset({.name = "mnist"}, Cache()).train.count, 60000);

  shown.clear();
  fs::remove_all(folder_ / "mirror");
  EXPECT_EQ(EnsureMnist({.progress = progress}), Cache());
  EXPECT_TRUE(shown.empty());
}

TEST_F(DownloadedDatasetTest, OnlyWhatIsMissingIsFetched) {
  if (!FillMirror()) GTEST_SKIP() << "SWEEP_DATA_DIR does not name MNIST";
  EnsureMnist({});
  fs::remove(Cache() + "/t10k-labels-idx1-ubyte.gz");
  std::set<std::string> shown;
  EnsureMnist({.progress = [&](std::string_view file, std::int64_t, std::int64_t) {
    shown.insert(std::string(file));
  }});
  EXPECT_THAT(shown, ElementsAre("t10k-labels-idx1-ubyte.gz"));
}

TEST_F(DownloadedDatasetTest, GivingUpLeavesNoHalfFile) {
  if (!FillMirror()) GTEST_SKIP() << "SWEEP_DATA_DIR does not name MNIST";
  const auto give_up = [](std::string_view, std::int64_t, std::int64_t) {
    throw std::runtime_error("interrupted");
  };
  EXPECT_THROW(EnsureMnist({.progress = give_up}), std::runtime_error);
  EXPECT_THAT(CacheContent(), ElementsAre("lock"));
}

TEST_F(DownloadedDatasetTest, ProcessesAtOnceFetchEachFileOnce) {
  if (!FillMirror()) GTEST_SKIP() << "SWEEP_DATA_DIR does not name MNIST";
  std::array<pid_t, 3> children;
  for (pid_t& child : children) {
    child = fork();
    if (child != 0) continue;
    // The exit status is the number of files that this process fetched.
    std::set<std::string> shown;
    try {
      EnsureMnist({.progress = [&](std::string_view file, std::int64_t, std::int64_t) {
        shown.insert(std::string(file));
      }});
    } catch (...) {
      _exit(100);
    }
    _exit(static_cast<int>(shown.size()));
  }
  int fetched = 0;
  for (pid_t child : children) {
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status));
    fetched += WEXITSTATUS(status);
  }
  EXPECT_EQ(fetched, 4);
  EXPECT_EQ(LoadDataset({.name = "mnist"}, Cache()).test.count, 10000);
}

class RealMnistTest : public DatasetTest {
 protected:
  void SetUp() override {
    if (real_.empty()) GTEST_SKIP() << "SWEEP_DATA_DIR does not name MNIST";
  }
};

TEST_F(RealMnistTest, IsMnist) {
  const Dataset data = LoadDataset({.name = "mnist"}, real_);
  ASSERT_EQ(data.train.count, 60000);
  ASSERT_EQ(data.test.count, 10000);
  EXPECT_EQ(data.train.height, 28);
  EXPECT_EQ(data.train.width, 28);
  EXPECT_EQ(data.classes, 10);
  const std::vector<std::uint8_t>& labels = data.train.labels;
  EXPECT_THAT(std::vector(labels.begin(), labels.begin() + 5), ElementsAre(5, 0, 4, 1, 9));
  std::array<int, 10> histogram{};
  for (std::uint8_t label : labels) ++histogram.at(label);
  EXPECT_THAT(histogram, ElementsAre(5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949));
  double sum = 0, squares = 0;
  for (std::uint8_t pixel : data.train.pixels) {
    sum += pixel;
    squares += pixel * pixel;
  }
  const double mean = sum / data.train.pixels.size();
  EXPECT_NEAR(mean / 255, 0.1307, 5e-5);
  EXPECT_NEAR(std::sqrt(squares / data.train.pixels.size() - mean * mean) / 255, 0.3081, 5e-5);
}

TEST_F(RealMnistTest, OneFlippedBitIsNoticed) {
  for (const MnistFile& file : kMnistFiles) {
    fs::copy_file(FindIdxFile(real_, file.name), folder_ / std::string(file.name));
  }
  EXPECT_EQ(LoadDataset({.name = "mnist", .train_size = 10}, folder_.path()).train.count, 10);
  const std::string path = folder_ / "t10k-labels-idx1-ubyte";
  const IdxArray labels = ReadIdxArray(path, 1);
  std::vector<std::uint8_t> damaged = labels.elements;
  damaged[1234] ^= 1;
  WriteFile(path, IdxLabels(damaged));
  EXPECT_THAT(DataErrorOf([&] { LoadDataset({.name = "mnist"}, folder_.path()); }),
              AllOf(StartsWith(path), HasSubstr("expected SHA-256 ff7bcfd4"),
                    HasSubstr("(10008 bytes uncompressed), found")));
}

}  // namespace
}  // namespace sweep
