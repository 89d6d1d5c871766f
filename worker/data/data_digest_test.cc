#include "worker/data/data_digest.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "common/base/sha256.h"
#include "worker/data/testing/data_testing.h"

namespace sweep {
namespace {

using sweep::testing::DataErrorOf;
using sweep::testing::Gzip;
using sweep::testing::IdxImages;
using sweep::testing::IdxLabels;
using sweep::testing::TemporaryFolder;
using sweep::testing::WriteFile;
using ::testing::HasSubstr;

const DatasetSpec kIdx{.name = "idx", .path = "unused"};

class DataDigestTest : public ::testing::Test {
 protected:
  DataDigestTest() {
    WriteFile(folder_ / "train-images-idx3-ubyte", IdxImages(3, 4, 4));
    WriteFile(folder_ / "train-labels-idx1-ubyte", IdxLabels({0, 1, 2}));
    WriteFile(folder_ / "t10k-images-idx3-ubyte", IdxImages(2, 4, 4));
    WriteFile(folder_ / "t10k-labels-idx1-ubyte", IdxLabels({1, 0}));
  }
  std::string Digest() const { return DataDigest(kIdx, folder_.path()); }
  void Replace(const std::string& name, const std::string& as, const std::string& bytes) {
    std::filesystem::remove(folder_ / name);
    WriteFile(folder_ / as, bytes);
  }
  // Sets a file's times, as if it had been there for a while.
  void SetTimes(const std::string& name, const timespec& time) {
    const timespec times[] = {time, time};
    ASSERT_EQ(utimensat(AT_FDCWD, (folder_ / name).c_str(), times, 0), 0);
  }

  const TemporaryFolder folder_;
};

TEST_F(DataDigestTest, IsThatOfWhatSha256sumPrints) {
  const std::string lines = Sha256Hex(IdxImages(3, 4, 4)) + "  train-images-idx3-ubyte\n" +
                            Sha256Hex(IdxLabels({0, 1, 2})) + "  train-labels-idx1-ubyte\n" +
                            Sha256Hex(IdxImages(2, 4, 4)) + "  t10k-images-idx3-ubyte\n" +
                            Sha256Hex(IdxLabels({1, 0})) + "  t10k-labels-idx1-ubyte\n";
  EXPECT_EQ(Digest(), Sha256Hex(lines));
}

TEST_F(DataDigestTest, IsThatOfTheLoadedData) {
  EXPECT_EQ(LoadDataset(kIdx, folder_.path()).digest, Digest());
  const DatasetSpec few{.name = "synthetic", .train_size = 20, .test_size = 10};
  EXPECT_EQ(LoadDataset(few, "").digest, DataDigest(few, ""));
}

TEST_F(DataDigestTest, DoesNotCountCompressionAndSpelling) {
  const std::string plain = Digest();
  Replace("train-images-idx3-ubyte", "train-images-idx3-ubyte.gz", Gzip(IdxImages(3, 4, 4)));
  Replace("t10k-labels-idx1-ubyte", "t10k-labels.idx1-ubyte", IdxLabels({1, 0}));
  EXPECT_EQ(Digest(), plain);
}

TEST_F(DataDigestTest, CountsEveryFile) {
  const std::string before = Digest();
  Replace("t10k-labels-idx1-ubyte", "t10k-labels-idx1-ubyte", IdxLabels({0, 1}));
  const std::string labels = Digest();
  EXPECT_NE(labels, before);
  Replace("train-images-idx3-ubyte", "train-images-idx3-ubyte", IdxImages(3, 2, 8));
  EXPECT_NE(Digest(), labels) << "the same bytes in another shape";
}

TEST_F(DataDigestTest, OfDrawnDigitsTellsHowManyAndOfNoneIsEmpty) {
  const std::string usual = DataDigest({.name = "synthetic"}, "");
  EXPECT_TRUE(IsSha256Hex(usual));
  EXPECT_EQ(DataDigest({.name = "synthetic", .train_size = 4096, .test_size = 1000}, ""), usual);
  EXPECT_NE(DataDigest({.name = "synthetic", .train_size = 512}, ""), usual);
  EXPECT_EQ(DataDigest({.name = "none"}, ""), "");
}

TEST_F(DataDigestTest, NamesWhatIsMissing) {
  std::filesystem::remove(folder_ / "t10k-images-idx3-ubyte");
  EXPECT_THAT(DataErrorOf([&] { Digest(); }), HasSubstr("lacks t10k-images-idx3-ubyte"));
}

TEST_F(DataDigestTest, AStampTellsAReplacedFileOfTheSameSizeAndTime) {
  const DataStamp before = DataStamp::Take(kIdx, folder_.path());
  EXPECT_EQ(DataStamp::Take(kIdx, folder_.path()), before);
  EXPECT_FALSE(before.settled()) << "it was written a moment ago";
  const timespec old{.tv_sec = 1'000'000'000, .tv_nsec = 5};
  SetTimes("t10k-labels-idx1-ubyte", old);
  const DataStamp aged = DataStamp::Take(kIdx, folder_.path());
  EXPECT_FALSE(aged.settled()) << "the inode was changed a moment ago, whatever its time says";
  Replace("t10k-labels-idx1-ubyte", "t10k-labels-idx1-ubyte", IdxLabels({0, 1}));
  SetTimes("t10k-labels-idx1-ubyte", old);
  EXPECT_FALSE(DataStamp::Take(kIdx, folder_.path()) == aged);
  EXPECT_TRUE(DataStamp::Take({.name = "synthetic"}, "").settled());
}

}  // namespace
}  // namespace sweep
