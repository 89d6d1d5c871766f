#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace sweep {

// What an uploaded data set consists of: files, each cut into pieces of kDataPieceBytes, the last
// one shorter. Pieces are blobs of the coordinator, and so is the manifest's text, whose SHA-256
// names the data set: equal files have equal names.
//
//   sweep data 1
//   file 60008 train-labels-idx1-ubyte
//   65a50cbb…                            (SHA-256 of the first piece, and so on)
struct DataManifest {
  struct File {
    std::string name;             // without a folder
    std::int64_t size_bytes = 0;  // above 0
    std::vector<std::string> pieces;
  };
  std::vector<File> files;

  std::int64_t size_bytes() const;
  // The text, which Parse reads.
  std::string Text() const;
  // InvalidArgument for any other text, also for names that lead out of a folder.
  static absl::StatusOr<DataManifest> Parse(std::string_view text);
};

inline constexpr std::int64_t kDataPieceBytes = std::int64_t{4} << 20;
// The longest text of a manifest: of about 60 GB of data.
inline constexpr std::int64_t kMaxManifestBytes = std::int64_t{1} << 20;

}  // namespace sweep
