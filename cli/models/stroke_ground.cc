#include "cli/models/stroke_ground.h"

#include <algorithm>
#include <array>
#include <climits>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <numeric>
#include <utility>
#include <vector>

namespace sweep::cli {
namespace {

constexpr int kWhite = 255;
// A rim with smaller differences in grey is even.
constexpr int kEvenGround = 16;
// Side of the closing's window, as a share of the smaller side of the image.
constexpr double kWindow = 0.45;
// The quartile of normally distributed noise, in standard deviations.
constexpr double kQuartile = 0.674;
// A quarter of such noise lies closer to the middle than this.
constexpr double kNearQuartile = 0.319;
// The closing follows the upper edge of the noise. Its height above the middle, times this, is the
// least standard deviation assumed.
constexpr double kReach = 0.3;
// Contrast above this many standard deviations of the noise needs no smoothing. In a picture with a
// smaller side than kSmoothableSide, smoothing would erase the strokes.
constexpr double kClearContrast = 10;
constexpr int kSmoothableSide = 64;
constexpr int kMostSmoothings = 3;
// Greatest depth of a frame along the rim, as a share of the smaller side, and its least contrast.
constexpr double kRimShare = 0.06;
constexpr int kRimContrast = 32;
// A darker ground gives no information about the light.
constexpr int kLeastGround = 48;

GreyImage Transposed(const GreyImage& image) {
  GreyImage result = BlackImage(image.height, image.width);
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x) result.At(y, x) = image.At(x, y);
  }
  return result;
}

// The maximum in a window around each pixel of a row, clipped to the row. Takes the maximum of two
// parts of adjoining blocks of the window's length: from the pixel to the end of the first block,
// and from the start of the second (van Herk 1992, Gil and Werman 1993).
void DilateRows(GreyImage* image, int window) {
  const int reach = window / 2, block = 2 * reach + 1, size = image->width;
  const int padded = (size + 2 * reach + block - 1) / block * block;
  std::vector<std::uint8_t> row(static_cast<std::size_t>(padded)), from = row, to = row;
  for (int y = 0; y < image->height; ++y) {
    const auto begin = image->pixels.begin() + std::ptrdiff_t{y} * size;
    std::fill(row.begin(), row.end(), std::uint8_t{0});
    std::copy(begin, begin + size, row.begin() + reach);
    for (int i = 0; i < padded; ++i) {
      const auto at = static_cast<std::size_t>(i), back = static_cast<std::size_t>(padded - 1 - i);
      from[at] = i % block == 0 ? row[at] : std::max(from[at - 1], row[at]);
      to[back] = i % block == 0 ? row[back] : std::max(to[back + 1], row[back]);
    }
    for (int x = 0; x < size; ++x) {
      begin[x] =
          std::max(to[static_cast<std::size_t>(x)], from[static_cast<std::size_t>(x + block - 1)]);
    }
  }
}

void Dilate(GreyImage* image, int window) {
  DilateRows(image, window);
  *image = Transposed(*image);
  DilateRows(image, window);
  *image = Transposed(*image);
}

// The median of the 3 × 3 pixels around each pixel, which removes peaks of noise.
GreyImage WithoutPeaks(const GreyImage& image) {
  GreyImage result = image;
  std::array<std::uint8_t, 9> values{};
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x) {
      for (int i = 0; i < 9; ++i) {
        values[static_cast<std::size_t>(i)] =
            image.At(std::clamp(x + i % 3 - 1, 0, image.width - 1),
                     std::clamp(y + i / 3 - 1, 0, image.height - 1));
      }
      std::nth_element(values.begin(), values.begin() + 4, values.end());
      result.At(x, y) = values[4];
    }
  }
  return result;
}

