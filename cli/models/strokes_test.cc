// Realistic pictures: each must become the same as the digit alone.

#include "cli/models/strokes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <string>

#include "cli/models/png_image.h"
#include "common/base/philox.h"
#include "worker/data/dataset.h"

namespace sweep::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr int kDigits = 20;
constexpr int kScale = 5;
constexpr int kMargin = 10;
constexpr int kSide = 28 * kScale + 2 * kMargin;

// The inked share of each pixel, from 0 to 1.
struct Cover {
  int width = kSide, height = kSide;
  std::vector<double> values = std::vector<double>(static_cast<std::size_t>(kSide) * kSide);
  double& At(int x, int y) { return values[static_cast<std::size_t>(y) * width + x]; }
  double At(int x, int y) const { return values[static_cast<std::size_t>(y) * width + x]; }
  void Fill(int left, int top, int right, int bottom) {
    for (int y = top; y < bottom; ++y) {
      for (int x = left; x < right; ++x) At(x, y) = 1;
    }
  }
};

// A drawn digit, enlarged with smooth edges.
Cover Digit(int number) {
  static const ImageSet digits = SyntheticDigits(kDigits, 4);
  const auto pixel = [&](int x, int y) {
    if (x < 0 || x > 27 || y < 0 || y > 27) return 0.0;
    return digits.pixels[static_cast<std::size_t>(number) * 784 + y * 28 + x] / 255.0;
  };
  Cover cover;
  for (int y = 0; y < 28 * kScale; ++y) {
    for (int x = 0; x < 28 * kScale; ++x) {
      const double u = (x + 0.5) / kScale - 0.5, v = (y + 0.5) / kScale - 0.5;
      const int i = static_cast<int>(std::floor(u)), j = static_cast<int>(std::floor(v));
      const double value =
          (1 - u + i) * (1 - v + j) * pixel(i, j) + (u - i) * (1 - v + j) * pixel(i + 1, j) +
          (1 - u + i) * (v - j) * pixel(i, j + 1) + (u - i) * (v - j) * pixel(i + 1, j + 1);
      cover.At(x + kMargin, y + kMargin) = std::clamp((value - 0.25) * 2, 0.0, 1.0);
    }
  }
  return cover;
}

using Light = std::function<double(int x, int y)>;  // multiplies the greys

GreyImage Picture(const Cover& cover, int ground, int ink, const Light& light = nullptr) {
  GreyImage image = BlackImage(cover.width, cover.height);
  for (int y = 0; y < cover.height; ++y) {
    for (int x = 0; x < cover.width; ++x) {
      const double grey = ground + cover.At(x, y) * (ink - ground);
      image.At(x, y) = static_cast<std::uint8_t>(
          std::clamp(std::lround(grey * (light ? light(x, y) : 1)), 0L, 255L));
    }
  }
  return image;
}

// The mean difference between two prepared pictures; 255 when either is refused.
double Difference(const GreyImage& a, const GreyImage& b) {
  const auto first = PrepareDigit(a, 28, 28, Invert::kAuto);
  const auto second = PrepareDigit(b, 28, 28, Invert::kAuto);
  if (!first.ok() || !second.ok()) return 255;
  double sum = 0;
  for (std::size_t i = 0; i < first->pixels.size(); ++i) {
    sum += std::abs(first->pixels[i] - second->pixels[i]);
  }
  return sum / static_cast<double>(first->pixels.size());
}

// Each digit drawn by `draw` must be within `tolerance` grey levels of the digit on black; other
// digits differ by 30 to 90.
void ExpectSame(const std::function<GreyImage(Cover digit, int number)>& draw,
                double tolerance = 4) {
  std::string misses;
  for (int number = 0; number < kDigits; ++number) {
    const Cover digit = Digit(number);
    const double difference = Difference(draw(digit, number), Picture(digit, 0, 255));
    if (difference < tolerance) continue;
    misses += std::to_string(number) + ": " + std::to_string(difference) + "  ";
  }
  EXPECT_EQ(misses, "");
}

TEST(Strokes, DifferFromAnyGroundInEitherDirection) {
  for (const auto& [ground, ink] : std::vector<std::pair<int, int>>{{255, 0},
                                                                    {140, 240},
                                                                    {180, 250},
                                                                    {127, 200},
                                                                    {110, 15},
                                                                    {128, 60},
                                                                    {90, 40},
                                                                    {200, 140}}) {
    SCOPED_TRACE(std::to_string(ink) + " on " + std::to_string(ground));
    ExpectSame([&](const Cover& digit, int) { return Picture(digit, ground, ink); });
  }
}

