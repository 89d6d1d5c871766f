#include "worker/data/idx.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <system_error>

#include "common/base/input_file.h"
#include "common/base/sha256.h"
#include "worker/data/dataset.h"

namespace sweep {
namespace {

// Far above every data set that this program is meant for; a damaged header exceeds it.
constexpr std::int64_t kMaxElements = std::int64_t{1} << 30;
constexpr std::size_t kChunkBytes = 1 << 16;
constexpr int kUnsignedByte = 8;

// The bytes of a file, inflated if it is gzip. Concatenated gzip members are one stream, as in gzip
// itself. Reading to the end verifies the checksum.
class InflatingReader {
 public:
  explicit InflatingReader(const std::string& path) : path_(path), file_(nullptr, &std::fclose) {
    InputFile input(path);
    if (!input.ok()) throw DataError(path + ": " + input.error());
    file_.reset(fdopen(input.Release(), "rb"));
    if (!file_) throw DataError(path + ": " + std::strerror(errno));
    Refill();
    gzip_ = stream_.avail_in >= 2 && input_[0] == 0x1F && input_[1] == 0x8B;
    constexpr int kGzipOnly = 16 + MAX_WBITS;
    if (gzip_ && inflateInit2(&stream_, kGzipOnly) != Z_OK) {
      gzip_ = false;
      throw DataError(path + ": zlib cannot start");
    }
  }
  ~InflatingReader() {
    if (gzip_) inflateEnd(&stream_);
  }
  InflatingReader(const InflatingReader&) = delete;
  InflatingReader& operator=(const InflatingReader&) = delete;

  // Returns fewer than `size_bytes` only at the end of the file.
  std::size_t Read(std::uint8_t* out, std::size_t size_bytes) {
    return gzip_ ? ReadGzip(out, size_bytes) : ReadPlain(out, size_bytes);
  }

 private:
  void Refill() {
    const std::size_t got = std::fread(input_.data(), 1, input_.size(), file_.get());
    if (got == 0 && std::ferror(file_.get())) throw DataError(path_ + ": " + std::strerror(errno));
    stream_.next_in = input_.data();
    stream_.avail_in = static_cast<uInt>(got);
  }

  std::size_t ReadPlain(std::uint8_t* out, std::size_t size_bytes) {
    std::size_t done = 0;
    while (done < size_bytes) {
      if (stream_.avail_in == 0) Refill();
      if (stream_.avail_in == 0) break;
      const auto part = std::min<std::size_t>(stream_.avail_in, size_bytes - done);
      std::memcpy(out + done, stream_.next_in, part);
      stream_.next_in += part;
      stream_.avail_in -= static_cast<uInt>(part);
      done += part;
    }
    return done;
  }

  std::size_t ReadGzip(std::uint8_t* out, std::size_t size_bytes) {
    stream_.next_out = out;
    stream_.avail_out = static_cast<uInt>(size_bytes);
    while (stream_.avail_out > 0) {
      if (stream_.avail_in == 0) Refill();
      if (stream_.avail_in == 0) {
        if (member_ended_) break;
        throw DataError(path_ + ": truncated: the file ends within its gzip stream");
      }
      if (member_ended_) inflateReset(&stream_);
      const int result = inflate(&stream_, Z_NO_FLUSH);
      member_ended_ = result == Z_STREAM_END;
      if (result != Z_OK && result != Z_STREAM_END) {
        throw DataError(path_ +
                        ": damaged gzip stream: " + (stream_.msg ? stream_.msg : zError(result)));
      }
    }
    return size_bytes - stream_.avail_out;
  }