// Mixes each pixel with its neighbours by the binomial weights 1, 2, 1 in both directions.
GreyImage Smoothed(GreyImage image) {
  for (int pass = 0; pass < 2; ++pass) {
    GreyImage mixed = image;
    for (int y = 0; y < image.height; ++y) {
      for (int x = 0; x < image.width; ++x) {
        const int sides =
            image.At(std::max(0, x - 1), y) + image.At(std::min(image.width - 1, x + 1), y);
        mixed.At(x, y) = static_cast<std::uint8_t>((2 * image.At(x, y) + sides + 2) / 4);
      }
    }
    image = Transposed(mixed);
  }
  return image;
}

struct Range {
  int low = 0, high = 0;
};

// The value that all but `share` of the pixels within `range` stay below; 0 when no pixel is
// within.
int Quantile(const GreyImage& image, const Range& range, double share) {
  std::array<std::int64_t, kWhite + 1> counts{};
  std::int64_t all = 0;
  for (const std::uint8_t pixel : image.pixels) {
    if (pixel < range.low || pixel > range.high) continue;
    ++counts[pixel];
    ++all;
  }
  if (all == 0) return 0;
  const auto most = static_cast<std::int64_t>(static_cast<double>(all) * share);
  std::int64_t above = 0;
  int value = range.high;
  while (above + counts[static_cast<std::size_t>(value)] <= most && value > range.low) {
    above += counts[static_cast<std::size_t>(value--)];
  }
  return value;
}

std::vector<std::uint8_t> Rim(const GreyImage& image) {
  std::vector<std::uint8_t> rim;
  for (int x = 0; x < image.width; ++x) {
    rim.push_back(image.At(x, 0));
    rim.push_back(image.At(x, image.height - 1));
  }
  for (int y = 1; y + 1 < image.height; ++y) {
    rim.push_back(image.At(0, y));
    rim.push_back(image.At(image.width - 1, y));
  }
  return rim;
}

// The grey of the ground at the rim: at least a quarter of the rim is as light.
int RimGround(const GreyImage& image) {
  std::vector<std::uint8_t> rim = Rim(image);
  const auto quarter = rim.begin() + static_cast<std::ptrdiff_t>(rim.size() / 4);
  std::nth_element(rim.begin(), quarter, rim.end(), std::greater<>());
  return *quarter;
}

// The row or column at `depth` below one side of an image; sides in order: top, bottom, left,
// right.
std::vector<std::uint8_t> Side(const GreyImage& image, int number, int depth = 0) {
  std::vector<std::uint8_t> side;
  const bool level = number < 2;
  for (int i = 0; i < (level ? image.width : image.height); ++i) {
    side.push_back(level ? image.At(i, number == 0 ? depth : image.height - 1 - depth)
                         : image.At(number == 2 ? depth : image.width - 1 - depth, i));
  }
  return side;
}

// The median grey of the row or column at `depth` below each of the four sides.
std::array<int, 4> SideMedians(const GreyImage& image, int depth) {
  std::array<std::vector<std::uint8_t>, 4> sides;
  for (int x = depth; x < image.width - depth; ++x) {
    sides[0].push_back(image.At(x, depth));
    sides[1].push_back(image.At(x, image.height - 1 - depth));
  }
  for (int y = depth; y < image.height - depth; ++y) {
    sides[2].push_back(image.At(depth, y));
    sides[3].push_back(image.At(image.width - 1 - depth, y));
  }
  std::array<int, 4> medians{};
  for (std::size_t i = 0; i < sides.size(); ++i) {
    const auto middle = sides[i].begin() + static_cast<std::ptrdiff_t>(sides[i].size() / 2);
    std::nth_element(sides[i].begin(), middle, sides[i].end());
    medians[i] = *middle;
  }
  return medians;
}

// The greys beside the four sides, behind a possible frame or line.
struct Deep {
  int most = 0;  // greatest depth of a frame
  std::array<int, 4> medians{};
};

