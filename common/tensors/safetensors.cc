#include "common/tensors/safetensors.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <system_error>
#include <utility>

#include "common/base/file_replacement.h"
#include "common/base/input_file.h"

namespace sweep {
namespace {

static_assert(std::endian::native == std::endian::little,
              "tensors are written as they lie in memory");

constexpr std::size_t kLengthBytes = 8;
constexpr std::size_t kAlignment = 8;
// A network of a thousand layers needs less than 1 MiB.
constexpr std::uint64_t kMaxHeaderBytes = 16 << 20;
constexpr std::size_t kMaxDimensions = 16;
// The deepest part of a header is {"name": {"shape": [...]}}.
constexpr int kMaxDepth = 3;
constexpr std::uintmax_t kMaxFileBytes = std::uintmax_t{16} << 30;

// 0 for an unsupported type.
std::int64_t ElementBytes(std::string_view dtype) {
  if (dtype == "F64" || dtype == "I64" || dtype == "U64") return 8;
  if (dtype == "F32" || dtype == "I32" || dtype == "U32") return 4;
  if (dtype == "F16" || dtype == "BF16" || dtype == "I16" || dtype == "U16") return 2;
  if (dtype == "U8" || dtype == "I8" || dtype == "BOOL") return 1;
  return 0;
}

// The size in bytes from dtype and shape; -1 when they are invalid.
std::int64_t ExpectedBytes(const SafeTensor& tensor) {
  std::int64_t bytes = ElementBytes(tensor.dtype);
  if (bytes == 0) return -1;
  for (std::int64_t side : tensor.shape) {
    if (side < 0 || __builtin_mul_overflow(bytes, side, &bytes)) return -1;
  }
  return bytes;
}

[[noreturn]] void Fail(std::string_view name, const std::string& what) {
  throw SafeTensorsError(std::string(name) + ": " + what);
}

// Closes a file descriptor at the end of a scope.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  const int fd_;
};

void WriteAndSync(const std::string& path, std::string_view bytes) {
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (file.get() < 0) Fail(path, std::string("cannot create: ") + std::strerror(errno));
  if (!WriteAll(file.get(), bytes)) {
    Fail(path, std::string("cannot write: ") + std::strerror(errno));
  }
  if (::fsync(file.get()) != 0) Fail(path, std::string("cannot fsync: ") + std::strerror(errno));
}

void SyncFolderOf(const std::string& path) {
  std::filesystem::path folder = std::filesystem::path(path).parent_path();
  if (folder.empty()) folder = ".";
  const Descriptor directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.get() < 0 || ::fsync(directory.get()) != 0) {
    Fail(folder.string(), std::string("cannot fsync: ") + std::strerror(errno));
  }
}

// The header as JSON. Throws nlohmann::json::exception, or SafeTensorsError for two things that the
// JSON library accepts: a repeated name, and nesting that only exhausts memory.
nlohmann::json ParseHeaderText(std::string_view text, std::string_view name) {
  using Event = nlohmann::json::parse_event_t;
  std::set<std::string> names;
  const auto check = [&](int depth, Event event, nlohmann::json& value) {
    const bool opens = event == Event::object_start || event == Event::array_start;
    if (opens && depth >= kMaxDepth) Fail(name, "bad safetensors header: nested too deeply");
    if (event == Event::key && depth == 1 && !names.insert(value.get<std::string>()).second) {
      Fail(name, "bad safetensors header: '" + value.get<std::string>() + "' comes twice");
    }
    return true;
  };
  return nlohmann::json::parse(text, check);
}

// The integers of `entry[key]`. The JSON library alone would accept 2.5, true and 2^64 - 1.
std::vector<std::int64_t> Integers(const nlohmann::json& entry, const char* key,
                                   const std::string& tensor, std::string_view name) {
  std::vector<std::int64_t> numbers;
  const nlohmann::json& array = entry.at(key);
  bool sound = array.is_array() && array.size() <= kMaxDimensions;
  for (std::size_t i = 0; sound && i < array.size(); ++i) {
    sound = array[i].is_number_unsigned() &&
            array[i].get<std::uint64_t>() <= std::numeric_limits<std::int64_t>::max();
    if (sound) numbers.push_back(array[i].get<std::int64_t>());
  }
  if (!sound) {
    Fail(name, "tensor '" + tensor + "': " + key + " must be at most " +
                   std::to_string(kMaxDimensions) + " integers, none below 0");
  }
  return numbers;
}

struct Entry {
  SafeTensor tensor;  // without its bytes
  std::int64_t begin = 0;
  std::int64_t end = 0;
};

Entry ParseEntry(const std::string& key, const nlohmann::json& json, std::size_t data_bytes,
                 std::string_view name) {
  Entry entry{.tensor = {.name = key, .dtype = json.at("dtype").get<std::string>()}};
  entry.tensor.shape = Integers(json, "shape", key, name);
  const std::vector<std::int64_t> offsets = Integers(json, "data_offsets", key, name);
  const std::int64_t expected = ExpectedBytes(entry.tensor);
  if (offsets.size() == 2) {
    entry.begin = offsets[0];
    entry.end = offsets[1];
  }
  if (offsets.size() != 2 || entry.end < entry.begin ||
      entry.end > static_cast<std::int64_t>(data_bytes) || entry.end - entry.begin != expected) {
    Fail(name, "tensor '" + key + "' does not fit its bytes");
  }
  return entry;
}

