#include "coordinator/store/blob_store.h"

#include <fstream>

#include "common/base/sha256.h"
#include "coordinator/store/store_testing.h"

namespace sweep {
namespace {

class BlobStoreTest : public testing::Test {
 protected:
  void SetUp() override { Reopen(); }

  void Reopen() {
    store_.reset();
    auto store = BlobStore::Open(Root());
    ASSERT_TRUE(store.ok()) << store.status();
    store_ = *std::move(store);
  }

  std::string Root() const { return folder_.File("x.db.blobs"); }

  absl::Status Store(const std::string& bytes, const std::string& sha256) {
    auto writer = store_->Put(sha256, static_cast<std::int64_t>(bytes.size()));
    if (!writer.ok()) return writer.status();
    if (absl::Status status = (*writer)->Append(bytes); !status.ok()) return status;
    return (*writer)->Commit();
  }

  int CountFiles() const {
    int count = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(Root())) {
      if (entry.is_regular_file()) ++count;
    }
    return count;
  }

  TemporaryFolder folder_;
  std::unique_ptr<BlobStore> store_;
};

TEST_F(BlobStoreTest, ABlobIsThereAfterReopening) {
  const std::string bytes("weights\0and more", 16);
  const std::string sha256 = Sha256Hex(bytes);
  ASSERT_TRUE(Store(bytes, sha256).ok());
  Reopen();
  EXPECT_TRUE(store_->Has(sha256));
  EXPECT_EQ(*store_->Size(sha256), 16);
  EXPECT_EQ(*store_->Read(sha256, 0, 1000), bytes);
  EXPECT_EQ(*store_->Read(sha256, 8, 3), "and");
  EXPECT_EQ(*store_->Read(sha256, 16, 10), "");
  EXPECT_TRUE(absl::IsInvalidArgument(store_->Read(sha256, -1, 10).status()));
  EXPECT_EQ(std::filesystem::file_size(Root() + "/" + sha256.substr(0, 2) + "/" + sha256), 16u);
}

TEST_F(BlobStoreTest, ArrivesInPieces) {
  const std::string sha256 = Sha256Hex("abcdef");
  auto writer = store_->Put(sha256, 6);
  ASSERT_TRUE(writer.ok());
  ASSERT_TRUE((*writer)->Append("abc").ok());
  EXPECT_FALSE(store_->Has(sha256));
  ASSERT_TRUE((*writer)->Append("def").ok());
  ASSERT_TRUE((*writer)->Commit().ok());
  EXPECT_TRUE(store_->Has(sha256));
}

TEST_F(BlobStoreTest, OtherBytesAreRefused) {
  const std::string sha256 = Sha256Hex("right");
  EXPECT_TRUE(absl::IsInvalidArgument(Store("wrong", sha256)));
  EXPECT_FALSE(store_->Has(sha256));
  EXPECT_EQ(CountFiles(), 0);
}

TEST_F(BlobStoreTest, OtherSizesAreRefused) {
  const std::string sha256 = Sha256Hex("right");
  auto shorter = store_->Put(sha256, 5);
  ASSERT_TRUE((*shorter)->Append("righ").ok());
  EXPECT_TRUE(absl::IsInvalidArgument((*shorter)->Commit()));
  auto longer = store_->Put(sha256, 4);
  EXPECT_TRUE(absl::IsInvalidArgument((*longer)->Append("right")));
  EXPECT_TRUE(absl::IsInvalidArgument(store_->Put(sha256, -1).status()));
  EXPECT_TRUE(
      absl::IsResourceExhausted(store_->Put(sha256, BlobStore::kMaxSizeBytes + 1).status()));
}

TEST_F(BlobStoreTest, ADroppedWriterLeavesNothing) {
  {
    auto writer = store_->Put(Sha256Hex("abc"), 3);
    ASSERT_TRUE((*writer)->Append("abc").ok());
    EXPECT_EQ(CountFiles(), 1);
  }
  EXPECT_EQ(CountFiles(), 0);
}

TEST_F(BlobStoreTest, OpeningRemovesWhatAKilledProcessLeft) {
  std::ofstream(Root() + "/tmp/half") << "half a blob";
  Reopen();
  EXPECT_EQ(CountFiles(), 0);
}

TEST_F(BlobStoreTest, StoringABlobAgainIsHarmless) {
  const std::string sha256 = Sha256Hex("abc");
  ASSERT_TRUE(Store("abc", sha256).ok());
  EXPECT_TRUE(Store("abc", sha256).ok());
  EXPECT_EQ(CountFiles(), 1);
}

TEST_F(BlobStoreTest, OnlyADigestIsAName) {
  for (const std::string& name :
       {std::string("../../etc/passwd"), std::string(), std::string(64, '.'),
        "../" + std::string(61, 'a'), std::string(64, 'A'), std::string(65, 'a')}) {
    EXPECT_TRUE(absl::IsInvalidArgument(store_->Put(name, 1).status())) << name;
    EXPECT_TRUE(absl::IsInvalidArgument(store_->Read(name, 0, 1).status())) << name;
    EXPECT_FALSE(store_->Has(name)) << name;
  }
  EXPECT_TRUE(absl::IsNotFound(store_->Read(std::string(64, 'a'), 0, 1).status()));
  EXPECT_TRUE(absl::IsNotFound(store_->Size(std::string(64, 'a')).status()));
}

TEST_F(BlobStoreTest, AFolderThatCannotBeMadeIsNamed) {
  std::ofstream(folder_.File("file")) << "x";
  const auto store = BlobStore::Open(folder_.File("file"));
  EXPECT_THAT(std::string(store.status().message()), testing::HasSubstr(folder_.File("file")));
}

TEST(BlobStoreInMemory, LeavesNothingBehind) {
  auto store = BlobStore::Open("");
  ASSERT_TRUE(store.ok());
  auto writer = (*store)->Put(Sha256Hex("abc"), 3);
  ASSERT_TRUE((*writer)->Append("abc").ok());
  ASSERT_TRUE((*writer)->Commit().ok());
  EXPECT_EQ(*(*store)->Read(Sha256Hex("abc"), 0, 3), "abc");
}

}  // namespace
}  // namespace sweep