Deep BesideRim(const GreyImage& image) {
  Deep deep;
  deep.most = static_cast<int>(kRimShare * std::min(image.width, image.height));
  if (deep.most < 1) return deep;
  // Takes the median of three depths, since another line may lie at one of them.
  deep.medians = SideMedians(image, deep.most);
  const std::array<int, 4> deeper = SideMedians(image, deep.most * 3 / 2);
  const std::array<int, 4> deepest = SideMedians(image, deep.most * 2);
  for (std::size_t i = 0; i < deeper.size(); ++i) {
    int& median = deep.medians[i];
    median =
        std::max(std::min(median, deeper[i]), std::min(std::max(median, deeper[i]), deepest[i]));
  }
  return deep;
}

// The depth of a line along one side from end to end, such as the last line of ruled paper; 0:
// none. `deep` is the grey behind it.
int LineDepth(const GreyImage& image, int side, int deep, int most) {
  constexpr double kEndToEnd = 0.95;
  const auto is_line = [&](int depth, int least) {
    const std::vector<std::uint8_t> greys = Side(image, side, depth);
    const auto share = [&](const auto& differs) {
      return static_cast<double>(std::count_if(greys.begin(), greys.end(), differs)) /
             static_cast<double>(greys.size());
    };
    return share([&](int grey) { return deep - grey >= least; }) >= kEndToEnd ||
           share([&](int grey) { return grey - deep >= least; }) >= kEndToEnd;
  };
  if (!is_line(0, kRimContrast)) return 0;
  int depth = 1;
  while (depth < most && is_line(depth, kRimContrast / 4)) ++depth;
  return depth;
}

// True when a line of that width along one side is the bar of a digit: the digit's strokes are
// about as wide, and exactly one reaches the opposite side, away from the corners. On squared paper
// many lines reach it, and a drawing on ruled paper is bolder than the lines.
bool IsBar(const GreyImage& image, int side, int width, const std::array<int, 4>& deep) {
  constexpr double kMostDrawn = 0.6;  // a larger share is a line there too
  const int line = SideMedians(image, 0)[static_cast<std::size_t>(side)];
  const int opposite = side ^ 1, ground = deep[static_cast<std::size_t>(opposite)];
  const int least = std::abs(line - deep[static_cast<std::size_t>(side)]) / 2;
  if (std::abs(line - ground) < kRimContrast) return false;
  const auto runs = [&](int from, int depth) {
    const std::vector<std::uint8_t> greys = Side(image, from, depth);
    std::vector<int> lengths = {0};
    const auto corner = static_cast<std::size_t>(2 * width);
    for (std::size_t i = corner; i + corner < greys.size(); ++i) {
      const bool is_drawn = line < ground ? ground - greys[i] >= least : greys[i] - ground >= least;
      if (is_drawn) {
        ++lengths.back();
      } else if (lengths.back() > 0) {
        lengths.push_back(0);
      }
    }
    if (lengths.back() == 0) lengths.pop_back();
    return lengths;
  };
  const std::vector<int> reaching = runs(opposite, 0);
  const double size = side < 2 ? image.width : image.height;
  if (reaching.size() != 1 || 2 * reaching[0] < width || reaching[0] > kMostDrawn * size)
    return false;
  const int across = side < 2 ? image.height : image.width;
  int thinnest = INT_MAX;
  for (const int share : {1, 2, 3}) {
    const std::vector<int> lengths = runs(side, across * share / 4);
    if (lengths.empty()) continue;
    thinnest = std::min(thinnest, *std::max_element(lengths.begin(), lengths.end()));
  }
  return thinnest <= 2 * width;
}

// The side along which the bar of a printed 2, 4, 5 or 7 lies, when the picture is cropped to the
// digit; -1: none.
int BarSide(const GreyImage& image, const Deep& deep) {
  if (deep.most < 1) return -1;
  for (int side = 0; side < 4; ++side) {
    const int beside = deep.medians[static_cast<std::size_t>(side)];
    const int width = LineDepth(image, side, beside, deep.most);
    if (width > 0 && IsBar(image, side, width, deep.medians)) return side;
  }
  return -1;
}

