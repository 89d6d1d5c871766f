#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/models/png_image.h"
#include "common/network/network.h"
#include "worker/data/dataset.h"

namespace sweep::cli {

// Images from one file, in the size that the network takes.
struct InputImages {
  std::string file;
  bool is_idx = false;
  std::int64_t in_file = 1;           // number of images in the file
  std::vector<std::int64_t> indices;  // their indices; {0} for a PNG
  ImageSet images;                    // in that order, without labels
  // "digit.png" or "t10k.idx:17".
  std::string Name(std::size_t i) const;
};

// Parses "3,5-9" into 3 5 6 7 8 9. InvalidArgument naming the text.
absl::StatusOr<std::vector<std::int64_t>> ParseIndices(const std::string& text);

// Reads `argument`: a PNG of any size, or an IDX file, plain or gzip. "FILE:3,5-9" selects images,
// and `indices` does otherwise. InvalidArgument, naming the file, for any other file, for images of
// another size than `input` (IDX), and for indices beyond the file.
absl::StatusOr<InputImages> ReadInput(const std::string& argument, const Shape& input,
                                      const std::vector<std::int64_t>& indices, Invert invert);

// The labels of the images of an IDX file, in the order of `images.indices`. `path` is an IDX file
// of one dimension with as many labels as the file has images, all below `classes`.
absl::StatusOr<std::vector<int>> ReadLabels(const std::string& path, const InputImages& images,
                                            int classes);

}  // namespace sweep::cli
