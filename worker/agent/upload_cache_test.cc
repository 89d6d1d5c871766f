#include "worker/agent/upload_cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "common/base/mutex.h"
#include "common/base/sha256.h"
#include "proto/data_manifest.h"
#include "spdlog/spdlog.h"
#include "worker/data/testing/data_testing.h"

namespace sweep {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr std::size_t kSmallBytes = 100;

class UploadCacheTest : public ::testing::Test {
 protected:
  UploadCacheTest() { spdlog::set_level(spdlog::level::off); }

  // A set of a file of two pieces and one of one, whose bytes depend on `seed`. Returns its name.
  std::string AddSet(char seed) {
    std::string large(static_cast<std::size_t>(kDataPieceBytes) + kSmallBytes, seed);
    large[0] = 'x';
    DataManifest manifest;
    for (const auto& [name, bytes] : {std::pair{"large", large}, {"small", std::string(7, seed)}}) {
      DataManifest::File file{.name = name, .size_bytes = std::ssize(bytes)};
      for (std::size_t at = 0; at < bytes.size(); at += kDataPieceBytes) {
        file.pieces.push_back(AddBlob(bytes.substr(at, kDataPieceBytes)));
      }
      manifest.files.push_back(file);
    }
    size_bytes_ = manifest.size_bytes();
    return AddBlob(manifest.Text());
  }
  std::string AddBlob(const std::string& bytes) {
    const std::string sha256 = Sha256Hex(bytes);
    MutexLock lock(&mutex_);
    blobs_[sha256] = bytes;
    return sha256;
  }

  std::unique_ptr<UploadCache> Cache(std::int64_t limit_bytes = 1 << 30) {
    return std::make_unique<UploadCache>(
        UploadCache::Options{.folder = Folder(), .limit_bytes = limit_bytes},
        [this](const std::string& sha256, const UploadCache::Take& take) {
          return Fetch(sha256, take);
        });
  }
  absl::Status Fetch(const std::string& sha256, const UploadCache::Take& take) {
    std::string bytes;
    bool breaks = false;
    {
      MutexLock lock(&mutex_);
      if (!blobs_.contains(sha256)) return absl::FailedPreconditionError("it is lost");
      bytes = blobs_[sha256];
      ++fetched_[sha256];
      breaks = --calls_before_break_ == 0;
    }
    const std::size_t half = bytes.size() / 2;
    if (absl::Status taken = take(std::string_view(bytes).substr(0, half)); !taken.ok()) {
      return taken;
    }
    if (breaks) return absl::UnavailableError("broken off");
    return take(std::string_view(bytes).substr(half));
  }
  int Fetched() {
    int sum = 0;
    MutexLock lock(&mutex_);
    for (const auto& [sha256, count] : fetched_) sum += count;
    return sum;
  }
  std::string Folder() const { return folder_ / "cache/data"; }
  // As if the set had been used that long ago.
  void Age(const std::string& name, std::chrono::minutes age) const {
    fs::last_write_time(Folder() + "/" + name + ".lock", fs::file_time_type::clock::now() - age);
  }

