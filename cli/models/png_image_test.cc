#include "cli/models/png_image.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <png.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>

#include "cli/models/testing/models_testing.h"

namespace sweep::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// Writes a PNG of the given kind; `fill` appends the sample values row by row.
void WritePng(const std::string& path, int width, int height, int depth, int color, bool interlaced,
              const std::function<void(int x, int y, std::vector<png_byte>* row)>& fill) {
  std::FILE* const file = std::fopen(path.c_str(), "wb");
  ASSERT_NE(file, nullptr);
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png_create_info_struct(png);
  png_init_io(png, file);
  png_set_IHDR(png, info, static_cast<png_uint_32>(width), static_cast<png_uint_32>(height), depth,
               color, interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  const png_color palette[] = {{0, 0, 0}, {255, 255, 255}, {255, 0, 0}};
  const png_byte transparency[] = {255, 255, 0};
  if (color == PNG_COLOR_TYPE_PALETTE) {
    png_set_PLTE(png, info, palette, 3);
    png_set_tRNS(png, info, transparency, 3, nullptr);
  }
  png_write_info(png, info);
  std::vector<std::vector<png_byte>> rows(static_cast<std::size_t>(height));
  std::vector<png_bytep> pointers;
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) fill(x, y, &rows[static_cast<std::size_t>(y)]);
    pointers.push_back(rows[static_cast<std::size_t>(y)].data());
  }
  png_write_image(png, pointers.data());
  png_write_end(png, nullptr);
  png_destroy_write_struct(&png, &info);
  std::fclose(file);
}

int Pattern(int x, int y) { return (x * 16 + y * 7) % 256; }

class PngTest : public ::testing::Test {
 protected:
  TemporaryFolder folder_;
  const std::string path_ = folder_.path() + "/x.png";
  std::string Error() const {
    const auto image = ReadPng(path_);
    EXPECT_EQ(image.status().code(), absl::StatusCode::kInvalidArgument);
    return std::string(image.status().message());
  }
  void ExpectPattern(int tolerance = 0) const {
    const auto image = ReadPng(path_);
    ASSERT_TRUE(image.ok()) << image.status();
    ASSERT_EQ(image->width, 9);
    ASSERT_EQ(image->height, 5);
    for (int y = 0; y < 5; ++y) {
      for (int x = 0; x < 9; ++x) {
        EXPECT_NEAR(image->pixels[static_cast<std::size_t>(y * 9 + x)], Pattern(x, y), tolerance);
      }
    }
  }
};

TEST_F(PngTest, GreyIsReadAsItIs) {
  for (const bool interlaced : {false, true}) {
    WritePng(path_, 9, 5, 8, PNG_COLOR_TYPE_GRAY, interlaced,
             [](int x, int y, auto* row) { row->push_back(static_cast<png_byte>(Pattern(x, y))); });
    ExpectPattern();
  }
}

TEST_F(PngTest, SixteenBitsBecomeEight) {
  WritePng(path_, 9, 5, 16, PNG_COLOR_TYPE_GRAY, false, [](int x, int y, auto* row) {
    row->push_back(static_cast<png_byte>(Pattern(x, y)));
    row->push_back(static_cast<png_byte>(Pattern(x, y)));
  });
  ExpectPattern(1);
}

TEST_F(PngTest, GreyInColoursIsTheSameGrey) {
  WritePng(path_, 9, 5, 8, PNG_COLOR_TYPE_RGB, true, [](int x, int y, auto* row) {
    row->insert(row->end(), 3, static_cast<png_byte>(Pattern(x, y)));
  });
  ExpectPattern();
}

TEST_F(PngTest, ColoursBecomeGreyByBt601) {
  WritePng(path_, 3, 1, 8, PNG_COLOR_TYPE_RGB, false, [](int x, int, auto* row) {
    for (int c = 0; c < 3; ++c) row->push_back(c == x ? 255 : 0);
  });
  const auto image = ReadPng(path_);
  ASSERT_TRUE(image.ok());
  EXPECT_THAT(image->pixels, ::testing::ElementsAre(76, 150, 29));
}

// Yellow ink on white paper and blue on black have almost the same grey as their ground.
TEST_F(PngTest, ColoursOfOneGreyAreToldApart) {
  const int pairs[][2][3] = {{{255, 255, 255}, {255, 255, 0}}, {{0, 0, 0}, {0, 0, 255}}};
  for (const auto& pair : pairs) {
    WritePng(path_, 4, 1, 8, PNG_COLOR_TYPE_RGB, false, [&](int x, int, auto* row) {
      for (const int value : pair[x == 1 ? 1 : 0]) row->push_back(static_cast<png_byte>(value));
    });
    const auto image = ReadPng(path_);
    ASSERT_TRUE(image.ok());
    EXPECT_EQ(std::abs(image->pixels[0] - image->pixels[1]), 255);
  }
}

