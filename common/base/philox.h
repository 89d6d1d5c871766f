#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace sweep {

// Philox4x32-10, the counter-based generator of Salmon, Moraes, Dror and Shaw, "Parallel random
// numbers: as easy as 1, 2, 3" (SC 2011). A pure function of (key, counter): any element of any
// stream can be computed alone, on any machine, in any order. Header only; used by the search and
// by the trainer.
using PhiloxBlock = std::array<std::uint32_t, 4>;

inline PhiloxBlock Philox4x32(PhiloxBlock counter, std::uint32_t key0, std::uint32_t key1) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = std::uint64_t{0xD2511F53u} * counter[0];
    const std::uint64_t p1 = std::uint64_t{0xCD9E8D57u} * counter[2];
    counter = {
        static_cast<std::uint32_t>(p1 >> 32) ^ counter[1] ^ key0, static_cast<std::uint32_t>(p1),
        static_cast<std::uint32_t>(p0 >> 32) ^ counter[3] ^ key1, static_cast<std::uint32_t>(p0)};
    key0 += 0x9E3779B9u;
    key1 += 0xBB67AE85u;
  }
  return counter;
}

// SplitMix64's finaliser (Steele, Lea, Flood 2014): mixes a 64-bit value; used to derive keys.
constexpr std::uint64_t Mix64(std::uint64_t x) {
  x += 0x9E3779B97F4A7C15u;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

// A 64-bit key for one purpose ("shuffle", "dropout", …) under a seed. FNV-1a over the purpose.
constexpr std::uint64_t DeriveKey(std::uint64_t seed, std::string_view purpose) {
  std::uint64_t hash = 0xCBF29CE484222325u;
  for (char c : purpose) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3u;
  return Mix64(seed ^ Mix64(hash));
}

// A sequential reader of one Philox stream. `stream` separates streams under one key (for example
// the epoch, or a trial's number). Value type; not thread-safe.
class PhiloxStream {
 public:
  PhiloxStream(std::uint64_t key, std::uint64_t stream) : key_(key), stream_(stream) {}

  std::uint32_t NextU32() {
    if (next_ == 4) {
      block_ = Philox4x32(
          {static_cast<std::uint32_t>(index_), static_cast<std::uint32_t>(index_ >> 32),
           static_cast<std::uint32_t>(stream_), static_cast<std::uint32_t>(stream_ >> 32)},
          static_cast<std::uint32_t>(key_), static_cast<std::uint32_t>(key_ >> 32));
      ++index_;
      next_ = 0;
    }
    return block_[next_++];
  }
  std::uint64_t NextU64() {
    const std::uint64_t low = NextU32();
    return low | (std::uint64_t{NextU32()} << 32);
  }
  // Uniform in [0, 1) with 53 random bits.
  double NextUniform() { return static_cast<double>(NextU64() >> 11) * 0x1.0p-53; }
  // Uniform integer in [0, bound). Requires bound > 0. Unbiased (Lemire's rejection).
  std::uint32_t NextBelow(std::uint32_t bound) {
    std::uint64_t product = std::uint64_t{NextU32()} * bound;
    if (static_cast<std::uint32_t>(product) < bound) {
      const std::uint32_t threshold = (0u - bound) % bound;
      while (static_cast<std::uint32_t>(product) < threshold) {
        product = std::uint64_t{NextU32()} * bound;
      }
    }
    return static_cast<std::uint32_t>(product >> 32);
  }

 private:
  std::uint64_t key_;
  std::uint64_t stream_;
  std::uint64_t index_ = 0;
  int next_ = 4;
  PhiloxBlock block_{};
};

}  // namespace sweep
