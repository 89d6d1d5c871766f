#include "coordinator/store/blob_store.h"

#include <chrono>
#include <fstream>
#include <future>

#include "common/base/sha256.h"
#include "coordinator/store/testing/store_testing.h"

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
  const auto reader = Must(store_->Read(sha256));
  EXPECT_EQ(reader->size_bytes(), 16);
  EXPECT_EQ(Must(reader->Next(8)), bytes.substr(0, 8));
  EXPECT_EQ(Must(reader->Next(1000)), bytes.substr(8));
  EXPECT_EQ(Must(reader->Next(10)), "");
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
    EXPECT_TRUE(absl::IsInvalidArgument(store_->Read(name).status())) << name;
    EXPECT_FALSE(store_->Has(name)) << name;
  }
  EXPECT_TRUE(absl::IsNotFound(store_->Read(std::string(64, 'a')).status()));
  EXPECT_TRUE(absl::IsNotFound(store_->Size(std::string(64, 'a')).status()));
}

// Flips a bit of the byte at `offset`, like a failing disk.
void Damage(const std::string& path, std::int64_t offset) {
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  file.seekg(offset);
  const char byte = static_cast<char>(file.get());
  file.seekp(offset);
  file.put(static_cast<char>(byte ^ 1));
}

TEST_F(BlobStoreTest, WrongBytesAreNeverHandedOutToTheEnd) {
  const std::string bytes(10'000, 'x');
  const std::string sha256 = Sha256Hex(bytes);
  const std::string path = Root() + "/" + sha256.substr(0, 2) + "/" + sha256;
  for (const std::int64_t offset : {0, 5000, 9999}) {
    ASSERT_TRUE(Store(bytes, sha256).ok());
    Damage(path, offset);
    const auto reader = Must(store_->Read(sha256));
    ASSERT_TRUE(reader->Next(6000).ok());
    const absl::Status status = reader->Next(6000).status();
    EXPECT_TRUE(absl::IsDataLoss(status)) << status;
    EXPECT_THAT(std::string(status.message()), testing::HasSubstr(sha256));
  }
  ASSERT_TRUE(Store(bytes, sha256).ok());
  const auto reader = Must(store_->Read(sha256));
  std::filesystem::resize_file(path, 9000);
  ASSERT_TRUE(reader->Next(6000).ok());
  EXPECT_TRUE(absl::IsDataLoss(reader->Next(6000).status())) << "cut while it is read";
  EXPECT_TRUE(absl::IsDataLoss(Must(store_->Read(sha256))->Next(20'000).status())) << "cut before";
}

TEST_F(BlobStoreTest, ADamagedBlobIsPutAsideAndCanBeStoredAgain) {
  const std::string sha256 = Sha256Hex("abc");
  ASSERT_TRUE(Store("abc", sha256).ok());
  Damage(Root() + "/" + sha256.substr(0, 2) + "/" + sha256, 1);
  const std::string aside = Must(store_->PutAside(sha256));
  EXPECT_TRUE(std::filesystem::exists(aside)) << aside;
  EXPECT_FALSE(store_->Has(sha256));
  ASSERT_TRUE(Store("abc", sha256).ok());
  EXPECT_EQ(Must(Must(store_->Read(sha256))->Next(10)), "abc");
}

TEST_F(BlobStoreTest, WhatIsHeldIsNotRemovedAndWhoeverHoldsItWaitsForARemoval) {
  const std::string sha256 = Sha256Hex("abc");
  ASSERT_TRUE(Store("abc", sha256).ok());
  auto hold = store_->HoldBlob(sha256);
  auto second = store_->HoldBlob(sha256);
  hold.reset();
  EXPECT_EQ(store_->BeginRemoval(sha256), nullptr);
  second.reset();
  auto removal = store_->BeginRemoval(sha256);
  ASSERT_NE(removal, nullptr);
  EXPECT_EQ(store_->BeginRemoval(sha256), nullptr) << "one at a time";
  std::future<bool> held = std::async(std::launch::async, [&] {
    const auto late = store_->HoldBlob(sha256);
    return store_->Has(sha256);
  });
  EXPECT_EQ(held.wait_for(std::chrono::milliseconds(30)), std::future_status::timeout);
  EXPECT_TRUE(removal->Remove().ok());
  EXPECT_TRUE(removal->Remove().ok()) << "gone already";
  removal.reset();
  EXPECT_FALSE(held.get()) << "it looks after the removal";
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
  EXPECT_EQ(Must(Must((*store)->Read(Sha256Hex("abc")))->Next(100)), "abc");
}

}  // namespace
}  // namespace sweep
