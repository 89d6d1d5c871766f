#include "worker/trainer/predictions_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

namespace sweep {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// Image i is filled with the value i, and its label is i % 10.
ImageSet Numbered(int count, int height, int width) {
  ImageSet set{.count = count, .height = height, .width = width};
  for (int i = 0; i < count; ++i) {
    set.pixels.insert(set.pixels.end(), static_cast<std::size_t>(height) * width,
                      static_cast<std::uint8_t>(i));
    set.labels.push_back(static_cast<std::uint8_t>(i % 10));
  }
  return set;
}

// Passes the tensors through a file's bytes, as a reader sees them.
SafeTensors Stored(const ImageSet& set, const std::vector<std::int32_t>& indices,
                   const std::string& predictions) {
  const SafeTensors content{.tensors = PredictionTensors(set, indices, predictions)};
  return ParseSafeTensors(SerializeSafeTensors(content), "test");
}

std::vector<std::int64_t> Mistakes(const SafeTensors& file) {
  const std::string& bytes = file.Find("mistakes")->bytes;
  std::vector<std::int64_t> mistakes(bytes.size() / 8);
  std::memcpy(mistakes.data(), bytes.data(), bytes.size());
  return mistakes;
}

TEST(PredictionsFile, HasTheLabelsAndThePixelsOfTheMistakes) {
  const std::string predictions{5, 5, 7, 0};
  const SafeTensors file = Stored(Numbered(9, 2, 3), {3, 5, 7, 8}, predictions);
  EXPECT_EQ(file.Find("predictions")->bytes, predictions);
  EXPECT_EQ(file.Find("labels")->bytes, (std::string{3, 5, 7, 8}));
  EXPECT_EQ(file.Find("labels")->dtype, "U8");
  EXPECT_EQ(file.Find("mistakes")->dtype, "I64");
  EXPECT_THAT(Mistakes(file), ElementsAre(0, 3));
  EXPECT_THAT(file.Find("images")->shape, ElementsAre(2, 1, 2, 3));
  EXPECT_EQ(file.Find("images")->bytes, std::string(6, 3) + std::string(6, 8));
}

TEST(PredictionsFile, WithoutAMistakeHasNoPictures) {
  const SafeTensors file = Stored(Numbered(2, 2, 2), {0, 1}, {0, 1});
  EXPECT_THAT(Mistakes(file), IsEmpty());
  EXPECT_THAT(file.Find("mistakes")->shape, ElementsAre(0));
  EXPECT_THAT(file.Find("images")->shape, ElementsAre(0, 1, 2, 2));
}

TEST(PredictionsFile, KeepsTheFirstMistakesOnly) {
  std::vector<std::int32_t> indices(200);
  for (std::int32_t i = 0; i < 200; ++i) indices[static_cast<std::size_t>(i)] = i;
  const std::string none_right(200, 11);
  const SafeTensors small = Stored(Numbered(200, 28, 28), indices, none_right);
  EXPECT_EQ(Mistakes(small).size(), 128u);
  EXPECT_EQ(Mistakes(small).back(), 127);
  EXPECT_EQ(small.Find("labels")->bytes.size(), 200u);

  const SafeTensors large = Stored(Numbered(200, 256, 256), indices, none_right);
  EXPECT_THAT(Mistakes(large), ElementsAre(0, 1, 2, 3));
  EXPECT_EQ(large.Find("images")->bytes.size(), 256u * 1024);

  const SafeTensors huge = Stored(Numbered(2, 600, 600), {0, 1}, {11, 11});
  EXPECT_THAT(Mistakes(huge), IsEmpty());
}

}  // namespace
}  // namespace sweep
