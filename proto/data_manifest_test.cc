#include "proto/data_manifest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/sha256.h"

namespace sweep {
namespace {

using ::testing::HasSubstr;

DataManifest TwoFiles() {
  return {.files = {{.name = "images",
                     .size_bytes = kDataPieceBytes + 1,
                     .pieces = {Sha256Hex("a"), Sha256Hex("b")}},
                    {.name = "labels of all", .size_bytes = 7, .pieces = {Sha256Hex("c")}}}};
}

TEST(DataManifest, IsReadAsItWasWritten) {
  const DataManifest written = TwoFiles();
  EXPECT_THAT(written.Text(), HasSubstr("sweep data 1\nfile 4194305 images\n" + Sha256Hex("a")));
  const absl::StatusOr<DataManifest> read = DataManifest::Parse(written.Text());
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->Text(), written.Text());
  EXPECT_EQ(read->files[1].name, "labels of all");
  EXPECT_EQ(read->size_bytes(), kDataPieceBytes + 8);
}

TEST(DataManifest, RefusesEveryOtherText) {
  const std::string piece = Sha256Hex("a") + "\n";
  const std::string first = "sweep data 1\n";
  for (const std::string& text : {
           std::string(),
           first,
           "sweep data 2\nfile 1 a\n" + piece,
           first + piece,
           first + "file 1 a\n",
           first + "file 1 a\n" + piece + piece,
           first + "file 4194305 a\n" + piece + "file 1 b\n" + piece,
           first + "file 0 a\n",
           first + "file -1 a\n" + piece,
           first + "file 99999999999999999999 a\n" + piece,
           first + "file 1 ../a\n" + piece,
           first + "file 1 .a\n" + piece,
           first + "file 1 \n" + piece,
           first + "file 1 a\n" + piece + "file 1 a\n" + piece,
           first + "file 1 a\nnot a digest\n",
           first + "file 1 a\n" + piece + "\n",
           std::string(static_cast<std::size_t>(kMaxManifestBytes) + 1, 'x'),
       }) {
    EXPECT_TRUE(absl::IsInvalidArgument(DataManifest::Parse(text).status())) << text.substr(0, 100);
  }
}

}  // namespace
}  // namespace sweep
