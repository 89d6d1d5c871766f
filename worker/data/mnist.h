#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace sweep {

// The files of MNIST, and of any other data set in the same form. Digest and size are those of
// MNIST's uncompressed file.
struct MnistFile {
  std::string_view name;
  std::string_view sha256;
  std::int64_t size_bytes;
};

inline constexpr std::array<MnistFile, 4> kMnistFiles = {{
    {"train-images-idx3-ubyte", "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
     47040016},
    {"train-labels-idx1-ubyte", "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
     60008},
    {"t10k-images-idx3-ubyte", "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
     7840016},
    {"t10k-labels-idx1-ubyte", "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
     10008},
}};

// The number of dimensions of such a file.
int RankOf(const MnistFile& file);

// The names of the files that `folder` lacks, separated by ", "; "" when all four are there.
std::string MissingIdxFiles(const std::string& folder);

struct IdxArray;

// Throws DataError, with both digests and sizes, unless `array`, read from `path` with its digest,
// is MNIST's file.
void VerifyMnist(const MnistFile& file, const std::string& path, const IdxArray& array);

}  // namespace sweep