TEST(Strokes, AreFoundInSmoothShadows) {
  ExpectSame([](const Cover& digit, int number) {
    return Picture(digit, 240, 30, [&](int x, int y) {
      const double along = (number % 2 == 0 ? x : y) / double{kSide};
      return 0.5 + 0.5 / (1 + std::exp(6 * (along - 0.5)));
    });
  });
  ExpectSame([](const Cover& digit, int) {
    return Picture(digit, 240, 40, [](int x, int y) {
      const double u = 2.0 * x / kSide - 1, v = 2.0 * y / kSide - 1;
      return 1 - 0.25 * (u * u + v * v);
    });
  });
}

TEST(Strokes, AreFoundAcrossTheEdgeOfAShadow) {
  ExpectSame(
      [](const Cover& digit, int number) {
        return Picture(digit, 235, 30, [&](int x, int y) {
          const int along = number % 3 == 0 ? x : number % 3 == 1 ? y : (x + y) / 2;
          return std::clamp(1 - (along - kSide * (3 + number % 4) / 8) * 0.2, 0.6, 1.0);
        });
      },
      10);
}

TEST(Strokes, AreNotTheBoxOfAForm) {
  for (const int margin : {0, 3, 7}) {
    for (const int thickness : {1, 2, 4}) {
      SCOPED_TRACE(std::to_string(margin) + " " + std::to_string(thickness));
      ExpectSame([&](Cover digit, int) {
        const int far = kSide - margin;
        digit.Fill(margin, margin, far, margin + thickness);
        digit.Fill(margin, far - thickness, far, far);
        digit.Fill(margin, margin, margin + thickness, far);
        digit.Fill(far - thickness, margin, far, far);
        return Picture(digit, 250, 20);
      });
    }
  }
}

TEST(Strokes, AreNotARuledLine) {
  ExpectSame([&](Cover digit, int) {
    digit.Fill(4, kSide - 9, kSide - 4, kSide - 7);
    return Picture(digit, 250, 20);
  });
}

TEST(Strokes, AreNotSpecks) {
  ExpectSame([&](Cover digit, int number) {
    PhiloxStream random(7, static_cast<std::uint64_t>(number));
    for (int i = 0; i < 6; ++i) {
      const int x = static_cast<int>(random.NextUniform() * 8);
      const int y = static_cast<int>(random.NextUniform() * (kSide - 5));
      const int left = i % 2 == 0 ? x : kSide - 5 - x;
      digit.Fill(left, y, left + 2 + i % 3, y + 2 + i % 3);
    }
    return Picture(digit, 255, 0);
  });
}

TEST(Strokes, AreFoundInNoiseAndOnALargePage) {
  ExpectSame(
      [](const Cover& digit, int number) {
        PhiloxStream random(9, static_cast<std::uint64_t>(number));
        GreyImage image = Picture(digit, 220, 50);
        for (std::uint8_t& pixel : image.pixels) {
          const double noise = random.NextUniform() + random.NextUniform() + random.NextUniform();
          pixel = static_cast<std::uint8_t>(pixel + (noise - 1.5) * 30);
        }
        return image;
      },
      12);  // noise may make the digit a pixel longer or shorter
  ExpectSame([](const Cover& digit, int number) {
    const GreyImage small = Picture(digit, 245, 30);
    GreyImage page{1600, 1300, std::vector<std::uint8_t>(std::size_t{1600} * 1300, 245)};
    for (int y = 0; y < kSide; ++y) {
      for (int x = 0; x < kSide; ++x) {
        page.At(x + 60 * number, y + 50 * number) = small.At(x, y);
      }
    }
    return page;
  });
}

