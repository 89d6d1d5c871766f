#pragma once

#include <string>
#include <vector>

#include "common/protocol/trial_spec.h"

namespace sweep {

// The digest identifies the content of a data set: two sets with one digest train alike. For files
// it is the SHA-256 of the output of `sha256sum` for all four, uncompressed and under their plain
// names, in the order of kMnistFiles; so a file and its .gz count as the same. For synthetic digits
// it is made of the generator's version and the numbers of images. For no data set it is "".

// The digest of a data set whose files have these digests, in the order of kMnistFiles.
std::string DigestOfFiles(const std::vector<std::string>& sha256s);
// The digest of synthetic digits. Requires that dataset.name is "synthetic".
std::string DigestOfSynthetic(const DatasetSpec& dataset);
// Reads the files that LoadDataset would load, and throws DataError as it does. `folder` is the
// result of EnsureDataset. Keeps one file in memory at a time.
std::string DataDigest(const DatasetSpec& dataset, const std::string& folder);

// Shows, without reading them, whether the files of a data set are still those that were read:
// paths, devices, inodes, sizes and times, including the time of the inode's last change, which
// nobody can set back.
class DataStamp {
 public:
  // The stamp of the present files in `folder`. Always settled for a data set without files.
  static DataStamp Take(const DatasetSpec& dataset, const std::string& folder);

  // True if every later change will give another stamp. False for a file that was changed moments
  // before: it may change again within one step of the clock.
  bool settled() const { return settled_; }
  // The same files with the same times.
  bool operator==(const DataStamp& other) const { return text_ == other.text_; }

 private:
  std::string text_;
  bool settled_ = true;
};

}  // namespace sweep
