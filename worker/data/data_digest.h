#pragma once

#include <string>
#include <vector>

#include "common/protocol/trial_spec.h"

namespace sweep {

// What names the content of a data set: two sets with one digest train alike. Of files it is the
// SHA-256 of what `sha256sum` prints for the four of them, uncompressed and under their plain
// names, in the order of kMnistFiles; so a file and the same one with .gz count as one. Of
// synthetic digits it is made of the generator's version and how many are drawn. "" for none.

// Of files with these digests, in the order of kMnistFiles.
std::string DigestOfFiles(const std::vector<std::string>& sha256s);
// Of synthetic digits. Requires that dataset.name is "synthetic".
std::string DigestOfSynthetic(const DatasetSpec& dataset);
// Reads the files that LoadDataset would load, and throws DataError as it does. `folder` is what
// EnsureDataset returned. Keeps one file in memory at a time.
std::string DataDigest(const DatasetSpec& dataset, const std::string& folder);

// What tells, without reading them, that the files of a data set are those that were read before:
// paths, devices, inodes, sizes and times. The time of the inode's last change is among them, which
// nobody can set back.
class DataStamp {
 public:
  // Of the files in `folder`, as they are now; of a data set without files: always settled.
  static DataStamp Take(const DatasetSpec& dataset, const std::string& folder);

  // Whether every later change will make another stamp. Not so of a file that was changed moments
  // before: it may be changed again within the clock's step.
  bool settled() const { return settled_; }
  // The same files with the same times.
  bool operator==(const DataStamp& other) const { return text_ == other.text_; }

 private:
  std::string text_;
  bool settled_ = true;
};

}  // namespace sweep