// True when a picture with dark strokes was cropped to them: each side has both ink and ground,
// edges are sharp, and nothing inside is lighter than the ground.
bool IsCutToStrokes(const GreyImage& image, int ground) {
  constexpr int kDeviation = 24;
  constexpr double kMostDrawn = 0.85, kMostLighter = 0.01, kSharp = 0.35;
  constexpr std::size_t kEdge = 3;
  const int bar = BarSide(image, BesideRim(image));
  int darkest = kWhite, step = 0;
  for (int number = 0; number < 4; ++number) {
    const std::vector<std::uint8_t> side = Side(image, number);
    const auto drawn = std::count_if(side.begin(), side.end(),
                                     [&](int grey) { return grey < ground - kDeviation; });
    const bool is_full = static_cast<double>(drawn) > kMostDrawn * static_cast<double>(side.size());
    if (drawn == 0 || (is_full && number != bar)) return false;
    darkest = std::min<int>(darkest, *std::min_element(side.begin(), side.end()));
    for (std::size_t i = kEdge; i < side.size(); ++i) {
      step = std::max(step, std::abs(side[i] - side[i - kEdge]));
    }
  }
  const auto lighter = std::count_if(image.pixels.begin(), image.pixels.end(),
                                     [&](int pixel) { return pixel > ground + kDeviation; });
  return step >= kSharp * (ground - darkest) &&
         static_cast<double>(lighter) <= kMostLighter * static_cast<double>(image.pixels.size());
}

// Treats content at the rim as continuing beyond it, except the strokes of a digit that the picture
// is cropped to.
GreyImage Closed(const GreyImage& image) {
  const int rim = RimGround(image);
  const bool is_cut = IsCutToStrokes(image, rim);
  const int side =
      is_cut ? std::max(image.width, image.height) : std::min(image.width, image.height);
  const int window = std::max(3, static_cast<int>(kWindow * side)), pad = window;
  GreyImage result = BlackImage(image.width + 2 * pad, image.height + 2 * pad);
  for (int y = 0; y < result.height; ++y) {
    for (int x = 0; x < result.width; ++x) {
      const int u = std::clamp(x - pad, 0, image.width - 1);
      const int v = std::clamp(y - pad, 0, image.height - 1);
      const bool is_behind = u != x - pad || v != y - pad;
      result.At(x, y) = is_cut && is_behind ? static_cast<std::uint8_t>(rim) : image.At(u, v);
    }
  }
  Dilate(&result, window);
  result = Negative(std::move(result));
  Dilate(&result, window);
  GreyImage closed = BlackImage(image.width, image.height);
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x) {
      closed.At(x, y) = static_cast<std::uint8_t>(kWhite - result.At(x + pad, y + pad));
    }
  }
  return closed;
}

// The greatest depth that counts as ground: half of the strokes' peak, or no limit (kWhite) when so
// many pixels lie around that half that it is noise.
int MostOfGround(const GreyImage& depth) {
  const int peak = Peak(depth, 1, 0.02);
  const auto between = std::count_if(depth.pixels.begin(), depth.pixels.end(), [&](int pixel) {
    return pixel * 4 > peak && pixel * 4 < 3 * peak;
  });
  const bool amidst = static_cast<double>(between) > 0.3 * static_cast<double>(depth.pixels.size());
  return amidst ? kWhite : peak / 2;
}

// The distance between corresponding pixels of two images that all but `share` stay below.
double Scatter(const GreyImage& image, const GreyImage& other, double share) {
  GreyImage distance = image;
  for (std::size_t i = 0; i < image.pixels.size(); ++i) {
    distance.pixels[i] = static_cast<std::uint8_t>(std::abs(image.pixels[i] - other.pixels[i]));
  }
  return Quantile(distance, {0, kWhite}, share);
}