// Throws SafeTensorsError or nlohmann::json::exception.
SafeTensors ParseHeader(const nlohmann::json& header, std::string_view data,
                        std::string_view name) {
  if (!header.is_object()) Fail(name, "safetensors header is no object");
  SafeTensors content;
  std::vector<Entry> entries;
  for (const auto& [key, entry] : header.items()) {
    if (key == "__metadata__") {
      content.metadata = entry.get<std::map<std::string, std::string>>();
      continue;
    }
    entries.push_back(ParseEntry(key, entry, data.size(), name));
  }
  // An empty tensor begins where the next one begins.
  std::stable_sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  std::int64_t covered = 0;
  for (Entry& entry : entries) {
    if (entry.begin != covered) {
      Fail(name, "tensor '" + entry.tensor.name + "' leaves a gap or overlaps another");
    }
    covered = entry.end;
    // Copied last: tensors that do not overlap cannot exceed the size of the file.
    entry.tensor.bytes = data.substr(static_cast<std::size_t>(entry.begin),
                                     static_cast<std::size_t>(entry.end - entry.begin));
    content.tensors.push_back(std::move(entry.tensor));
  }
  if (covered != static_cast<std::int64_t>(data.size()))
    Fail(name, "has bytes that belong to no tensor");
  return content;
}

}  // namespace

const SafeTensor* SafeTensors::Find(std::string_view name) const {
  for (const SafeTensor& tensor : tensors) {
    if (tensor.name == name) return &tensor;
  }
  return nullptr;
}

std::string SerializeSafeTensors(const SafeTensors& content) {
  std::vector<const SafeTensor*> order;
  std::set<std::string_view> names;
  for (const SafeTensor& tensor : content.tensors) {
    if (ExpectedBytes(tensor) != static_cast<std::int64_t>(tensor.bytes.size()) ||
        !names.insert(tensor.name).second) {
      throw SafeTensorsError("tensor '" + tensor.name + "' has a wrong size or comes twice");
    }
    order.push_back(&tensor);
  }
  std::stable_sort(order.begin(), order.end(), [](const SafeTensor* a, const SafeTensor* b) {
    return ElementBytes(a->dtype) > ElementBytes(b->dtype);
  });
  nlohmann::json header = nlohmann::json::object();
  if (!content.metadata.empty()) header["__metadata__"] = content.metadata;
  std::size_t offset = 0;
  for (const SafeTensor* tensor : order) {
    header[tensor->name] = {{"dtype", tensor->dtype},
                            {"shape", tensor->shape},
                            {"data_offsets", {offset, offset + tensor->bytes.size()}}};
    offset += tensor->bytes.size();
  }
  std::string text = header.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  text.resize((text.size() + kAlignment - 1) / kAlignment * kAlignment, ' ');
  const std::uint64_t length = text.size();
  std::string bytes(kLengthBytes, '\0');
  std::memcpy(bytes.data(), &length, kLengthBytes);
  bytes.reserve(kLengthBytes + text.size() + offset);
  bytes += text;
  for (const SafeTensor* tensor : order) bytes += tensor->bytes;
  return bytes;
}

SafeTensors ParseSafeTensors(std::string_view bytes, std::string_view name) {
  std::uint64_t length = 0;
  if (bytes.size() < kLengthBytes) Fail(name, "is too short to be safetensors");
  std::memcpy(&length, bytes.data(), kLengthBytes);
  bytes.remove_prefix(kLengthBytes);
  if (length > bytes.size() || length > kMaxHeaderBytes) {
    Fail(name, "is no safetensors file, or truncated");
  }
  try {
    return ParseHeader(ParseHeaderText(bytes.substr(0, length), name), bytes.substr(length), name);
  } catch (const nlohmann::json::exception& error) {
    Fail(name, std::string("bad safetensors header: ") + error.what());
  }
}

void WriteSafeTensors(const std::string& path, const SafeTensors& content) {
  const std::string temporary = path + ".tmp";
  WriteAndSync(temporary, SerializeSafeTensors(content));
  if (::rename(temporary.c_str(), path.c_str()) != 0) {
    Fail(path, std::string("cannot rename into place: ") + std::strerror(errno));
  }
  SyncFolderOf(path);
}

SafeTensors ReadSafeTensors(const std::string& path) {
  InputFile in(path);
  if (!in.ok()) Fail(path, in.error());
  std::error_code error;
  const std::uintmax_t size = std::filesystem::file_size(path, error);
  if (error) Fail(path, "cannot read: " + error.message());
  if (size > kMaxFileBytes) Fail(path, "is larger than 16 GiB");
  std::string bytes;
  bytes.reserve(static_cast<std::size_t>(size));
  if (!in.Read(kMaxFileBytes, &bytes)) Fail(path, in.error());
  return ParseSafeTensors(bytes, path);
}

}  // namespace sweep