// The greys of a shadow differ more than those of yellow and white.
TEST_F(PngTest, ColoursOfOneGreyAreToldApartInAShadow) {
  WritePng(path_, 64, 4, 8, PNG_COLOR_TYPE_RGB, false, [](int x, int, auto* row) {
    const bool inked = x >= 30 && x < 34;
    for (const int value : {250, inked ? 240 : 250, inked ? 20 : 250}) {
      row->push_back(static_cast<png_byte>(value * (128 - x) / 128));
    }
  });
  const auto image = ReadPng(path_);
  ASSERT_TRUE(image.ok());
  EXPECT_GE(image->At(29, 1) - image->At(31, 1), 150);
}

TEST_F(PngTest, WhatIsTransparentIsPaper) {
  for (const int stroke : {0, 255}) {
    WritePng(path_, 3, 1, 8, PNG_COLOR_TYPE_GRAY_ALPHA, false, [&](int x, int, auto* row) {
      row->push_back(static_cast<png_byte>(x == 1 ? stroke : 90));
      row->push_back(x == 1 ? 255 : 0);
    });
    const auto image = ReadPng(path_);
    ASSERT_TRUE(image.ok());
    const int paper = 255 - stroke;
    EXPECT_THAT(image->pixels, ::testing::ElementsAre(paper, stroke, paper));
  }
  // Palette entry 2 is transparent.
  WritePng(path_, 3, 1, 8, PNG_COLOR_TYPE_PALETTE, false,
           [](int x, int, auto* row) { row->push_back(x == 1 ? 0 : 2); });
  EXPECT_THAT(ReadPng(path_)->pixels, ::testing::ElementsAre(255, 0, 255));
}

TEST_F(PngTest, DamagedFilesAreRefusedByName) {
  WritePng(path_, 64, 64, 8, PNG_COLOR_TYPE_GRAY, false,
           [](int x, int y, auto* row) { row->push_back(static_cast<png_byte>(x * y)); });
  std::ifstream in(path_, std::ios::binary);
  const std::string good{std::istreambuf_iterator<char>(in), {}};
  const auto write = [&](const std::string& bytes) {
    std::ofstream(path_, std::ios::binary).write(bytes.data(), std::ssize(bytes));
  };
  for (std::size_t size = 0; size < good.size() - 12; size += 7) {
    write(good.substr(0, size));
    EXPECT_THAT(Error(), HasSubstr("x.png: ")) << size;
  }
  std::string flipped = good;
  flipped[good.size() / 2] = static_cast<char>(flipped[good.size() / 2] ^ 0x55);
  write(flipped);
  EXPECT_THAT(Error(), HasSubstr("damaged"));
  write("GIF89a");
  EXPECT_THAT(Error(), HasSubstr("is no PNG"));
  std::filesystem::remove(path_);
  EXPECT_THAT(Error(), AllOf(HasSubstr("x.png"), HasSubstr("no such file")));
}

// A header of a few bytes must not cost gigabytes.
TEST_F(PngTest, HugeDimensionsAreRefusedBeforeMemoryIsTaken) {
  WritePng(path_, 1, 1, 8, PNG_COLOR_TYPE_GRAY, false,
           [](int, int, auto* row) { row->push_back(0); });
  std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
  std::string header(25, '\0');
  file.read(header.data(), 25);
  // Sets width and height to 60,000 and corrects the chunk's checksum.
  for (int i = 0; i < 2; ++i)
    header.replace(16 + static_cast<std::size_t>(i) * 4, 4, std::string("\0\0\xEA\x60", 4));
  std::uint32_t crc = 0xFFFFFFFF;
  for (std::size_t i = 12; i < 29 && i < header.size() + 4; ++i) {
    const auto byte = static_cast<unsigned char>(i < header.size() ? header[i] : 0);
    crc ^= byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ (crc & 1 ? 0xEDB88320 : 0);
  }
  crc = ~crc;
  // IHDR is 13 bytes: 12 … 28 are type and data; bytes 25 … 28 of this image are zeros.
  file.seekp(0);
  file.write(header.data(), 25);
  file.seekp(25);
  file.write("\0\0\0\0", 4);
  const char checksum[] = {static_cast<char>(crc >> 24), static_cast<char>(crc >> 16),
                           static_cast<char>(crc >> 8), static_cast<char>(crc)};
  file.write(checksum, 4);
  file.close();
  EXPECT_THAT(Error(), HasSubstr("60000×60000"));
}

