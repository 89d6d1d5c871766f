#include "worker/data/idx.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/sha256.h"
#include "worker/data/testing/data_testing.h"

namespace sweep {
namespace {

using sweep::testing::DataErrorOf;
using sweep::testing::Gzip;
using sweep::testing::IdxHeader;
using sweep::testing::IdxImages;
using sweep::testing::IdxLabels;
using sweep::testing::TemporaryFolder;
using sweep::testing::WriteFile;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class IdxTest : public ::testing::Test {
 protected:
  // The error from reading a file of these bytes as `rank` dimensions.
  std::string Complaint(std::string_view bytes, int rank = 3) {
    WriteFile(path_, bytes);
    return DataErrorOf([&] { ReadIdxArray(path_, rank); });
  }

  TemporaryFolder folder_;
  std::string path_ = folder_ / "file";
};

TEST_F(IdxTest, ReadsPlainAndGzipAlike) {
  const std::string bytes = IdxImages(3, 4, 5);
  for (const std::string& content : {bytes, Gzip(bytes)}) {
    WriteFile(path_, content);
    const IdxArray array = ReadIdxArray(path_, 3, Digest::kSha256);
    EXPECT_THAT(array.dimensions, ElementsAre(3, 4, 5));
    EXPECT_EQ(std::string(array.elements.begin(), array.elements.end()), bytes.substr(16));
    EXPECT_EQ(array.size_bytes, 16 + 60);
    EXPECT_EQ(array.sha256, Sha256Hex(bytes));
  }
}

TEST_F(IdxTest, ReadsFilesLargerThanItsBuffersInBothForms) {
  const std::string bytes = IdxImages(600, 200, 200);  // 24 MB: several chunks and steps
  for (const std::string& content : {bytes, Gzip(bytes)}) {
    WriteFile(path_, content);
    EXPECT_EQ(ReadIdxArray(path_, 3, Digest::kSha256).sha256, Sha256Hex(bytes));
  }
}

TEST_F(IdxTest, ReadsConcatenatedGzipMembers) {
  const std::string bytes = IdxLabels({1, 2, 3, 4});
  WriteFile(path_, Gzip(bytes.substr(0, 9)) + Gzip(bytes.substr(9)));
  EXPECT_THAT(ReadIdxArray(path_, 1).elements, ElementsAre(1, 2, 3, 4));
}

TEST_F(IdxTest, NamesAFileThatIsMissing) {
  EXPECT_THAT(DataErrorOf([&] { ReadIdxArray(path_, 1); }),
              AllOf(HasSubstr(path_), HasSubstr("no such file")));
}

TEST_F(IdxTest, RefusesAFolder) {
  EXPECT_THAT(DataErrorOf([&] { ReadIdxArray(folder_.path(), 1); }),
              AllOf(HasSubstr(folder_.path()), HasSubstr("is a folder")));
}

TEST_F(IdxTest, EveryTruncationOfAPlainFileIsRefused) {
  const std::string bytes = IdxImages(2, 3, 3);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_THAT(Complaint(bytes.substr(0, size)), AllOf(HasSubstr(path_), HasSubstr("truncated")))
        << size;
  }
  EXPECT_THAT(Complaint(bytes.substr(0, 20)), HasSubstr("2 × 3 × 3 = 18 bytes, found 4"));
}

TEST_F(IdxTest, EveryTruncationOfAGzipFileIsRefused) {
  const std::string bytes = Gzip(IdxImages(20, 9, 9));
  for (std::size_t size = 2; size < bytes.size(); ++size) {
    EXPECT_THAT(Complaint(bytes.substr(0, size)),
                AllOf(HasSubstr(path_), HasSubstr("truncated: the file ends within its gzip")))
        << size;
  }
}

TEST_F(IdxTest, ADamagedGzipChecksumIsRefused) {
  std::string bytes = Gzip(IdxImages(20, 9, 9));
  bytes[bytes.size() - 7] ^= 1;  // within the CRC-32
  EXPECT_THAT(Complaint(bytes), AllOf(HasSubstr(path_), HasSubstr("damaged gzip stream"),
                                      HasSubstr("incorrect data check")));
}

TEST_F(IdxTest, NoFlippedBitOfAGzipFileGivesOtherContent) {
  const std::string content = IdxImages(3, 5, 5);
  const std::string good = Gzip(content);
  for (std::size_t bit = 0; bit < 8 * good.size(); ++bit) {
    std::string bytes = good;
    bytes[bit / 8] ^= static_cast<char>(1 << bit % 8);
    WriteFile(path_, bytes);
    try {
      // A few bits have no effect, such as the time in the header and padding.
      EXPECT_EQ(ReadIdxArray(path_, 3, Digest::kSha256).sha256, Sha256Hex(content)) << bit;
    } catch (const DataError& error) {
      EXPECT_THAT(error.what(), HasSubstr(path_)) << bit;
    }
  }
}

TEST_F(IdxTest, BytesAfterTheEndAreRefused) {
  const std::string bytes = IdxImages(2, 3, 3);
  EXPECT_THAT(Complaint(bytes + "x"),
              AllOf(HasSubstr(path_), HasSubstr("too long"), HasSubstr("2 × 3 × 3 = 18 bytes")));
  EXPECT_THAT(Complaint(Gzip(bytes + "x")), HasSubstr("too long"));
  EXPECT_THAT(Complaint(Gzip(bytes) + "x"), HasSubstr(path_));
}

TEST_F(IdxTest, AnotherFormIsRefusedWithBothMagics) {
  EXPECT_THAT(Complaint(IdxLabels({1, 2})), AllOf(HasSubstr("expected to start with 00 00 08 03"),
                                                  HasSubstr("found 00 00 08 01")));
  EXPECT_THAT(Complaint("<html>not found</html>"), HasSubstr("found 3c 68 74 6d"));
  std::string of_floats = IdxImages(1, 2, 2);
  of_floats[2] = 0x0D;
  EXPECT_THAT(Complaint(of_floats), HasSubstr("found 00 00 0d 03"));
}

TEST_F(IdxTest, AnEmptyArrayIsRefused) {
  EXPECT_THAT(Complaint(IdxHeader({0, 28, 28})), HasSubstr("empty: its header says 0 × 28 × 28"));
  EXPECT_THAT(Complaint(IdxHeader({0}), 1), HasSubstr("empty"));
}

TEST_F(IdxTest, AnAbsurdHeaderIsRefusedBeforeMemoryIsTaken) {
  EXPECT_THAT(
      Complaint(IdxHeader({0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF})),
      AllOf(HasSubstr(path_), HasSubstr("4294967295 × 4294967295"), HasSubstr("1073741824")));
  EXPECT_THAT(Complaint(IdxHeader({1u << 20, 32, 33})), HasSubstr("more than the 1073741824"));
}

TEST_F(IdxTest, AGzipBombIsReadOnlyAsFarAsItsHeaderSays) {
  const std::string bomb = Gzip(IdxHeader({1}) + std::string(64 << 20, '\0'));
  ASSERT_LT(bomb.size(), 1u << 17);
  EXPECT_THAT(Complaint(bomb, 1), HasSubstr("its header says 1 = 1 bytes, and more follow"));
}

TEST_F(IdxTest, FindsTheNamesInUse) {
  EXPECT_EQ(FindIdxFile(folder_.path(), "train-images-idx3-ubyte"), "");
  for (const char* name : {"train-images.idx3-ubyte.gz", "train-images.idx3-ubyte",
                           "train-images-idx3-ubyte.gz", "train-images-idx3-ubyte"}) {
    WriteFile(folder_ / name, "");  // each takes precedence over those before
    EXPECT_EQ(FindIdxFile(folder_.path(), "train-images-idx3-ubyte"), folder_ / name);
  }
}

TEST_F(IdxTest, ImagesAndLabelsMustBeEqualInNumber) {
  const std::string images = folder_ / "images";
  const std::string labels = folder_ / "labels";
  WriteFile(images, IdxImages(3, 2, 4));
  WriteFile(labels, IdxLabels({7, 0, 200}));
  const ImageSet set = ReadIdx(images, labels);
  EXPECT_EQ(set.count, 3);
  EXPECT_EQ(set.height, 2);
  EXPECT_EQ(set.width, 4);
  EXPECT_EQ(set.pixels.size(), 24u);
  EXPECT_EQ(set.pixels[23], 23);
  EXPECT_THAT(set.labels, ElementsAre(7, 0, 200));

  WriteFile(labels, IdxLabels({7, 0}));
  EXPECT_THAT(DataErrorOf([&] { ReadIdx(images, labels); }),
              AllOf(HasSubstr(images + " has 3 images"), HasSubstr(labels + " has 2 labels")));
}

}  // namespace
}  // namespace sweep
