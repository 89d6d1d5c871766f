#include "worker/trainer/safetensors.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <utility>

namespace sweep {
namespace {

static_assert(std::endian::native == std::endian::little,
              "tensors are written as they lie in memory");

constexpr std::size_t kLengthBytes = 8;
constexpr std::size_t kAlignment = 8;
// The reference implementation's bound on the header.
constexpr std::uint64_t kMaxHeaderBytes = 100'000'000;

// 0 for a type that we do not handle.
std::int64_t ElementBytes(std::string_view dtype) {
  if (dtype == "F64" || dtype == "I64" || dtype == "U64") return 8;
  if (dtype == "F32" || dtype == "I32" || dtype == "U32") return 4;
  if (dtype == "F16" || dtype == "BF16" || dtype == "I16" || dtype == "U16") return 2;
  if (dtype == "U8" || dtype == "I8" || dtype == "BOOL") return 1;
  return 0;
}

// The bytes that dtype and shape ask for; -1 when they are not sensible.
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
  while (!bytes.empty()) {
    const ssize_t written = ::write(file.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) Fail(path, std::string("cannot write: ") + std::strerror(errno));
    bytes.remove_prefix(static_cast<std::size_t>(written));
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

// One tensor's header entry, without its bytes; begin and end are offsets into the data.
SafeTensor ParseEntry(const std::string& key, const nlohmann::json& entry, std::int64_t* begin,
                      std::int64_t* end) {
  SafeTensor tensor{.name = key, .dtype = entry.at("dtype").get<std::string>()};
  tensor.shape = entry.at("shape").get<std::vector<std::int64_t>>();
  const auto offsets = entry.at("data_offsets").get<std::vector<std::int64_t>>();
  *begin = offsets.size() == 2 ? offsets[0] : -1;
  *end = offsets.size() == 2 ? offsets[1] : -1;
  return tensor;
}

// Throws SafeTensorsError or nlohmann::json::exception.
SafeTensors ParseHeader(const nlohmann::json& header, std::string_view data,
                        std::string_view name) {
  if (!header.is_object()) Fail(name, "safetensors header is no object");
  SafeTensors content;
  std::vector<std::pair<std::int64_t, SafeTensor>> by_offset;
  for (const auto& [key, entry] : header.items()) {
    if (key == "__metadata__") {
      content.metadata = entry.get<std::map<std::string, std::string>>();
      continue;
    }
    std::int64_t begin = 0, end = 0;
    SafeTensor tensor = ParseEntry(key, entry, &begin, &end);
    const std::int64_t expected = ExpectedBytes(tensor);
    if (begin < 0 || end < begin || end > static_cast<std::int64_t>(data.size()) ||
        end - begin != expected) {
      Fail(name, "tensor '" + key + "' does not fit its bytes");
    }
    tensor.bytes = data.substr(static_cast<std::size_t>(begin), static_cast<std::size_t>(expected));
    by_offset.emplace_back(begin, std::move(tensor));
  }
  std::stable_sort(by_offset.begin(), by_offset.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::int64_t covered = 0;
  for (auto& [begin, tensor] : by_offset) {
    if (begin != covered)
      Fail(name, "tensor '" + tensor.name + "' leaves a gap or overlaps another");
    covered += static_cast<std::int64_t>(tensor.bytes.size());
    content.tensors.push_back(std::move(tensor));
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
    return ParseHeader(nlohmann::json::parse(bytes.substr(0, length)), bytes.substr(length), name);
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
  std::ifstream in(path, std::ios::binary);
  if (!in) Fail(path, std::string("cannot open: ") + std::strerror(errno));
  std::ostringstream text;
  text << in.rdbuf();
  if (in.bad()) Fail(path, "cannot read");
  return ParseSafeTensors(text.str(), path);
}

}  // namespace sweep