// The closing follows the upper edge of the noise: subtracts the median of the ground's pixels from
// depth and ground, and measures the spread of the lower half.
void ClearNoise(Ink* ink) {
  const int most = MostOfGround(ink->depth);
  const int middle = Quantile(ink->depth, {0, most}, 0.5);
  const int low = Quantile(ink->depth, {0, most}, 0.75);
  ink->noise = std::max({ink->noise, (middle - low) / kQuartile, kReach * middle});
  for (std::uint8_t& depth : ink->depth.pixels) {
    depth = static_cast<std::uint8_t>(std::max(0, depth - middle));
  }
  for (std::uint8_t& grey : ink->ground.pixels) {
    grey = static_cast<std::uint8_t>(std::max(0, grey - middle));
  }
}

// The amount by which `image` is darker than `ground`.
GreyImage Below(const GreyImage& ground, const GreyImage& image) {
  GreyImage depth = image;
  for (std::size_t i = 0; i < image.pixels.size(); ++i) {
    depth.pixels[i] = static_cast<std::uint8_t>(std::max(0, ground.pixels[i] - image.pixels[i]));
  }
  return depth;
}

Ink Negated(Ink ink) {
  ink.is_negative = true;
  return ink;
}

// True when all four sides differ from `deep` by at least `least`, in the same direction.
bool IsRim(const std::array<int, 4>& medians, const std::array<int, 4>& deep, int least) {
  bool darker = true, lighter = true;
  for (std::size_t i = 0; i < medians.size(); ++i) {
    darker = darker && deep[i] - medians[i] >= least;
    lighter = lighter && medians[i] - deep[i] >= least;
  }
  return darker || lighter;
}

}  // namespace

int BarSide(const GreyImage& image) { return BarSide(image, BesideRim(image)); }

GreyImage WithoutRim(const GreyImage& image) {
  const Deep deep = BesideRim(image);
  if (deep.most < 1) return image;
  const std::array<int, 4>& medians = deep.medians;
  std::array<int, 4> depths{};
  if (IsRim(SideMedians(image, 0), medians, kRimContrast)) {
    int depth = 1;
    while (depth < deep.most && IsRim(SideMedians(image, depth), medians, kRimContrast / 4))
      ++depth;
    depths.fill(depth);
  } else {
    const int bar = BarSide(image, deep);
    // Beside a line lies ground; beside the soft edge of a cropped digit lies ink.
    const int ground = Quantile(image, {0, kWhite}, 0.5);
    for (std::size_t side = 0; side < depths.size(); ++side) {
      const int number = static_cast<int>(side);
      if (number == bar || std::abs(medians[side] - ground) >= kRimContrast) continue;
      depths[side] = LineDepth(image, number, medians[side], deep.most);
    }
  }
  const auto [top, bottom, left, right] = depths;
  if (top + bottom + left + right == 0) return image;
  GreyImage result = image;
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x) {
      result.At(x, y) = image.At(std::clamp(x, left, image.width - 1 - right),
                                 std::clamp(y, top, image.height - 1 - bottom));
    }
  }
  return result;
}

int BorderMedian(const GreyImage& image) {
  std::vector<std::uint8_t> border = Rim(image);
  // The lower median of an even number, as in PyTorch.
  const auto middle = border.begin() + static_cast<std::ptrdiff_t>((border.size() - 1) / 2);
  std::nth_element(border.begin(), middle, border.end());
  return *middle;
}

bool IsDarkOnLight(const GreyImage& image) {
  const int ground = BorderMedian(image);
  const std::int64_t moment = std::accumulate(image.pixels.begin(), image.pixels.end(),
                                              std::int64_t{0}, [&](std::int64_t sum, int pixel) {
                                                const std::int64_t difference = pixel - ground;
                                                return sum + difference * difference * difference;
                                              });
  return moment < 0;
}

