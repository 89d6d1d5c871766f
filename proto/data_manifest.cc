#include "proto/data_manifest.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/base/sha256.h"

namespace sweep {
namespace {

constexpr std::string_view kFirstLine = "sweep data 1";
constexpr std::string_view kFileWord = "file ";
constexpr std::int64_t kMaxFileBytes = std::int64_t{1} << 40;

absl::Status BadLine(std::size_t number, const std::string& why) {
  return absl::InvalidArgumentError(absl::StrCat("line ", number, ": ", why));
}

std::int64_t PiecesOf(std::int64_t size_bytes) {
  return (size_bytes + kDataPieceBytes - 1) / kDataPieceBytes;
}

// A file's line: "file SIZE NAME".
absl::StatusOr<DataManifest::File> ParseFile(std::string_view line, std::size_t number) {
  line.remove_prefix(kFileWord.size());
  DataManifest::File file;
  const char* const end = line.data() + line.size();
  const auto [rest, error] = std::from_chars(line.data(), end, file.size_bytes);
  if (error != std::errc() || rest == end || *rest != ' ' || file.size_bytes < 1 ||
      file.size_bytes > kMaxFileBytes) {
    return BadLine(number, "not `file SIZE NAME`");
  }
  file.name = std::string(rest + 1, end);
  if (file.name.empty() || file.name.size() > 255 || file.name.front() == '.' ||
      file.name.find_first_of(std::string_view("/\\\0", 3)) != std::string::npos) {
    return BadLine(number, "not the name of a file in a folder");
  }
  return file;
}

absl::Status CheckComplete(const DataManifest& manifest, std::size_t number) {
  if (manifest.files.empty()) return absl::OkStatus();
  const DataManifest::File& file = manifest.files.back();
  if (std::ssize(file.pieces) == PiecesOf(file.size_bytes)) return absl::OkStatus();
  return BadLine(number, absl::StrCat(file.name, " has ", file.pieces.size(), " pieces for ",
                                      file.size_bytes, " bytes"));
}

}  // namespace

std::int64_t DataManifest::size_bytes() const {
  std::int64_t sum = 0;
  for (const File& file : files) sum += file.size_bytes;
  return sum;
}

std::string DataManifest::Text() const {
  std::string text = std::string(kFirstLine) + "\n";
  for (const File& file : files) {
    text += std::string(kFileWord) + std::to_string(file.size_bytes) + " " + file.name + "\n";
    for (const std::string& piece : file.pieces) text += piece + "\n";
  }
  return text;
}

absl::StatusOr<DataManifest> DataManifest::Parse(std::string_view text) {
  if (static_cast<std::int64_t>(text.size()) > kMaxManifestBytes) {
    return absl::InvalidArgumentError(absl::StrCat("longer than ", kMaxManifestBytes, " bytes"));
  }
  DataManifest manifest;
  std::size_t number = 0;
  while (number == 0 || !text.empty()) {
    ++number;
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (number == 1) {
      if (line != kFirstLine) return BadLine(number, "not `" + std::string(kFirstLine) + "`");
    } else if (line.starts_with(kFileWord)) {
      if (absl::Status complete = CheckComplete(manifest, number); !complete.ok()) return complete;
      absl::StatusOr<File> file = ParseFile(line, number);
      if (!file.ok()) return file.status();
      for (const File& other : manifest.files) {
        if (other.name == file->name) return BadLine(number, "a file that was there before");
      }
      manifest.files.push_back(*std::move(file));
    } else if (manifest.files.empty() || !IsSha256Hex(line)) {
      return BadLine(number, "neither a file nor the digest of a piece");
    } else {
      manifest.files.back().pieces.emplace_back(line);
    }
  }
  if (manifest.files.empty()) return BadLine(number, "no files");
  if (absl::Status complete = CheckComplete(manifest, number); !complete.ok()) return complete;
  return manifest;
}

}  // namespace sweep