TEST(Strokes, OfAPictureOfTheRightSizeKeepTheirPlace) {
  GreyImage light = BlackImage(28, 28), dark = light, black = light;
  for (std::size_t i = 0; i < black.pixels.size(); ++i) {
    const bool inked = i % 28 > 4 && i % 28 < 9 && i > 100 && i < 500;
    black.pixels[i] = inked ? 255 : 0;
    light.pixels[i] = inked ? 240 : 140;
    dark.pixels[i] = inked ? 20 : 110;
  }
  EXPECT_EQ(PrepareDigit(light, 28, 28, Invert::kAuto)->pixels, black.pixels);
  EXPECT_EQ(PrepareDigit(dark, 28, 28, Invert::kAuto)->pixels, black.pixels);
  EXPECT_EQ(PrepareDigit(light, 28, 28, Invert::kNo)->pixels, light.pixels);
}

TEST(Strokes, AreNotThereOnABlankPicture) {
  const Cover empty;
  PhiloxStream random(3, 1);
  GreyImage noise = Picture(empty, 200, 0);
  for (std::uint8_t& pixel : noise.pixels) {
    pixel = static_cast<std::uint8_t>(pixel + random.NextUniform() * 24);
  }
  Cover frame;
  frame.Fill(5, 5, kSide - 5, 8);
  frame.Fill(5, kSide - 8, kSide - 5, kSide - 5);
  frame.Fill(5, 5, 8, kSide - 5);
  frame.Fill(kSide - 8, 5, kSide - 5, kSide - 5);
  const Light shadow = [](int x, int) { return 1 - 0.5 * x / kSide; };
  const Light edge = [](int x, int y) { return x + y > kSide ? 0.6 : 1.0; };
  for (const GreyImage& image :
       {Picture(empty, 255, 0), Picture(empty, 0, 0), Picture(empty, 128, 0), noise,
        Picture(frame, 255, 0), Picture(empty, 240, 0, shadow), Picture(empty, 240, 0, edge)}) {
    const auto digit = PrepareDigit(image, 28, 28, Invert::kAuto);
    EXPECT_THAT(std::string(digit.status().message()),
                AllOf(HasSubstr("is blank"), HasSubstr("--invert")));
  }
}

// Lines from rim to rim, `step` apart, with darkness `strength`.
void Rule(int first, int step, double strength, double tilt, Cover* cover) {
  for (int y = 0; y < cover->height; ++y) {
    for (int x = 0; x < cover->width; ++x) {
      const double at = y - tilt * x - first + 10.0 * step;
      if (std::fmod(at, step) < 2) cover->At(x, y) = std::max(cover->At(x, y), strength);
    }
  }
}

Cover Turned(const Cover& cover) {
  Cover turned;
  for (int y = 0; y < cover.height; ++y) {
    for (int x = 0; x < cover.width; ++x) turned.At(y, x) = cover.At(x, y);
  }
  return turned;
}

TEST(Strokes, AreNotTheLinesOfPaper) {
  for (const double strength : {1.0, 0.35}) {
    for (const double tilt : {0.0, 0.03}) {
      SCOPED_TRACE(std::to_string(strength) + " " + std::to_string(tilt));
      ExpectSame(
          [&](Cover digit, int number) {
            Rule(number, 40, strength, tilt, &digit);
            return Picture(digit, 250, 20);
          },
          16);
    }
  }
  ExpectSame(
      [](Cover digit, int number) {
        Rule(number, 32, 0.6, 0, &digit);
        digit = Turned(digit);
        Rule(number, 32, 0.6, 0, &digit);
        return Picture(Turned(digit), 250, 20);
      },
      20);
}

// A box with one side outside the picture.
void FillSides(int without, Cover* cover) {
  const int margin = 4, far = kSide - margin, thickness = 3;
  if (without != 0) cover->Fill(margin, margin, far, margin + thickness);
  if (without != 1) cover->Fill(margin, far - thickness, far, far);
  if (without != 2) cover->Fill(margin, margin, margin + thickness, far);
  if (without != 3) cover->Fill(far - thickness, margin, far, far);
}

TEST(Strokes, AreNotABoxOfThreeSides) {
  for (int without = 0; without < 4; ++without) {
    SCOPED_TRACE(without);
    ExpectSame([&](Cover digit, int) {
      FillSides(without, &digit);
      return Picture(digit, 250, 20);
    });
  }
}

TEST(Strokes, MayBeFarPalerThanTheirBox) {
  ExpectSame([](const Cover& digit, int) {
    Cover box;
    FillSides(-1, &box);
    GreyImage image = Picture(digit, 250, 205);
    for (std::size_t i = 0; i < image.pixels.size(); ++i) {
      if (box.values[i] > 0) image.pixels[i] = 10;
    }
    return image;
  });
}

