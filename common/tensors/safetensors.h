#pragma once

#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace sweep {

// The safetensors layout (github.com/huggingface/safetensors): eight bytes of header length, a JSON
// header, then the tensors' bytes, little-endian and row-major. Own code, so that weights can be
// used without libtorch. Plain functions and data, usable from any thread; no abseil, since
// sweep-trainer is built without. A file may come from anybody: reading costs at most a few times
// its size in memory, and anything outside the layout is refused.

// A file that cannot be read or written, or is not safetensors; the message names the file.
class SafeTensorsError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct SafeTensor {
  std::string name;
  std::string dtype;  // "F32", "F64", "I64", "U8"
  std::vector<std::int64_t> shape;
  std::string bytes;
  bool operator==(const SafeTensor&) const = default;
};

struct SafeTensors {
  std::map<std::string, std::string> metadata;
  std::vector<SafeTensor> tensors;

  // nullptr when no tensor has that name.
  const SafeTensor* Find(std::string_view name) const;
  bool operator==(const SafeTensors&) const = default;
};

// The bytes of the file. Tensors with wider elements come first, so that each is aligned to its
// element size; otherwise in the given order. Throws SafeTensorsError when a tensor's size does not
// match its dtype and shape.
std::string SerializeSafeTensors(const SafeTensors& content);

// `name` is for messages. Throws SafeTensorsError for a header that is not JSON, is larger than 16
// MiB, or names a tensor twice; for a shape of more than 16 dimensions; and when tensors overlap,
// leave a gap, or do not match their dtype and shape in size.
SafeTensors ParseSafeTensors(std::string_view bytes, std::string_view name);

// Writes to a temporary name in the same folder, fsyncs, renames, fsyncs the folder: `path` never
// holds a part of the content. Throws SafeTensorsError.
void WriteSafeTensors(const std::string& path, const SafeTensors& content);

// Throws SafeTensorsError; also for anything but a regular file of at most 16 GiB.
SafeTensors ReadSafeTensors(const std::string& path);

}  // namespace sweep
