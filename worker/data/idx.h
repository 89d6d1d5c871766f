#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sweep {

// One IDX file of unsigned bytes: magic 0 0 8 rank, the dimensions as big-endian 32-bit numbers,
// then the elements (http://yann.lecun.com/exdb/mnist, "the IDX file format").
struct IdxArray {
  std::vector<std::int64_t> dimensions;
  std::vector<std::uint8_t> elements;  // their product
  std::int64_t size_bytes = 0;         // uncompressed, with the header
  std::string sha256;                  // of the uncompressed bytes; "" unless asked for
};

enum class Digest { kNone, kSha256 };

// Reads a file of exactly `rank` dimensions, plain or gzip, recognised by its content. Memory grows
// with what is really in the file, never beyond what the header announces. Throws DataError, which
// names the file, what was expected and what was found.
IdxArray ReadIdxArray(const std::string& path, int rank, Digest digest = Digest::kNone);

// The file `name` ("train-images-idx3-ubyte") in `folder`: plain or with ".gz", also spelled
// "train-images.idx3-ubyte". "" when there is none.
std::string FindIdxFile(const std::string& folder, std::string_view name);

}  // namespace sweep