  const testing::TemporaryFolder folder_;
  std::int64_t size_bytes_ = 0;  // of a set
  Mutex mutex_;                  // for the rest, while several threads fetch
  std::map<std::string, std::string> blobs_;
  std::map<std::string, int> fetched_;
  int calls_before_break_ = 0;
};

TEST_F(UploadCacheTest, ASetIsFetchedOnce) {
  const std::string name = AddSet('a');
  auto cache = Cache();
  const auto set = cache->Get(name);
  ASSERT_TRUE(set.ok()) << set.status();
  EXPECT_EQ(testing::ReadFile(set->folder + "/small"), "aaaaaaa");
  EXPECT_EQ(testing::ReadFile(set->folder + "/large"),
            "x" + std::string(static_cast<std::size_t>(kDataPieceBytes) + kSmallBytes - 1, 'a'));
  EXPECT_EQ(Fetched(), 4) << "the manifest and three pieces";
  EXPECT_TRUE(cache->Get(name).ok());
  EXPECT_TRUE(Cache()->Get(name).ok()) << "another process finds it";
  UploadCache relative({.folder = fs::relative(Folder())},
                       [](const std::string&, const UploadCache::Take&) {
                         return absl::InternalError("it is there");
                       });
  const auto same = relative.Get(name);
  ASSERT_TRUE(same.ok()) << same.status();
  EXPECT_EQ(same->folder, set->folder) << "trainers have working directories of their own";
  EXPECT_EQ(Fetched(), 4);
}

TEST_F(UploadCacheTest, ABrokenDownloadGoesOnWhereItEnded) {
  const std::string name = AddSet('a');
  calls_before_break_ = 3;  // in the second piece
  const absl::Status broken = Cache()->Get(name).status();
  EXPECT_TRUE(absl::IsUnavailable(broken)) << broken;
  EXPECT_THAT(std::string(broken.message()),
              AllOf(HasSubstr("data set sha256:" + name), HasSubstr("piece 2 of large")));
  EXPECT_FALSE(fs::exists(Folder() + "/" + name)) << "half a set is none";
  fetched_.clear();
  ASSERT_TRUE(Cache()->Get(name).ok());
  EXPECT_EQ(Fetched(), 2) << "the second piece and the small file";
  EXPECT_FALSE(fs::exists(Folder() + "/" + name + ".part"));
}

TEST_F(UploadCacheTest, AKilledDownloadGoesOnWhereItEnded) {
  const std::string name = AddSet('a');
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    int calls = 0;
    UploadCache dying({.folder = Folder()},
                      [&](const std::string& sha256, const UploadCache::Take& take) {
                        const std::string& bytes = blobs_[sha256];
                        if (++calls < 3) return take(bytes);
                        take(std::string_view(bytes).substr(0, bytes.size() / 2)).IgnoreError();
                        raise(SIGKILL);
                        return absl::OkStatus();
                      });
    dying.Get(name).IgnoreError();
    _exit(0);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
  EXPECT_TRUE(fs::exists(Folder() + "/" + name + ".part"));
  EXPECT_FALSE(fs::exists(Folder() + "/" + name)) << "half a set is none";
  ASSERT_TRUE(Cache()->Get(name).ok());
  EXPECT_EQ(Fetched(), 2) << "the second piece and the small file";
}

TEST_F(UploadCacheTest, ADamagedPieceIsFetchedAgain) {
  const std::string name = AddSet('a');
  ASSERT_TRUE(Cache()->Get(name).ok());
  fetched_.clear();
  {
    std::fstream file(Folder() + "/" + name + "/large",
                      std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(1000);
    file.put('!');
  }
  const auto mended = Cache()->Get(name);
  ASSERT_TRUE(mended.ok()) << mended.status();
  EXPECT_EQ(Fetched(), 1);
  EXPECT_EQ(testing::ReadFile(mended->folder + "/large")[1000], 'a');
}

TEST_F(UploadCacheTest, ManyWorkersAtOnceFetchItOnce) {
  const std::string name = AddSet('a');
  std::vector<std::unique_ptr<UploadCache>> caches;
  for (int i = 0; i < 4; ++i) caches.push_back(Cache());
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&, i] {
        const auto set = caches[static_cast<std::size_t>(i) / 2]->Get(name);
        EXPECT_TRUE(set.ok()) << set.status();
      });
    }
  }
  EXPECT_EQ(Fetched(), 4);
}

TEST_F(UploadCacheTest, TheLeastRecentlyUsedSetsThatNobodyUsesMakeRoom) {
  const std::string used = AddSet('a'), old = AddSet('b'), young = AddSet('c'), next = AddSet('d');
  auto cache = Cache(3 * size_bytes_ + 10 * 1024);  // with room for the manifests
  const auto in_use = cache->Get(used);
  ASSERT_TRUE(cache->Get(young).ok() && cache->Get(old).ok());
  Age(used, std::chrono::minutes(30));
  Age(old, std::chrono::minutes(20));
  Age(young, std::chrono::minutes(10));
  ASSERT_TRUE(Cache(3 * size_bytes_ + 10 * 1024)->Get(next).ok()) << "also from another worker";
  EXPECT_TRUE(fs::exists(Folder() + "/" + used));
  EXPECT_FALSE(fs::exists(Folder() + "/" + old));
  EXPECT_TRUE(fs::exists(Folder() + "/" + young));
  fetched_.clear();
  EXPECT_TRUE(cache->Get(old).ok()) << "it is fetched again";
  EXPECT_EQ(Fetched(), 4);
}

