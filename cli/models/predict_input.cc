#include "cli/models/predict_input.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <numeric>

#include "absl/status/status.h"
#include "absl/strings/str_split.h"
#include "common/base/input_file.h"
#include "fmt/format.h"
#include "worker/data/idx.h"

namespace sweep::cli {
namespace {

constexpr std::string_view kPngSignature = "\x89PNG\r\n\x1a\n";
constexpr std::string_view kGzipSignature = "\x1f\x8b";
constexpr std::string_view kIdxSignature("\0\0\x08", 3);
constexpr std::size_t kMaxIndices = 10'000'000;

absl::Status Refuse(const std::string& path, const std::string& what) {
  return absl::InvalidArgumentError(fmt::format("{}: {}", path, what));
}

bool Exists(const std::string& path) {
  std::error_code error;
  return std::filesystem::exists(path, error);
}

// False unless `text` is a number and nothing else.
bool ParseNumber(std::string_view text, std::int64_t* number) {
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, *number);
  return error == std::errc() && stop == end && *number >= 0;
}

absl::StatusOr<std::string> ReadStart(const std::string& path) {
  InputFile file(path);
  std::string start;
  if (!file.ok() || !file.Read(kPngSignature.size(), &start)) return Refuse(path, file.error());
  return start;
}

absl::StatusOr<InputImages> ReadPngInput(const std::string& path, const Shape& input,
                                         Invert invert) {
  const absl::StatusOr<GreyImage> image = ReadPng(path);
  if (!image.ok()) return image.status();
  absl::StatusOr<GreyImage> digit = PrepareDigit(*image, input.width, input.height, invert);
  if (!digit.ok()) return Refuse(path, std::string(digit.status().message()));
  InputImages result{.file = path, .indices = {0}};
  result.images = {
      .count = 1, .height = input.height, .width = input.width, .pixels = std::move(digit->pixels)};
  return result;
}

absl::StatusOr<InputImages> ReadIdxInput(const std::string& path, const Shape& input,
                                         std::vector<std::int64_t> indices, Invert invert) {
  IdxArray array;
  try {
    array = ReadIdxArray(path, 3);
  } catch (const DataError& error) {
    return absl::InvalidArgumentError(error.what());
  }
  const std::int64_t count = array.dimensions[0];
  if (array.dimensions[1] != input.height || array.dimensions[2] != input.width) {
    return Refuse(path,
                  fmt::format("its images are {}×{}; the network takes {}×{}", array.dimensions[1],
                              array.dimensions[2], input.height, input.width));
  }
  if (indices.empty()) {
    indices.resize(static_cast<std::size_t>(count));
    std::iota(indices.begin(), indices.end(), 0);
  }
  const std::int64_t largest = *std::max_element(indices.begin(), indices.end());
  if (largest >= count) {
    return Refuse(path,
                  fmt::format("has no image {}; it has {}, 0 to {}", largest, count, count - 1));
  }
  InputImages result{.file = path, .is_idx = true, .in_file = count, .indices = std::move(indices)};
  ImageSet& set = result.images;
  set = {.count = static_cast<int>(result.indices.size()),
         .height = input.height,
         .width = input.width};
  const std::int64_t size = std::int64_t{input.height} * input.width;
  set.pixels.reserve(result.indices.size() * static_cast<std::size_t>(size));
  for (const std::int64_t index : result.indices) {
    const auto begin = array.elements.begin() + index * size;
    set.pixels.insert(set.pixels.end(), begin, begin + size);
  }
  // Data sets are inverted only on request.
  if (invert == Invert::kYes) {
    for (std::uint8_t& pixel : set.pixels) pixel = static_cast<std::uint8_t>(255 - pixel);
  }
  return result;
}

}  // namespace

std::string InputImages::Name(std::size_t i) const {
  return is_idx ? fmt::format("{}:{}", file, indices[i]) : file;
}

absl::StatusOr<std::vector<std::int64_t>> ParseIndices(const std::string& text) {
  std::vector<std::int64_t> indices;
  for (const auto& piece : absl::StrSplit(text, ',')) {
    const std::string part(piece);
    const std::size_t dash = part.find('-');
    std::int64_t first = 0, last = 0;
    const bool sound = dash == std::string::npos
                           ? ParseNumber(part, &first)
                           : ParseNumber(part.substr(0, dash), &first) &&
                                 ParseNumber(part.substr(dash + 1), &last) && first <= last;
    if (dash == std::string::npos) last = first;
    if (!sound || static_cast<std::uint64_t>(last - first) >= kMaxIndices - indices.size()) {
      return absl::InvalidArgumentError(
          fmt::format("'{}' picks no images; write numbers and ranges, as 3,5-9", text));
    }
    for (std::int64_t index = first; index <= last; ++index) indices.push_back(index);
  }
  return indices;
}

absl::StatusOr<InputImages> ReadInput(const std::string& argument, const Shape& input,
                                      const std::vector<std::int64_t>& indices, Invert invert) {
  std::string path = argument;
  std::vector<std::int64_t> picked = indices;
  const std::size_t colon = argument.rfind(':');
  if (!Exists(path) && colon != std::string::npos && Exists(argument.substr(0, colon))) {
    path = argument.substr(0, colon);
    absl::StatusOr<std::vector<std::int64_t>> own = ParseIndices(argument.substr(colon + 1));
    if (!own.ok()) return Refuse(argument, std::string(own.status().message()));
    picked = *std::move(own);
  }
  const absl::StatusOr<std::string> start = ReadStart(path);
  if (!start.ok()) return start.status();
  if (start->starts_with(kPngSignature)) {
    if (path != argument) return Refuse(argument, "a PNG has no images to pick from");
    return ReadPngInput(path, input, invert);
  }
  if (start->starts_with(kGzipSignature) || start->starts_with(kIdxSignature)) {
    return ReadIdxInput(path, input, std::move(picked), invert);
  }
  return Refuse(path, "is neither a PNG nor an IDX file");
}

absl::StatusOr<std::vector<int>> ReadLabels(const std::string& path, const InputImages& images,
                                            int classes) {
  IdxArray labels;
  try {
    labels = ReadIdxArray(path, 1);
  } catch (const DataError& error) {
    return absl::InvalidArgumentError(error.what());
  }
  if (labels.dimensions[0] != images.in_file) {
    return Refuse(path, fmt::format("has {} labels, but {} has {} images", labels.dimensions[0],
                                    images.file, images.in_file));
  }
  std::vector<int> result;
  for (const std::int64_t index : images.indices) {
    const int label = labels.elements[static_cast<std::size_t>(index)];
    if (label >= classes) {
      return Refuse(path, fmt::format("label {} of image {} is none of the network's {} classes",
                                      label, index, classes));
    }
    result.push_back(label);
  }
  return result;
}

}  // namespace sweep::cli
