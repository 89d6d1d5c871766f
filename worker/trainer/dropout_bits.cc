#include "worker/trainer/dropout_bits.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace sweep {
namespace {

static_assert(std::endian::native == std::endian::little,
              "halves of a word are taken in memory order");

// One loop body for several instruction sets, chosen when the program is loaded. Integer arithmetic
// and one multiplication-free select give the same floats in every clone. Not with sanitizers,
// whose runtime has not started when the choice is made.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(SWEEP_SANITIZER)
#define SWEEP_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define SWEEP_CLONES
#endif

constexpr int kBlocks = 32;  // Philox blocks computed side by side
constexpr int kDraws = kBlocks * 8;

// Writes the factors of the kDraws elements from block `first` on.
SWEEP_CLONES void FillChunk(const DropoutStream& stream, std::uint64_t first,
                            std::uint32_t threshold, float kept, float* mask) {
  std::uint32_t w0[kBlocks], w1[kBlocks], w2[kBlocks], w3[kBlocks];
  for (int i = 0; i < kBlocks; ++i) {
    w0[i] = static_cast<std::uint32_t>(first + i);
    w1[i] = static_cast<std::uint32_t>((first + i) >> 32);
    w2[i] = stream.step;
    w3[i] = stream.layer;
  }
  std::uint32_t key0 = static_cast<std::uint32_t>(stream.key);
  std::uint32_t key1 = static_cast<std::uint32_t>(stream.key >> 32);
  for (int round = 0; round < 10; ++round) {
    for (int i = 0; i < kBlocks; ++i) {
      const std::uint64_t p0 = std::uint64_t{0xD2511F53u} * w0[i];
      const std::uint64_t p1 = std::uint64_t{0xCD9E8D57u} * w2[i];
      w0[i] = static_cast<std::uint32_t>(p1 >> 32) ^ w1[i] ^ key0;
      w1[i] = static_cast<std::uint32_t>(p1);
      w2[i] = static_cast<std::uint32_t>(p0 >> 32) ^ w3[i] ^ key1;
      w3[i] = static_cast<std::uint32_t>(p0);
    }
    key0 += 0x9E3779B9u;
    key1 += 0xBB67AE85u;
  }
  std::uint32_t words[kBlocks * 4];
  for (int i = 0; i < kBlocks; ++i) {
    words[4 * i] = w0[i];
    words[4 * i + 1] = w1[i];
    words[4 * i + 2] = w2[i];
    words[4 * i + 3] = w3[i];
  }
  std::uint16_t draws[kDraws];
  std::memcpy(draws, words, sizeof(draws));
  for (int i = 0; i < kDraws; ++i) mask[i] = draws[i] < threshold ? 0.0f : kept;
}

}  // namespace

void FillDropoutMask(const DropoutStream& stream, double p, std::size_t count, float* mask) {
  const std::uint32_t threshold = DropoutThreshold(p);
  const float kept = static_cast<float>(1.0 / (1.0 - p));
  const std::size_t whole = count / kDraws * kDraws;
  for (std::size_t element = 0; element < whole; element += kDraws) {
    FillChunk(stream, element / 8, threshold, kept, mask + element);
  }
  if (whole < count) {
    float tail[kDraws];
    FillChunk(stream, whole / 8, threshold, kept, tail);
    std::copy_n(tail, count - whole, mask + whole);
  }
}

}  // namespace sweep
