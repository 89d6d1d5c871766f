#include "worker/kernels/dropout_mask.h"

#include <gtest/gtest.h>

#include "worker/kernels/testing/kernels_testing.h"
#include "worker/trainer/dropout_bits.h"

namespace sweep::kernels {
namespace {

// Shapes whose images begin at different places of a Philox block, and shapes whose images all
// begin at the same one.
TEST(DropoutMask, DropsTheElementsThatTheTrainersDefinitionDrops) {
  const DropoutStream stream{.key = DropoutKey(7), .step = 3, .layer = 5};
  const std::uint32_t threshold = DropoutThreshold(0.3);
  for (const Shape& shape : {Shape{16, 5, 4}, Shape{20, 7, 7}, Shape{3, 5, 1}, Shape{1, 3, 3},
                             Shape{10, 1, 1}, Shape{7, 1, 1}, Shape{1, 1, 1}}) {
    SCOPED_TRACE(testing::Message() << shape.channels << "x" << shape.height << "x" << shape.width);
    ForEachInstructionSet([&] {
      const auto elements = static_cast<std::size_t>(shape.elements());
      AlignedBuffer<std::uint16_t> bits(elements * 3);
      const DropoutMask work{stream.key, stream.step, stream.layer, threshold, shape, bits.data()};
      for (int block = 0; block < 3; ++block) RunUnit(work, block);
      for (int image = 0; image < 3 * kLanes; ++image) {
        for (std::size_t e = 0; e < elements; ++e) {
          const std::size_t channel = e % shape.channels;
          const std::size_t pixel = e / shape.channels;
          const std::size_t place =
              image / kLanes * elements + channel * (elements / shape.channels) + pixel;
          const bool kept = DropoutDraw(stream, image * elements + e) >= threshold;
          ASSERT_EQ(bits[place] >> image % kLanes & 1, kept ? 1 : 0)
              << "image " << image << ", element " << e;
        }
      }
    });
  }
}

TEST(DropoutMask, TheEndsOfTheRangeOfP) {
  AlignedBuffer<std::uint16_t> bits(9);
  DropoutMask work{.key = 1, .shape = {1, 3, 3}, .bits = bits.data()};
  RunUnit(work, 0);
  for (std::size_t i = 0; i < bits.size(); ++i) EXPECT_EQ(bits[i], 0xFFFF);
  work.threshold = 65536;
  RunUnit(work, 0);
  for (std::size_t i = 0; i < bits.size(); ++i) EXPECT_EQ(bits[i], 0);
}

}  // namespace
}  // namespace sweep::kernels
