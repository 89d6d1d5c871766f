#include "worker/data/data_digest.h"

#include <sys/stat.h>
#include <time.h>

#include <cstddef>
#include <cstdint>

#include "common/base/sha256.h"
#include "worker/data/dataset.h"
#include "worker/data/idx.h"
#include "worker/data/mnist.h"

namespace sweep {
namespace {

// Longer than the steps of every file system's time stamps (FAT: two seconds), with room for a file
// server's clock that differs a little from ours.
constexpr std::int64_t kUnsettledSeconds = 3;

bool HasFiles(const DatasetSpec& dataset) {
  return dataset.name == "mnist" || dataset.name == "idx";
}

std::string TimeText(const timespec& time) {
  return std::to_string(time.tv_sec) + "." + std::to_string(time.tv_nsec);
}

}  // namespace

std::string DigestOfFiles(const std::vector<std::string>& sha256s) {
  std::string lines;
  for (std::size_t i = 0; i < kMnistFiles.size(); ++i) {
    lines += sha256s[i] + "  " + std::string(kMnistFiles[i].name) + "\n";
  }
  return Sha256Hex(lines);
}

std::string DigestOfSynthetic(const DatasetSpec& dataset) {
  return Sha256Hex("synthetic digits, generator " + std::to_string(kSyntheticGenerator) + ": " +
                   std::to_string(SyntheticTrainSize(dataset)) + " for training, " +
                   std::to_string(SyntheticTestSize(dataset)) + " for testing\n");
}

std::string DataDigest(const DatasetSpec& dataset, const std::string& folder) {
  if (dataset.name == "synthetic") return DigestOfSynthetic(dataset);
  if (!HasFiles(dataset)) return "";
  std::vector<std::string> sha256s;
  for (const MnistFile& file : kMnistFiles) {
    const std::string path = FindIdxFile(folder, file.name);
    if (path.empty()) throw DataError(folder + " lacks " + std::string(file.name));
    const IdxArray array = ReadIdxArray(path, RankOf(file), Digest::kSha256);
    if (dataset.name == "mnist") VerifyMnist(file, path, array);
    sha256s.push_back(array.sha256);
  }
  return DigestOfFiles(sha256s);
}

DataStamp DataStamp::Take(const DatasetSpec& dataset, const std::string& folder) {
  DataStamp stamp;
  if (!HasFiles(dataset)) return stamp;
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  for (const MnistFile& file : kMnistFiles) {
    const std::string path = FindIdxFile(folder, file.name);
    struct stat info{};
    if (path.empty() || stat(path.c_str(), &info) != 0) {
      stamp.settled_ = false;
      continue;
    }
    stamp.text_ += path + "\n" + std::to_string(info.st_dev) + " " + std::to_string(info.st_ino) +
                   " " + std::to_string(info.st_size) + " " + TimeText(info.st_mtim) + " " +
                   TimeText(info.st_ctim) + "\n";
    if (info.st_ctim.tv_sec > now.tv_sec - kUnsettledSeconds) stamp.settled_ = false;
  }
  return stamp;
}

}  // namespace sweep