TEST_F(UploadCacheTest, ASetWaitsWhileThoseInUseLeaveNoRoom) {
  const std::string first = AddSet('a'), second = AddSet('b');
  auto cache = Cache(size_bytes_ + 10 * 1024);
  auto in_use = cache->Get(first);
  ASSERT_TRUE(in_use.ok());
  const absl::Status full = cache->Get(second).status();
  EXPECT_TRUE(absl::IsResourceExhausted(full)) << full;
  EXPECT_THAT(std::string(full.message()), AllOf(HasSubstr(Folder()), HasSubstr("in use")));
  in_use = absl::UnknownError("");  // the trial has ended
  EXPECT_TRUE(cache->Get(second).ok());
  EXPECT_FALSE(fs::exists(Folder() + "/" + first));
}

TEST_F(UploadCacheTest, WhatCannotWorkIsSaidOnce) {
  const std::string name = AddSet('a');
  const absl::Status large = Cache(size_bytes_ - 1)->Get(name).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(large)) << large;
  EXPECT_THAT(std::string(large.message()),
              AllOf(HasSubstr("data set sha256:" + name), HasSubstr(std::to_string(size_bytes_)),
                    HasSubstr("--data-cache-limit")));

  const std::string text = AddBlob("no manifest");
  const absl::Status other = Cache()->Get(text).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(other)) << other;
  EXPECT_THAT(std::string(other.message()), HasSubstr("no manifest of a data set"));

  const absl::Status unknown = Cache()->Get(Sha256Hex("never uploaded")).status();
  EXPECT_THAT(std::string(unknown.message()), HasSubstr("it is lost"));

  testing::WriteFile(folder_ / "file", "");
  UploadCache nowhere(
      {.folder = folder_ / "file/cache"},
      [](const std::string&, const UploadCache::Take&) { return absl::OkStatus(); });
  const absl::Status refused = nowhere.Get(name).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(refused)) << refused;
  EXPECT_THAT(std::string(refused.message()),
              AllOf(HasSubstr(folder_ / "file/cache"), HasSubstr("cannot be written")));
}

TEST_F(UploadCacheTest, AFileThatCannotBeWrittenIsNamed) {
  const std::string name = AddSet('a');
  const std::string in_the_way = Folder() + "/" + name + ".part/large";
  fs::create_directories(in_the_way);
  const absl::Status refused = Cache()->Get(name).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(refused)) << refused;
  EXPECT_THAT(std::string(refused.message()),
              AllOf(HasSubstr(in_the_way + " cannot be written"), HasSubstr("directory")));
}

// A limit on the size of files stands for a full disk: both let a write fail in the middle.
TEST_F(UploadCacheTest, AFullDiskIsNamed) {
  const std::string name = AddSet('a');
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{.rlim_cur = static_cast<rlim_t>(kDataPieceBytes),
                       .rlim_max = static_cast<rlim_t>(kDataPieceBytes)};
    setrlimit(RLIMIT_FSIZE, &limit);
    const absl::Status full = Cache()->Get(name).status();
    const bool said = absl::IsFailedPrecondition(full) &&
                      std::string(full.message()).find("File too large") != std::string::npos;
    _exit(said ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_TRUE(Cache()->Get(name).ok());
}

TEST_F(UploadCacheTest, AWorkerThatStopsWaitsForNobody) {
  const std::string name = AddSet('a');
  auto cache = Cache();
  calls_before_break_ = 3;
  EXPECT_FALSE(cache->Get(name).ok());
  const absl::Status over = cache->Get(name, [] { return true; }).status();
  EXPECT_TRUE(absl::IsCancelled(over)) << over;
  cache->Shutdown();
  EXPECT_TRUE(absl::IsCancelled(cache->Get(name).status()));
}

}  // namespace
}  // namespace sweep
