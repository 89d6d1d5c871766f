// Writes the first N synthetic test images and their labels as IDX files, for tests that are not
// written in C++:  draw_digits N IMAGES LABELS

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include "worker/data/dataset.h"

namespace sweep {
namespace {

bool WriteIdx(const char* path, const std::vector<int>& dimensions,
              const std::vector<std::uint8_t>& elements) {
  std::ofstream file(path, std::ios::binary);
  file << std::string({0, 0, 8, static_cast<char>(dimensions.size())});
  for (const int side : dimensions) {
    for (int shift = 24; shift >= 0; shift -= 8) file.put(static_cast<char>(side >> shift));
  }
  file.write(reinterpret_cast<const char*>(elements.data()), std::ssize(elements));
  return static_cast<bool>(file.flush());
}

int Main(int argc, char** argv) {
  const int count = argc == 4 ? std::atoi(argv[1]) : 0;
  if (count <= 0) {
    std::cerr << "usage: draw_digits N IMAGES LABELS\n";
    return 2;
  }
  const DatasetSpec synthetic{.name = "synthetic", .train_size = 1, .test_size = count};
  const ImageSet images = LoadDataset(synthetic, "").test;
  const bool written = WriteIdx(argv[2], {count, images.height, images.width}, images.pixels) &&
                       WriteIdx(argv[3], {count}, images.labels);
  return written ? 0 : 1;
}

}  // namespace
}  // namespace sweep

int main(int argc, char** argv) { return sweep::Main(argc, argv); }
