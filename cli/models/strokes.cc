#include "cli/models/strokes.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <numeric>
#include <utility>
#include <vector>

#include "cli/models/stroke_ground.h"
#include "cli/models/stroke_parts.h"
#include "cli/models/stroke_rules.h"

namespace sweep::cli {
namespace {

constexpr int kWhite = 255;
// The longer side of the reduced image in which strokes are searched, and of the digit cut from it.
constexpr int kSearchSide = 480;
constexpr int kCutSide = 300;
// Reduction keeps the smaller side above kLeastNarrow, as long as the longer side is at most
// kMostLong.
constexpr int kLeastNarrow = 24;
constexpr int kMostLong = 4000;
// Smaller differences between ground and strokes are noise; so are those below kNoiseReach standard
// deviations.
constexpr double kLeastContrast = 16;
constexpr double kNoiseReach = 5;
// Pixels above this share of the strokes' peak are drawn; all but kPeakShare of the pixels stay
// below the peak, and all but kBrightestShare below the brightest grey.
constexpr double kDrawnShare = 0.3;
constexpr double kPeakShare = 0.02;
constexpr double kBrightestShare = 0.05;
// Strokes that reach this share of a peak account for it.
constexpr double kSamePeak = 0.7;
// A digit's peak exceeds the limit for noise by this factor.
constexpr double kLeastPeak = 1.4;
constexpr int kMostLayers = 5;
// When two grounds are this similar in roughness, it does not tell the strokes' sign.
constexpr double kCloseRoughness = 0.9;
// With at least this noise, in grey levels, a bright pixel with fewer than kLeastAround bright ones
// around it (including itself) is noise, if at most kMostGrain of the pixels are such.
constexpr double kGrain = 5;
constexpr int kDrawn = 64;
constexpr int kLeastAround = 4;
constexpr double kMostGrain = 0.1;

// A digit in a reduced image.
struct Digit {
  Ink ink;
  GreyImage map;  // 0: outside the digit
};

int LeastDepth(const Ink& ink) {
  return static_cast<int>(std::clamp(kNoiseReach * ink.noise, kLeastContrast, double{kWhite}));
}

GreyImage Drawn(const GreyImage& depth, int from) {
  GreyImage map = depth;
  for (std::uint8_t& pixel : map.pixels) pixel = pixel < from ? 0 : pixel;
  return map;
}

GreyImage Within(GreyImage image, const GreyImage& map) {
  for (std::size_t i = 0; i < image.pixels.size(); ++i) {
    if (map.pixels[i] == 0) image.pixels[i] = 0;
  }
  return image;
}

GreyImage Without(GreyImage image, const GreyImage& map) {
  for (std::size_t i = 0; i < image.pixels.size(); ++i) {
    if (map.pixels[i] != 0) image.pixels[i] = 0;
  }
  return image;
}

// Clears the pixels on and next to `others`, except those of `kept`.
void Erase(const GreyImage& others, const GreyImage& kept, GreyImage* depth) {
  *depth = Without(std::move(*depth), Without(Grown(others, 1), kept));
}

// Searches from the strongest layer down: a frame or specks may be far darker than the digit.
std::optional<GreyImage> FindDigit(const Ink& ink, int bar) {
  const int least = LeastDepth(ink);
  GreyImage depth = ink.depth;
  int peak = Peak(depth, least, kPeakShare);
  for (int layer = 0; layer < kMostLayers && peak > least; ++layer) {
    GreyImage map = Drawn(depth, std::max(least, static_cast<int>(kDrawnShare * peak)));
    GreyImage all = map;
    ClearRules(bar, &map);
    const bool found = KeepTheDigit(ink.image, peak, &map);
    const int own = found ? Peak(map, 1, kPeakShare) : 0;
    if (own >= kSamePeak * peak && own >= kLeastPeak * least) return map;
    Erase(Without(std::move(all), map), map, &depth);
    peak = found ? own : Peak(depth, least, kPeakShare);
  }
  return std::nullopt;
}

// Candidates for the drawing, the likeliest first. The ground between the strokes of a digit is as
// narrow as they are. Taken for strokes of the other sign, it leaves the digit's silhouette on the
// ground, which makes that ground rougher. With an even rim, strokes as wide as half of the image
// are no shadow.
std::vector<Ink> Inks(const GreyImage& image, Invert invert) {
  std::vector<Ink> inks;
  if (invert != Invert::kNo) inks.push_back(DarkInk(image));
  if (invert != Invert::kYes) inks.push_back(LightInk(image));
  if (inks.size() == 2) {
    const std::int64_t dark = inks[0].Roughness(), light = inks[1].Roughness();
    const auto [least, most] = std::minmax(dark, light);
    const bool is_close = static_cast<double>(least) >= kCloseRoughness * static_cast<double>(most);
    if (is_close ? !IsDarkOnLight(image) : dark > light) std::swap(inks[0], inks[1]);
  }
  if (!IsEven(image)) return inks;
  const bool is_dark = invert == Invert::kAuto ? IsDarkOnLight(image) : invert == Invert::kYes;
  const int ground = BorderMedian(image);
  inks.insert(inks.begin() + 1, is_dark ? DarkInkOn(ground, image) : LightInkOn(ground, image));
  return inks;
}

std::optional<Digit> Search(const GreyImage& image, Invert invert) {
  const int bar = BarSide(image);
  std::vector<Ink> inks = Inks(WithoutRim(image), invert);
  bool is_drawn = false;
  for (Ink& ink : inks) {
    // An empty box contains only ground, which looks like strokes of the other sign.
    if (is_drawn && ink.is_negative != inks[0].is_negative) break;
    const int least = LeastDepth(ink);
    is_drawn = is_drawn || Peak(ink.depth, least, kPeakShare) > least;
    std::optional<GreyImage> map = FindDigit(ink, bar);
    if (map) return Digit{std::move(ink), *std::move(map)};
  }
  return std::nullopt;
}

// Number of drawn pixels among a pixel and its neighbours.
int DrawnAround(const GreyImage& strokes, int x, int y) {
  int drawn = 0;
  for (int j = std::max(0, y - 1); j < std::min(strokes.height, y + 2); ++j) {
    for (int i = std::max(0, x - 1); i < std::min(strokes.width, x + 2); ++i) {
      drawn += strokes.At(i, j) >= kDrawn ? 1 : 0;
    }
  }
  return drawn;
}

// Removes single pixels along a stroke that noise makes as bright as the stroke, since they would
// enlarge the digit. A stroke's own pixels have several drawn neighbours. Keeps everything when
// many pixels would go: then the pen is fine.
GreyImage WithoutGrain(const GreyImage& strokes) {
  GreyImage result = strokes;
  int drawn = 0, cleared = 0;
  for (int y = 0; y < strokes.height; ++y) {
    for (int x = 0; x < strokes.width; ++x) {
      if (strokes.At(x, y) < kDrawn) continue;
      ++drawn;
      if (DrawnAround(strokes, x, y) >= kLeastAround) continue;
      ++cleared;
      result.At(x, y) = 0;
    }
  }
  return cleared <= kMostGrain * drawn ? result : strokes;
}

// Only the digit, at full brightness. The soft edge of a stroke is not drawn but belongs to it;
// there the smoothed depth keeps the noise out.
GreyImage Brightest(Digit digit) {
  Ink& ink = digit.ink;
  for (std::size_t i = 0; i < digit.map.pixels.size(); ++i) {
    if (digit.map.pixels[i] != 0) continue;
    ink.sharp.pixels[i] = std::min(ink.sharp.pixels[i], ink.depth.pixels[i]);
  }
  GreyImage strokes = Within(InEvenLight(ink), Grown(digit.map, 2));
  const int brightest = std::max(1, Peak(Within(strokes, digit.map), 1, kBrightestShare));
  for (std::uint8_t& pixel : strokes.pixels) {
    pixel = static_cast<std::uint8_t>(std::min(kWhite, pixel * kWhite / brightest));
  }
  return digit.ink.noise < kGrain ? strokes : WithoutGrain(strokes);
}

// The part of an image around the digit.
GreyImage Surroundings(const GreyImage& image, const GreyImage& map, int factor) {
  int left = map.width, top = map.height, right = 0, bottom = 0;
  for (int y = 0; y < map.height; ++y) {
    for (int x = 0; x < map.width; ++x) {
      if (map.At(x, y) == 0) continue;
      left = std::min(left, x), right = std::max(right, x + 1);
      top = std::min(top, y), bottom = std::max(bottom, y + 1);
    }
  }
  const int margin = std::max(right - left, bottom - top) / 3 + 1;
  left = std::max(0, (left - margin) * factor), top = std::max(0, (top - margin) * factor);
  right = std::min(image.width, (right + margin) * factor);
  bottom = std::min(image.height, (bottom + margin) * factor);
  GreyImage part = BlackImage(right - left, bottom - top);
  for (int y = top; y < bottom; ++y) {
    for (int x = left; x < right; ++x) part.At(x - left, y - top) = image.At(x, y);
  }
  return part;
}

// The number of pixels reduced to one, per side. A narrow image is not reduced unless it is too
// long.
int Reduction(const GreyImage& image, int side) {
  const auto [smaller, longer] = std::minmax(image.width, image.height);
  const int wanted = std::min((longer + side - 1) / side, smaller / kLeastNarrow);
  return std::max({1, wanted, (longer + kMostLong - 1) / kMostLong});
}

}  // namespace

std::optional<GreyImage> FindStrokesInPlace(const GreyImage& image, Invert invert) {
  std::optional<Digit> digit = Search(image, invert);
  if (!digit) return std::nullopt;
  return Brightest(*std::move(digit));
}

std::optional<GreyImage> FindStrokes(const GreyImage& image, Invert invert) {
  const int factor = Reduction(image, kSearchSide);
  std::optional<Digit> digit = Search(Reduced(image, factor), invert);
  if (!digit) return std::nullopt;
  if (factor > 1) {
    const GreyImage near = Surroundings(image, digit->map, factor);
    std::optional<Digit> again = Search(Reduced(near, Reduction(near, kCutSide)),
                                        digit->ink.is_negative ? Invert::kNo : Invert::kYes);
    if (again) return Brightest(*std::move(again));
  }
  return Brightest(*std::move(digit));
}

}  // namespace sweep::cli
