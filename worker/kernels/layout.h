#pragma once

#include <cstddef>
#include <memory>
#include <new>

#include "common/network/network.h"

namespace sweep::kernels {

// Activations lie in blocks of 16 images with the images as lanes: [block][channel][y][x][16]
// floats, 64-byte aligned, so that one pixel of one channel is one cache line and every operator
// is a loop over full vectors for any number of channels.
//
// The last block of a batch may hold fewer images. Its unused lanes are computed like the others:
// the batch's images and the gradients of the loss are zero there, all values between are finite
// but meaningless, no statistic or loss counts them, and every gradient in them is zero.
inline constexpr int kLanes = 16;
inline constexpr std::size_t kAlignment = 64;

constexpr int CeilDiv(int a, int b) { return (a + b - 1) / b; }

constexpr int Blocks(int images) { return CeilDiv(images, kLanes); }

// Images in block `block` of a batch.
constexpr int LanesIn(int images, int block) {
  const int left = images - block * kLanes;
  return left < kLanes ? left : kLanes;
}

// Floats of one block, and of a batch.
inline std::size_t BlockElements(const Shape& shape) {
  return static_cast<std::size_t>(shape.elements()) * kLanes;
}
inline std::size_t BatchElements(const Shape& shape, int images) {
  return BlockElements(shape) * static_cast<std::size_t>(Blocks(images));
}

// The half-open range [begin, end).
struct Range {
  int begin = 0;
  int end = 0;
  constexpr int size() const { return end - begin; }
};

// [0, total) cut into `parts` shares whose sizes differ by at most one, the larger ones first.
class Shares {
 public:
  constexpr Shares(int total, int parts)
      : parts_(parts), size_(total / parts), larger_(total % parts) {}
  constexpr int parts() const { return parts_; }
  constexpr Range operator[](int index) const { return {Begin(index), Begin(index + 1)}; }

 private:
  constexpr int Begin(int index) const {
    return index * size_ + (index < larger_ ? index : larger_);
  }
  int parts_, size_, larger_;
};

// Packs `count` images of [channel][y][x], one after another, into blocks; unused lanes become
// zero.
void PackImages(const float* images, int count, const Shape& shape, float* blocks);
// The reverse of PackImages.
void UnpackImages(const float* blocks, int count, const Shape& shape, float* images);

// Zeroed, 64-byte aligned memory for plain numbers. Fresh memory costs page faults, so large
// buffers must be allocated once, not per step.
template <typename T>
class AlignedBuffer {
 public:
  explicit AlignedBuffer(std::size_t size)
      : size_(size), data_(new(std::align_val_t{kAlignment}) T[size]()) {}
  T* data() { return data_.get(); }
  const T* data() const { return data_.get(); }
  std::size_t size() const { return size_; }
  T& operator[](std::size_t i) { return data_[i]; }
  const T& operator[](std::size_t i) const { return data_[i]; }

 private:
  struct Free {
    void operator()(T* data) const { ::operator delete[](data, std::align_val_t{kAlignment}); }
  };
  std::size_t size_;
  std::unique_ptr<T[], Free> data_;
};

}  // namespace sweep::kernels
