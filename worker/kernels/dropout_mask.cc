#include "worker/kernels/dropout_mask.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "worker/kernels/dropout_mask.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "worker/kernels/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sweep::kernels {
namespace HWY_NAMESPACE {

using WordTag = hn::RebindToUnsigned<LaneTag>;
using Words = hn::Vec<WordTag>;

// The low and high halves of the 64-bit products of each lane with `factor`.
HWY_INLINE void MultiplyWide(Words a, std::uint32_t factor, Words* low, Words* high) {
  const WordTag d;
#if HWY_TARGET == HWY_SCALAR
  const std::uint64_t product = std::uint64_t{hn::GetLane(a)} * factor;
  *low = hn::Set(d, static_cast<std::uint32_t>(product));
  *high = hn::Set(d, static_cast<std::uint32_t>(product >> 32));
#else
  const hn::RepartitionToWide<WordTag> wide;
  const Words b = hn::Set(d, factor);
  const auto even = hn::MulEven(a, b);
  const auto odd = hn::MulEven(hn::BitCast(d, hn::ShiftRight<32>(hn::BitCast(wide, a))), b);
  *low = hn::OddEven(hn::BitCast(d, hn::ShiftLeft<32>(odd)), hn::BitCast(d, even));
  *high = hn::OddEven(hn::BitCast(d, odd), hn::BitCast(d, hn::ShiftRight<32>(even)));
#endif
}

// Philox4x32-10 (Salmon et al., SC 2011) on one counter per lane; `words` is the counter, then the
// result.
HWY_INLINE void Philox(Words words[4], std::uint64_t key) {
  const WordTag d;
  auto key0 = static_cast<std::uint32_t>(key);
  auto key1 = static_cast<std::uint32_t>(key >> 32);
  for (int round = 0; round < 10; ++round) {
    Words low0, high0, low1, high1;
    MultiplyWide(words[0], 0xD2511F53u, &low0, &high0);
    MultiplyWide(words[2], 0xCD9E8D57u, &low1, &high1);
    words[0] = hn::Xor(hn::Xor(high1, words[1]), hn::Set(d, key0));
    words[1] = low1;
    words[2] = hn::Xor(hn::Xor(high0, words[3]), hn::Set(d, key1));
    words[3] = low0;
    key0 += 0x9E3779B9u;
    key1 += 0xBB67AE85u;
  }
}

// The eight draws of Philox block `index`, counted from each image's first, as bits of kept images.
HWY_INLINE void KeepBitsOfBlocks(const DropoutMask& work, const std::uint64_t first[kLanes],
                                 std::uint64_t index, std::uint32_t keep[8]) {
  const WordTag d;
  const hn::RebindToSigned<WordTag> signed_tag;
  HWY_ALIGN std::uint32_t low[kLanes];
  HWY_ALIGN std::uint32_t high[kLanes];
  for (int lane = 0; lane < kLanes; ++lane) {
    low[lane] = static_cast<std::uint32_t>(first[lane] + index);
    high[lane] = static_cast<std::uint32_t>((first[lane] + index) >> 32);
  }
  const auto last_dropped = hn::Set(signed_tag, static_cast<std::int32_t>(work.threshold) - 1);
  std::fill_n(keep, 8, 0u);
  for (int g = 0; g < kGroups; ++g) {
    Words words[4] = {hn::Load(d, low + g * kGroup), hn::Load(d, high + g * kGroup),
                      hn::Set(d, work.step), hn::Set(d, work.layer)};
    Philox(words, work.key);
    for (int draw = 0; draw < 8; ++draw) {
      const Words word = words[draw / 2];
      const Words value =
          draw % 2 == 0 ? hn::And(word, hn::Set(d, 0xFFFFu)) : hn::ShiftRight<16>(word);
      const auto kept = hn::Gt(hn::BitCast(signed_tag, value), last_dropped);
      std::uint8_t bytes[8] = {};
      hn::StoreMaskBits(signed_tag, kept, bytes);
      const std::uint32_t bits = bytes[0] | std::uint32_t{bytes[1]} << 8;
      keep[draw] |= bits << (g * kGroup);
    }
  }
}

// Images whose first element has the same place in its Philox block, so that they step through
// their elements together.
struct Walk {
  int phase = 0;
  std::uint32_t lanes = 0;
  int next = 0;  // element of the image, channels last
  int channel = 0;
  int pixel = 0;
};

void DropoutMaskBlock(const DropoutMask& work, int block) {
  const Shape& shape = work.shape;
  const auto elements = static_cast<std::uint64_t>(shape.elements());
  const int pixels = shape.height * shape.width;
  std::uint64_t first[kLanes];
  Walk walks[8];
  int count = 0;
  for (int lane = 0; lane < kLanes; ++lane) {
    const std::uint64_t element = (std::uint64_t{kLanes} * block + lane) * elements;
    const int phase = static_cast<int>(element % 8);
    first[lane] = element / 8;
    Walk* walk =
        std::find_if(walks, walks + count, [&](const Walk& w) { return w.phase == phase; });
    if (walk == walks + count) walks[count++] = {.phase = phase, .next = -phase};
    walk->lanes |= 1u << lane;
  }
  std::uint16_t* out = work.bits + elements * static_cast<std::uint64_t>(block);
  std::fill_n(out, elements, std::uint16_t{0});
  const std::uint64_t blocks = (elements + 7 + 7) / 8;
  for (std::uint64_t index = 0; index < blocks; ++index) {
    std::uint32_t keep[8];
    KeepBitsOfBlocks(work, first, index, keep);
    for (int w = 0; w < count; ++w) {
      Walk& walk = walks[w];
      for (int draw = 0; draw < 8; ++draw, ++walk.next) {
        if (walk.next < 0 || walk.next >= static_cast<int>(elements)) continue;
        out[walk.channel * pixels + walk.pixel] |=
            static_cast<std::uint16_t>(keep[draw] & walk.lanes);
        if (++walk.channel == shape.channels) {
          walk.channel = 0;
          ++walk.pixel;
        }
      }
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace sweep::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sweep::kernels {

HWY_EXPORT(DropoutMaskBlock);

void RunUnit(const DropoutMask& work, int block) {
  HWY_DYNAMIC_DISPATCH(DropoutMaskBlock)(work, block);
}

}  // namespace sweep::kernels
#endif  // HWY_ONCE