GreyImage Blank(int width, int height, int value) {
  return {width, height,
          std::vector<std::uint8_t>(static_cast<std::size_t>(width) * height,
                                    static_cast<std::uint8_t>(value))};
}

// A filled rectangle.
GreyImage Drawn(int width, int height, int ground, int stroke, int left, int top, int right,
                int bottom) {
  GreyImage image = Blank(width, height, ground);
  for (int y = top; y < bottom; ++y) {
    for (int x = left; x < right; ++x)
      image.pixels[static_cast<std::size_t>(y) * width + x] = static_cast<std::uint8_t>(stroke);
  }
  return image;
}

TEST(PrepareDigit, AnImageOfTheRightSizeIsOnlyInverted) {
  const GreyImage dark = Drawn(28, 28, 10, 200, 3, 4, 9, 20);
  EXPECT_EQ(PrepareDigit(dark, 28, 28, Invert::kAuto)->pixels, dark.pixels);
  EXPECT_EQ(PrepareDigit(dark, 28, 28, Invert::kNo)->pixels, dark.pixels);
  const GreyImage inverted = Drawn(28, 28, 245, 55, 3, 4, 9, 20);
  EXPECT_EQ(PrepareDigit(dark, 28, 28, Invert::kYes)->pixels, inverted.pixels);
  EXPECT_EQ(PrepareDigit(inverted, 28, 28, Invert::kAuto)->pixels, dark.pixels);
  EXPECT_EQ(PrepareDigit(inverted, 28, 28, Invert::kNo)->pixels, inverted.pixels);
}

// A bar of 40 × 100 at any place, in any image size and either colour, becomes 8 × 20 in the
// middle.
TEST(PrepareDigit, AnyOtherIsCutScaledAndCentred) {
  const GreyImage expected = Drawn(28, 28, 0, 255, 10, 4, 18, 24);
  for (const auto& image :
       {Drawn(300, 200, 0, 255, 5, 50, 45, 150), Drawn(300, 200, 255, 0, 250, 90, 290, 190),
        Drawn(101, 101, 240, 100, 40, 1, 80, 101), Drawn(28, 27, 20, 120, 1, 1, 9, 21)}) {
    const auto prepared = PrepareDigit(image, 28, 28, Invert::kAuto);
    ASSERT_TRUE(prepared.ok());
    EXPECT_EQ(prepared->pixels, expected.pixels);
  }
}

TEST(PrepareDigit, TheCentreOfMassIsInTheMiddle) {
  // A heavy left bar with a light foot: the centre of mass is not the middle of the box.
  GreyImage image = Drawn(280, 280, 0, 255, 40, 40, 80, 240);
  for (int y = 220; y < 240; ++y) {
    for (int x = 80; x < 180; ++x) image.pixels[static_cast<std::size_t>(y) * 280 + x] = 255;
  }
  const auto prepared = PrepareDigit(image, 28, 28, Invert::kAuto);
  ASSERT_TRUE(prepared.ok());
  double mass = 0, columns = 0, rows = 0;
  for (int i = 0; i < 28 * 28; ++i) {
    const double value = prepared->pixels[static_cast<std::size_t>(i)];
    mass += value;
    columns += value * (i % 28 + 0.5);
    rows += value * (i / 28 + 0.5);
  }
  EXPECT_NEAR(columns / mass, 14, 0.5);
  EXPECT_NEAR(rows / mass, 14, 0.5);
}

TEST(PrepareDigit, AnImageWithNothingOnItIsRefused) {
  EXPECT_THAT(
      std::string(PrepareDigit(Blank(50, 50, 255), 28, 28, Invert::kAuto).status().message()),
      HasSubstr("blank"));
  EXPECT_FALSE(PrepareDigit(Drawn(50, 50, 120, 130, 20, 20, 30, 30), 28, 28, Invert::kAuto).ok());
}

TEST(PrepareDigit, ExtremeShapesFit) {
  EXPECT_TRUE(PrepareDigit(Drawn(2000, 3, 0, 255, 1, 1, 1999, 2), 28, 28, Invert::kAuto).ok());
  EXPECT_TRUE(PrepareDigit(Drawn(3, 2000, 0, 255, 1, 1, 2, 1999), 28, 28, Invert::kAuto).ok());
  EXPECT_TRUE(PrepareDigit(Drawn(3, 3, 0, 255, 1, 1, 2, 2), 28, 28, Invert::kAuto).ok());
  EXPECT_FALSE(PrepareDigit(Blank(1, 1, 255), 28, 28, Invert::kAuto).ok());
  EXPECT_TRUE(PrepareDigit(Drawn(90, 90, 0, 255, 10, 10, 80, 80), 1, 1, Invert::kAuto).ok());
}

}  // namespace
}  // namespace sweep::cli