  std::string path_;
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file_;
  std::array<std::uint8_t, kChunkBytes> input_;
  z_stream stream_{};  // next_in and avail_in serve plain files too
  bool gzip_ = false;
  bool member_ended_ = false;
};

std::string Join(const std::vector<std::int64_t>& dimensions) {
  std::string text;
  for (std::int64_t size : dimensions) text += (text.empty() ? "" : " × ") + std::to_string(size);
  return text;
}

std::string HexBytes(const std::uint8_t* bytes, std::size_t count) {
  std::string text;
  char digits[4];
  for (std::size_t i = 0; i < count; ++i) {
    std::snprintf(digits, sizeof digits, i ? " %02x" : "%02x", bytes[i]);
    text += digits;
  }
  return text;
}

// Reads magic and dimensions; returns the raw header.
std::vector<std::uint8_t> ReadHeader(const std::string& path, int rank, InflatingReader* reader,
                                     std::vector<std::int64_t>* dimensions) {
  std::vector<std::uint8_t> header(4 + 4 * static_cast<std::size_t>(rank));
  const std::size_t got = reader->Read(header.data(), header.size());
  const std::array<std::uint8_t, 4> magic = {0, 0, kUnsignedByte, static_cast<std::uint8_t>(rank)};
  if (!std::equal(magic.begin(), magic.begin() + std::min<std::size_t>(got, 4), header.begin())) {
    throw DataError(path + ": not an IDX file of unsigned bytes with " + std::to_string(rank) +
                    (rank == 1 ? " dimension" : " dimensions") + ": expected to start with " +
                    HexBytes(magic.data(), 4) + ", found " +
                    HexBytes(header.data(), std::min<std::size_t>(got, 4)));
  }
  if (got < header.size()) {
    throw DataError(path + ": truncated: expected an IDX header of " +
                    std::to_string(header.size()) + " bytes, found " + std::to_string(got));
  }
  for (int i = 0; i < rank; ++i) {
    const std::uint8_t* p = header.data() + 4 + 4 * i;
    dimensions->push_back(std::int64_t{p[0]} << 24 | p[1] << 16 | p[2] << 8 | p[3]);
  }
  return header;
}

std::int64_t CheckedElementCount(const std::string& path,
                                 const std::vector<std::int64_t>& dimensions) {
  std::int64_t count = 1;
  for (std::int64_t size : dimensions) {
    if (size == 0) throw DataError(path + ": empty: its header says " + Join(dimensions));
    // Each size is below 2^32 and count was at most 2^30 before, so the product cannot overflow.
    count *= size;
    if (count > kMaxElements) {
      throw DataError(path + ": its header says " + Join(dimensions) + " bytes, more than the " +
                      std::to_string(kMaxElements) + " that are allowed; the file is damaged");
    }
  }
  return count;
}

std::vector<std::uint8_t> ReadElements(const std::string& path, const IdxArray& array,
                                       std::int64_t count, InflatingReader* reader) {
  constexpr std::int64_t kStepBytes = 16 << 20;
  std::vector<std::uint8_t> elements;
  std::int64_t done = 0;
  while (done < count) {
    // In steps, so that a short file with a large size in its header fails before it costs memory.
    const std::int64_t step = std::min(count - done, kStepBytes);
    if (elements.empty() && count <= 4 * kStepBytes) elements.reserve(count);
    elements.resize(done + step);
    const std::size_t got = reader->Read(elements.data() + done, step);
    done += static_cast<std::int64_t>(got);
    if (static_cast<std::int64_t>(got) < step) {
      throw DataError(path + ": truncated: its header says " + Join(array.dimensions) + " = " +
                      std::to_string(count) + " bytes, found " + std::to_string(done));
    }
  }
  std::uint8_t extra;
  if (reader->Read(&extra, 1) != 0) {
    throw DataError(path + ": too long: its header says " + Join(array.dimensions) + " = " +
                    std::to_string(count) + " bytes, and more follow");
  }
  return elements;
}

}  // namespace

IdxArray ReadIdxArray(const std::string& path, int rank, Digest digest) {
  InflatingReader reader(path);
  IdxArray array;
  const std::vector<std::uint8_t> header = ReadHeader(path, rank, &reader, &array.dimensions);
  const std::int64_t count = CheckedElementCount(path, array.dimensions);
  array.elements = ReadElements(path, array, count, &reader);
  array.size_bytes = static_cast<std::int64_t>(header.size()) + count;
  if (digest == Digest::kSha256) {
    Sha256 sha256;
    sha256.Update(header.data(), header.size());
    sha256.Update(array.elements.data(), array.elements.size());
    array.sha256 = sha256.FinishHex();
  }
  return array;
}

std::string FindIdxFile(const std::string& folder, std::string_view name) {
  std::string dotted(name);
  if (const std::size_t at = dotted.find("-idx"); at != std::string::npos) dotted[at] = '.';
  for (const std::string& stem : {std::string(name), dotted}) {
    for (const char* suffix : {"", ".gz"}) {
      const std::filesystem::path path = std::filesystem::path(folder) / (stem + suffix);
      std::error_code error;
      if (std::filesystem::is_regular_file(path, error)) return path.string();
    }
  }
  return "";
}

}  // namespace sweep