// Crops a picture to its drawing.
GreyImage CutTo(const Cover& digit, const GreyImage& whole) {
  int left = kSide, top = kSide, right = 0, bottom = 0;
  for (int y = 0; y < kSide; ++y) {
    for (int x = 0; x < kSide; ++x) {
      if (digit.At(x, y) < 0.3) continue;
      left = std::min(left, x), right = std::max(right, x + 1);
      top = std::min(top, y), bottom = std::max(bottom, y + 1);
    }
  }
  GreyImage image = BlackImage(right - left, bottom - top);
  for (int y = top; y < bottom; ++y) {
    for (int x = left; x < right; ++x) image.At(x - left, y - top) = whole.At(x, y);
  }
  return image;
}

Cover Bolder(const Cover& digit, int by) {
  Cover bold;
  for (int y = by; y < kSide - by; ++y) {
    for (int x = by; x < kSide - by; ++x) {
      for (int i = 0; i < (2 * by + 1) * (2 * by + 1); ++i) {
        const double value = digit.At(x + i % (2 * by + 1) - by, y + i / (2 * by + 1) - by);
        bold.At(x, y) = std::max(bold.At(x, y), value);
      }
    }
  }
  return bold;
}

// Cropping removes a part of soft edges.
TEST(Strokes, MayFillTheWholePicture) {
  for (const auto& [ground, ink] : {std::pair{255, 0}, {140, 250}}) {
    for (const int bolder : {0, 2}) {
      for (int number = 0; number < kDigits; ++number) {
        const Cover digit = Bolder(Digit(number), bolder);
        const GreyImage cut = CutTo(digit, Picture(digit, ground, ink));
        EXPECT_LT(Difference(cut, Picture(digit, 0, 255)), 22) << number << " " << bolder;
      }
    }
  }
}

// A fifth of the light is left in the corners: only the squares of the steps show that the ground
// without the digit's silhouette is smoother.
TEST(Strokes, KeepTheirSignInAStrongVignette) {
  ExpectSame(
      [](const Cover& digit, int) {
        return Picture(digit, 240, 40, [](int x, int y) {
          const double u = 2.0 * x / kSide - 1, v = 2.0 * y / kSide - 1;
          return 1 - 0.4 * (u * u + v * v);
        });
      },
      16);
}

TEST(Strokes, AreNeitherDustNorTheLinesOfPaperNorRoundShadows) {
  const Cover empty;
  PhiloxStream random(5, 2);
  Cover dust, lines, squares, box;
  for (int i = 0; i < 12; ++i) {
    const int x = 7 + 12 * i, y = static_cast<int>(random.NextUniform() * (kSide - 4));
    dust.Fill(x, y, x + 1 + i % 3, y + 1 + i % 3);
  }
  Rule(9, 40, 1, 0, &lines);
  Rule(9, 20, 0.4, 0, &squares);
  squares = Turned(squares);
  Rule(9, 20, 0.4, 0, &squares);
  FillSides(2, &box);
  const Light thumb = [](int x, int y) {
    const double distance = std::hypot(x - 0.1 * kSide, y + 5.0) / kSide;
    return 0.55 + 0.45 * std::clamp((distance - 0.35) * 24, 0.0, 1.0);
  };
  int number = 0;
  GreyImage noise = Picture(empty, 128, 0), small_noise{28, 28, {}};
  for (std::uint8_t& pixel : noise.pixels) {
    const double sum = random.NextUniform() + random.NextUniform() + random.NextUniform();
    pixel = static_cast<std::uint8_t>(pixel + (sum - 1.5) * 50);
  }
  for (int i = 0; i < 784; ++i) {
    small_noise.pixels.push_back(static_cast<std::uint8_t>(235 + random.NextUniform() * 10));
  }
  for (const GreyImage& image :
       {Picture(dust, 250, 20), Picture(lines, 250, 20), Picture(squares, 250, 20),
        Picture(box, 250, 20), Picture(empty, 245, 0, thumb), noise, small_noise,
        GreyImage{28, 28, std::vector<std::uint8_t>(784, 255)}}) {
    SCOPED_TRACE(number++);
    EXPECT_THAT(std::string(PrepareDigit(image, 28, 28, Invert::kAuto).status().message()),
                HasSubstr("is blank"));
  }
}