bool IsEven(const GreyImage& image) {
  const int ground = BorderMedian(image);
  const std::vector<std::uint8_t> rim = Rim(image);
  const auto even = std::count_if(
      rim.begin(), rim.end(), [&](int pixel) { return std::abs(pixel - ground) <= kEvenGround; });
  return even * 10 >= std::ssize(rim) * 9;
}

int Peak(const GreyImage& image, int least, double share) {
  return Quantile(image, {least, kWhite}, share);
}

GreyImage Reduced(const GreyImage& image, int factor) {
  if (factor == 1) return image;
  GreyImage result =
      BlackImage((image.width + factor - 1) / factor, (image.height + factor - 1) / factor);
  for (int y = 0; y < result.height; ++y) {
    for (int x = 0; x < result.width; ++x) {
      const int right = std::min(image.width, (x + 1) * factor);
      const int bottom = std::min(image.height, (y + 1) * factor);
      int sum = 0;
      for (int v = y * factor; v < bottom; ++v) {
        for (int u = x * factor; u < right; ++u) sum += image.At(u, v);
      }
      const int count = (right - x * factor) * (bottom - y * factor);
      result.At(x, y) = static_cast<std::uint8_t>((sum + count / 2) / count);
    }
  }
  return result;
}

GreyImage Negative(GreyImage image) {
  for (std::uint8_t& pixel : image.pixels) pixel = static_cast<std::uint8_t>(kWhite - pixel);
  return image;
}

std::int64_t Ink::Roughness() const {
  std::int64_t sum = 0;
  const auto add = [&](std::int64_t step) { sum += step * step; };
  for (int y = 0; y < ground.height; ++y) {
    for (int x = 0; x < ground.width; ++x) {
      if (x > 0) add(ground.At(x, y) - ground.At(x - 1, y));
      if (y > 0) add(ground.At(x, y) - ground.At(x, y - 1));
    }
  }
  return sum;
}

Ink DarkInk(const GreyImage& image) {
  const int side = std::min(image.width, image.height);
  GreyImage seen = image;
  for (int smoothings = 0;; ++smoothings) {
    const GreyImage calm = WithoutPeaks(seen);
    Ink ink{.image = seen, .ground = Closed(calm)};
    ink.depth = Below(ink.ground, seen);
    ink.noise = Scatter(seen, calm, 0.5) / kQuartile;
    ClearNoise(&ink);
    ink.sharp = Below(ink.ground, image);
    const bool is_clear = Peak(ink.depth, 1, 0.02) >= kClearContrast * ink.noise;
    if (is_clear || side < kSmoothableSide || smoothings == kMostSmoothings) return ink;
    seen = Smoothed(std::move(seen));
  }
}

Ink LightInk(const GreyImage& image) { return Negated(DarkInk(Negative(image))); }

Ink DarkInkOn(int ground, const GreyImage& image) {
  GreyImage even = image;
  std::fill(even.pixels.begin(), even.pixels.end(), static_cast<std::uint8_t>(ground));
  const double noise = Scatter(image, even, 0.75) / kNearQuartile;
  const GreyImage depth = Below(even, image);
  return {
      .image = image, .ground = std::move(even), .depth = depth, .noise = noise, .sharp = depth};
}

Ink LightInkOn(int ground, const GreyImage& image) {
  return Negated(DarkInkOn(kWhite - ground, Negative(image)));
}

GreyImage InEvenLight(const Ink& ink) {
  const GreyImage ground = ink.is_negative ? Negative(ink.ground) : ink.ground;
  const int brightest =
      std::max(kLeastGround, int{*std::max_element(ground.pixels.begin(), ground.pixels.end())});
  GreyImage depth = ink.sharp;
  for (std::size_t i = 0; i < depth.pixels.size(); ++i) {
    const int light = std::max(kLeastGround, int{ground.pixels[i]});
    depth.pixels[i] =
        static_cast<std::uint8_t>(std::min(kWhite, depth.pixels[i] * brightest / light));
  }
  return depth;
}

}  // namespace sweep::cli
