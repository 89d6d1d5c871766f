#include "coordinator/http/gzip.h"

#include <zlib.h>

#include <array>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_split.h"

namespace sweep {
namespace {

constexpr int kGzipWindow = 15 + 16;  // "+ 16": a gzip header instead of zlib's own

}  // namespace

std::string Gzip(std::string_view data, int level) {
  z_stream stream{};
  if (deflateInit2(&stream, level, Z_DEFLATED, kGzipWindow, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    return "";
  }
  std::string result(deflateBound(&stream, data.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(data.data()));
  stream.avail_in = static_cast<uInt>(data.size());
  stream.next_out = reinterpret_cast<Bytef*>(result.data());
  stream.avail_out = static_cast<uInt>(result.size());
  const int code = deflate(&stream, Z_FINISH);
  result.resize(stream.total_out);
  deflateEnd(&stream);
  return code == Z_STREAM_END ? result : "";
}

std::string Gunzip(std::string_view data) {
  z_stream stream{};
  if (inflateInit2(&stream, kGzipWindow) != Z_OK) return "";
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(data.data()));
  stream.avail_in = static_cast<uInt>(data.size());
  std::string result;
  std::array<char, 16384> piece;
  int code = Z_OK;
  while (code == Z_OK) {
    stream.next_out = reinterpret_cast<Bytef*>(piece.data());
    stream.avail_out = static_cast<uInt>(piece.size());
    code = inflate(&stream, Z_NO_FLUSH);
    result.append(piece.data(), piece.size() - stream.avail_out);
  }
  inflateEnd(&stream);
  return code == Z_STREAM_END ? result : "";
}

bool AcceptsGzip(std::string_view accept_encoding) {
  const std::vector<std::string> items = absl::StrSplit(std::string(accept_encoding), ',');
  for (const std::string& item : items) {
    const std::vector<std::string> parts = absl::StrSplit(item, ';');
    const auto name = absl::StripAsciiWhitespace(parts[0]);
    if (name != "gzip" && name != "*") continue;
    if (parts.size() == 1) return true;
    const auto quality = absl::StripAsciiWhitespace(parts[1]);
    return quality != "q=0" && quality != "q=0.0" && quality != "q=0.00" && quality != "q=0.000";
  }
  return false;
}

}  // namespace sweep