// Content that continues beyond the rim counts as ground; a line at the rim does not.
TEST(Strokes, AreNotALineAlongTheRim) {
  ExpectSame(
      [](Cover digit, int number) {
        Rule(number % 2, 40, 1, 0, &digit);
        digit.Fill(0, kSide - 1, kSide, kSide);
        return Picture(digit, 250, 20);
      },
      16);
  Cover lines;
  Rule(39, 40, 1, 0, &lines);
  lines.Fill(0, 0, kSide, 1);
  EXPECT_FALSE(PrepareDigit(Picture(lines, 250, 20), 28, 28, Invert::kAuto).ok());
  // The upright lines of squared paper reach the opposite side.
  for (const int every : {20, 30, 40}) {
    Cover squares;
    for (int at = kSide - 2; at > 0; at -= every) {
      squares.Fill(0, at, kSide, at + 2);
      squares.Fill(at - 7, 0, at - 5, kSide);
    }
    EXPECT_FALSE(PrepareDigit(Picture(squares, 250, 90), 28, 28, Invert::kAuto).ok()) << every;
    ExpectSame(
        [&](Cover digit, int) {
          for (std::size_t i = 0; i < digit.values.size(); ++i) {
            digit.values[i] = std::max(digit.values[i], squares.values[i]);
          }
          return Picture(digit, 250, 90);
        },
        24);
  }
  // A thin seven on the last line of squared paper.
  for (const int every : {30, 40}) {
    Cover seven, squares;
    seven.Fill(45, 40, 115, 45);
    for (int y = 45; y < kSide; ++y) seven.Fill(125 - y / 3, y, 129 - y / 3, y + 1);
    squares = seven;
    for (int at = kSide - 2; at > 0; at -= every) {
      squares.Fill(0, at, kSide, at + 2);
      squares.Fill(at - 7, 0, at - 5, kSide);
    }
    EXPECT_LT(Difference(Picture(squares, 250, 90), Picture(seven, 250, 90)), 24) << every;
  }
  // A bold stroke from the upper rim down to a line along the lower one.
  for (const int width : {1, 2, 3}) {
    Cover bar, ruled;
    bar.Fill(80, 0, 92, kSide);
    ruled = bar;
    ruled.Fill(0, kSide - width, kSide, kSide);
    EXPECT_LT(Difference(Picture(ruled, 250, 20), Picture(bar, 250, 20)), 4) << width;
  }
}

// The bar of a thin printed digit lies along the whole side of a picture cropped to it.
TEST(Strokes, AreTheBarOfAPrintedDigit) {
  const auto stroke = [](double u, double v, double x, double y, Cover* cover) {
    for (int step = 0; step <= 400; ++step) {
      const int left = static_cast<int>(u + (x - u) * step / 400);
      const int top = static_cast<int>(v + (y - v) * step / 400);
      cover->Fill(left, top, left + 4, top + 4);
    }
  };
  Cover seven, two, five;
  stroke(40, 30, 110, 30, &seven), stroke(110, 30, 70, 130, &seven);
  stroke(40, 60, 75, 30, &two), stroke(75, 30, 110, 60, &two), stroke(110, 60, 40, 130, &two);
  stroke(40, 130, 110, 130, &two);
  stroke(110, 30, 40, 30, &five), stroke(40, 30, 40, 70, &five), stroke(40, 70, 110, 90, &five);
  stroke(110, 90, 75, 130, &five), stroke(75, 130, 40, 110, &five);
  for (const Cover* digit : {&seven, &two, &five}) {
    for (const auto& [ground, ink] : {std::pair{255, 0}, {235, 90}, {20, 240}}) {
      const GreyImage whole = Picture(*digit, ground, ink);
      EXPECT_LT(Difference(CutTo(*digit, whole), whole), 2) << ground;
    }
  }
}

// An upright stroke on a line of squared paper hides most of the line.
TEST(Strokes, LeaveTheLineThatTheyAreDrawnAlong) {
  Cover bar;
  bar.Fill(78, 25, 92, 135);
  Cover squares;
  Rule(5, 20, 0.4, 0, &squares);
  squares = Turned(squares);
  Rule(5, 20, 0.4, 0, &squares);
  Cover drawn = squares;
  drawn.Fill(78, 25, 92, 135);
  EXPECT_LT(Difference(Picture(drawn, 250, 20), Picture(bar, 0, 255)), 8);
}

// Specks all over a page must not affect the distance allowed between parts of a digit.
TEST(Strokes, OfASmallDigitAreNotJoinedToSpecksOfItsPage) {
  GreyImage page{400, 300, std::vector<std::uint8_t>(std::size_t{400} * 300, 250)}, clean = page;
  for (int y = 120; y < 170; ++y) {
    for (int x = 200; x < 208; ++x) page.At(x, y) = clean.At(x, y) = 20;
  }
  for (const auto& [left, top] :
       {std::pair{20, 20}, {360, 30}, {30, 260}, {370, 270}, {216, 175}}) {
    for (int y = top; y < top + 6; ++y) {
      for (int x = left; x < left + 6; ++x) page.At(x, y) = 20;
    }
  }
  EXPECT_LT(Difference(page, clean), 1);
}

TEST(Strokes, OfASmallPictureAreNoRules) {
  GreyImage seven{20, 20, std::vector<std::uint8_t>(400, 255)};
  for (int x = 3; x < 17; ++x) seven.At(x, 4) = seven.At(x, 5) = 0;
  for (int y = 6; y < 18; ++y) seven.At(15 - y / 2, y) = seven.At(16 - y / 2, y) = 0;
  const auto digit = PrepareDigit(seven, 28, 28, Invert::kAuto);
  ASSERT_TRUE(digit.ok()) << digit.status();
  int brightest = 0;
  for (int y = 2; y < 10; ++y) brightest = std::max<int>(brightest, digit->At(8, y));
  EXPECT_GE(brightest, 128);
}

// Strokes in a shadow are as strong as outside it.
TEST(Strokes, OfAPictureOfTheRightSizeAreStrongInAShadow) {
  GreyImage image = BlackImage(28, 28);
  for (int y = 0; y < 28; ++y) {
    for (int x = 0; x < 28; ++x) {
      const bool inked = y > 11 && y < 16 && x > 4 && x < 23;
      image.At(x, y) = static_cast<std::uint8_t>((inked ? 40 : 240) * (1 - 0.45 * x / 27));
    }
  }
  const auto digit = PrepareDigit(image, 28, 28, Invert::kAuto);
  ASSERT_TRUE(digit.ok()) << digit.status();
  EXPECT_GE(digit->At(20, 13), 200);
}

// In a picture of the network's size, the drawing is lighter than its black surroundings.
TEST(Strokes, OfAPictureOfTheRightSizeLeaveItsLightAndItsFrame) {
  GreyImage vignette = BlackImage(28, 28), framed = vignette;
  for (int y = 0; y < 28; ++y) {
    for (int x = 0; x < 28; ++x) {
      const bool inked = x > 11 && x < 16 && y > 4 && y < 23;
      const double u = (x - 13.5) / 14, v = (y - 13.5) / 14;
      const double light = 1 - 0.26 * (u * u + v * v);
      vignette.At(x, y) = static_cast<std::uint8_t>((inked ? 40 : 240) * light);
      const bool frame = x == 0 || y == 0 || x == 27 || y == 27;
      framed.At(x, y) = inked || frame ? 20 : 250;
    }
  }
  for (const GreyImage& image : {vignette, framed}) {
    const auto digit = PrepareDigit(image, 28, 28, Invert::kAuto);
    ASSERT_TRUE(digit.ok()) << digit.status();
    EXPECT_GE(digit->At(13, 13), 200);
    EXPECT_LE(digit->At(2, 2), 24);
    EXPECT_LE(digit->At(0, 14), 24);
    EXPECT_LE(digit->At(22, 13), 24);
  }
}

TEST(Strokes, OfOneSignOnlyAreLookedForWhenAskedFor) {
  const GreyImage dark = Picture(Digit(3), 230, 40);
  EXPECT_TRUE(PrepareDigit(dark, 28, 28, Invert::kYes).ok());
  const GreyImage bar = [] {
    Cover cover;
    cover.Fill(60, 20, 70, 140);
    return Picture(cover, 230, 40);
  }();
  EXPECT_TRUE(PrepareDigit(bar, 28, 28, Invert::kYes).ok());
  EXPECT_THAT(std::string(PrepareDigit(bar, 28, 28, Invert::kNo).status().message()),
              HasSubstr("--invert yes or auto"));
}

}  // namespace
}  // namespace sweep::cli
