#include "cli/models/strokes.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <utility>

#include "cli/models/stroke_parts.h"

namespace sweep::cli {
namespace {

constexpr int kWhite = 255;
// Less difference between ground and strokes is noise.
constexpr int kLeastContrast = 32;
// How deep a frame along the rim may be, as a share of the smaller side.
constexpr double kRimShare = 0.06;
// The share of the strokes' darkest that counts as drawn.
constexpr double kDrawnShare = 0.3;
// From the noise's median to its highest, in units of its upper quartile above the median; 0.67
// standard deviations are one.
constexpr int kNoiseReach = 6;
// The longer side of the reduced image in which the ground is looked for.
constexpr int kGroundSide = 200;
// The window, as a share of the smaller side.
constexpr double kGroundWindow = 0.45;

// How many pixels of an image become one of a reduced image.
int Reduction(const GreyImage& image, int side) {
  return std::max(1, (std::max(image.width, image.height) + side - 1) / side);
}

// The mean of every `factor` × `factor` pixels.
GreyImage Reduced(const GreyImage& image, int factor) {
  GreyImage result = BlackImage((image.width + factor - 1) / factor,
                                (image.height + factor - 1) / factor);
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

// The value of a reduced image at a pixel of the whole one, interpolated between centres.
class Enlarged {
 public:
  Enlarged(const GreyImage& reduced, int factor) : reduced_(reduced), factor_(factor) {}
  double At(int x, int y) const {
    const double u = std::clamp((x + 0.5) / factor_ - 0.5, 0.0, reduced_.width - 1.0);
    const double v = std::clamp((y + 0.5) / factor_ - 0.5, 0.0, reduced_.height - 1.0);
    const int left = static_cast<int>(u), top = static_cast<int>(v);
    const int right = std::min(left + 1, reduced_.width - 1);
    const int bottom = std::min(top + 1, reduced_.height - 1);
    const double upper =
        reduced_.At(left, top) + (u - left) * (reduced_.At(right, top) - reduced_.At(left, top));
    const double lower = reduced_.At(left, bottom) +
                         (u - left) * (reduced_.At(right, bottom) - reduced_.At(left, bottom));
    return upper + (v - top) * (lower - upper);
  }

 private:
  const GreyImage& reduced_;
  const int factor_;
};

// The median of the window around every pixel, as far as it lies within the image.
GreyImage LocalMedian(const GreyImage& image, int window) {
  GreyImage result = BlackImage(image.width, image.height);
  std::vector<std::uint8_t> values;
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x) {
      values.clear();
      for (int v = std::max(0, y - window / 2); v < std::min(image.height, y + window / 2 + 1);
           ++v) {
        const auto row = image.pixels.begin() + std::ptrdiff_t{v} * image.width;
        values.insert(values.end(), row + std::max(0, x - window / 2),
                      row + std::min(image.width, x + window / 2 + 1));
      }
      const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
      std::nth_element(values.begin(), middle, values.end());
      result.At(x, y) = *middle;
    }
  }
  return result;
}

// The largest value in the window around every place of a line, as far as it lies within.
void Dilate(std::vector<std::uint8_t>* line, int window) {
  const std::vector<std::uint8_t> from = *line;
  const int size = static_cast<int>(from.size());
  for (int i = 0; i < size; ++i) {
    (*line)[static_cast<std::size_t>(i)] =
        *std::max_element(from.begin() + std::max(0, i - window / 2),
                          from.begin() + std::min(size, i + window / 2 + 1));
  }
}

// By rows, then by columns.
void Dilate(GreyImage* image, int window) {
  for (int y = 0; y < image->height; ++y) {
    const auto row = image->pixels.begin() + std::ptrdiff_t{y} * image->width;
    std::vector<std::uint8_t> line(row, row + image->width);
    Dilate(&line, window);
    std::copy(line.begin(), line.end(), row);
  }
  for (int x = 0; x < image->width; ++x) {
    std::vector<std::uint8_t> line;
    for (int y = 0; y < image->height; ++y) line.push_back(image->At(x, y));
    Dilate(&line, window);
    for (int y = 0; y < image->height; ++y) image->At(x, y) = line[static_cast<std::size_t>(y)];
  }
}

void Negate(GreyImage* image) {
  for (std::uint8_t& pixel : image->pixels) pixel = static_cast<std::uint8_t>(kWhite - pixel);
}

// The part of an image that begins at (left, top), which may lie outside: there the rim goes on.
GreyImage Cut(const GreyImage& image, int left, int top, int width, int height) {
  GreyImage result = BlackImage(width, height);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      result.At(x, y) = image.At(std::clamp(left + x, 0, image.width - 1),
                                 std::clamp(top + y, 0, image.height - 1));
    }
  }
  return result;
}

// The ground of an image with dark strokes: without what is dark and narrower than the window. What
// reaches the rim counts as if it went on behind it.
GreyImage Ground(const GreyImage& image, int window) {
  GreyImage ground = LocalMedian(image, 3);  // without the peaks of noise
  ground = Cut(ground, -window, -window, image.width + 2 * window, image.height + 2 * window);
  Dilate(&ground, window);
  Negate(&ground);
  Dilate(&ground, window);
  Negate(&ground);
  return Cut(ground, window, window, image.width, image.height);
}

// The value that all but `share` of the pixels which are at least `least` stay below; 0 when none
// is.
int Peak(const GreyImage& image, int least, double share) {
  std::array<std::int64_t, kWhite + 1> counts{};
  for (const std::uint8_t pixel : image.pixels) ++counts[pixel];
  const std::int64_t all = std::accumulate(counts.begin() + least, counts.end(), std::int64_t{0});
  if (all == 0) return 0;
  std::int64_t above = 0;
  int peak = kWhite;
  while (above + counts[static_cast<std::size_t>(peak)] <= static_cast<std::int64_t>(all * share)) {
    above += counts[static_cast<std::size_t>(peak--)];
  }
  return peak;
}

// Takes from all pixels what half of them do not exceed: the ground lies above the middle of its
// noise. Returns how far above that noise reaches.
int ClearNoise(GreyImage* strokes) {
  const int middle = Peak(*strokes, 0, 0.5);
  const int high = Peak(*strokes, 0, 0.25);
  if (middle > kLeastContrast) return 0;  // more than half is drawn on
  for (std::uint8_t& pixel : strokes->pixels) {
    pixel = static_cast<std::uint8_t>(std::max(0, pixel - middle));
  }
  return std::min(kLeastContrast, kNoiseReach * (high - middle));
}

}  // namespace

int BorderMedian(const GreyImage& image) {
  std::vector<std::uint8_t> border;
  for (int x = 0; x < image.width; ++x) {
    border.push_back(image.At(x, 0));
    border.push_back(image.At(x, image.height - 1));
  }
  for (int y = 1; y + 1 < image.height; ++y) {
    border.push_back(image.At(0, y));
    border.push_back(image.At(image.width - 1, y));
  }
  // Of an even number the lower one, as PyTorch's median.
  const auto middle = border.begin() + static_cast<std::ptrdiff_t>((border.size() - 1) / 2);
  std::nth_element(border.begin(), middle, border.end());
  return *middle;
}

bool IsDarkOnLight(const GreyImage& image) {
  const int ground = BorderMedian(image);
  const std::int64_t moment = std::accumulate(
      image.pixels.begin(), image.pixels.end(), std::int64_t{0}, [&](std::int64_t sum, int pixel) {
        const std::int64_t difference = pixel - ground;
        return sum + difference * difference * difference;
      });
  return moment < 0;
}

namespace {

// What is darker than its ground, by how much.
struct Ink {
  GreyImage strokes;
  int peak = 0;  // 0: nothing
  std::int64_t roughness = 0;  // of the ground
  GreyImage ground = {};       // reduced by `factor`; none: even
  int factor = 1;
};

// The sum of all differences between neighbours.
std::int64_t Roughness(const GreyImage& image) {
  std::int64_t sum = 0;
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x) {
      if (x > 0) sum += std::abs(image.At(x, y) - image.At(x - 1, y));
      if (y > 0) sum += std::abs(image.At(x, y) - image.At(x, y - 1));
    }
  }
  return sum;
}

Ink FindInk(GreyImage image) {
  const int factor = Reduction(image, kGroundSide);
  const GreyImage reduced = Reduced(image, factor);
  const int window =
      std::max(3, static_cast<int>(kGroundWindow * std::min(reduced.width, reduced.height)));
  const GreyImage lowest = Ground(reduced, window);
  const Enlarged ground(lowest, factor);
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x) {
      const double difference = ground.At(x, y) - image.At(x, y);
      image.At(x, y) = static_cast<std::uint8_t>(std::max(0.0, difference));
    }
  }
  const int noise = ClearNoise(&image);
  const int peak = Peak(image, kLeastContrast, 0.02);
  return {.strokes = std::move(image),
          .peak = peak < kLeastContrast + noise ? 0 : peak,
          .roughness = Roughness(lowest),
          .ground = lowest,
          .factor = factor};
}

// Light multiplies ground and ink alike: strokes in a shadow become as strong as those outside. A
// ground that is nearly black says nothing of the light.
void EvenOutLight(Ink* ink) {
  constexpr int kLeastGround = 64;
  if (ink->ground.pixels.empty()) return;
  const int brightest = std::max<int>(kLeastGround, *std::max_element(ink->ground.pixels.begin(),
                                                                      ink->ground.pixels.end()));
  const Enlarged ground(ink->ground, ink->factor);
  for (int y = 0; y < ink->strokes.height; ++y) {
    for (int x = 0; x < ink->strokes.width; ++x) {
      const double scale = brightest / std::max<double>(kLeastGround, ground.At(x, y));
      std::uint8_t& pixel = ink->strokes.At(x, y);
      pixel = static_cast<std::uint8_t>(std::min<double>(kWhite, pixel * scale));
    }
  }
}

// Light strokes are the dark ones of the negative.
Ink FindLightInk(const GreyImage& image) {
  GreyImage negative = image;
  Negate(&negative);
  Ink ink = FindInk(std::move(negative));
  Negate(&ink.ground);
  return ink;
}

// As FindInk, of an even ground.
Ink FindInkOn(int ground, GreyImage image) {
  for (std::uint8_t& pixel : image.pixels) {
    pixel = static_cast<std::uint8_t>(std::max(0, ground - pixel));
  }
  const int peak = Peak(image, kLeastContrast, 0.02);
  return {.strokes = std::move(image), .peak = peak};
}

int DrawnFrom(int peak) {
  return std::max(kLeastContrast, static_cast<int>(kDrawnShare * peak));
}

// Whether the border is of one grey but for what reaches it.
bool IsEven(const GreyImage& image, int ground) {
  std::int64_t even = 0, all = 0;
  const auto count = [&](int x, int y) {
    ++all;
    even += std::abs(image.At(x, y) - ground) <= kLeastContrast / 2 ? 1 : 0;
  };
  for (int x = 0; x < image.width; ++x) count(x, 0), count(x, image.height - 1);
  for (int y = 0; y < image.height; ++y) count(0, y), count(image.width - 1, y);
  return even * 10 >= all * 9;
}

GreyImage Negative(GreyImage image) {
  Negate(&image);
  return image;
}

// The middle of the greys of a row or column that lies so deep below each of the four sides.
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

// Whether all four sides differ from what lies `deep`, and in the same direction.
bool IsRim(const std::array<int, 4>& medians, const std::array<int, 4>& deep, int least) {
  bool darker = true, lighter = true;
  for (std::size_t i = 0; i < medians.size(); ++i) {
    darker = darker && deep[i] - medians[i] >= least;
    lighter = lighter && medians[i] - deep[i] >= least;
  }
  return darker || lighter;
}

// Without a frame that runs along all four sides.
GreyImage WithoutRim(const GreyImage& image) {
  const int most = static_cast<int>(kRimShare * std::min(image.width, image.height));
  if (most < 1) return image;
  // Another line may lie at any one depth.
  std::array<int, 4> deep = SideMedians(image, most);
  const std::array<int, 4> deeper = SideMedians(image, most * 3 / 2);
  const std::array<int, 4> deepest = SideMedians(image, most * 2);
  for (std::size_t i = 0; i < deep.size(); ++i) {
    deep[i] = std::max(std::min(deep[i], deeper[i]),
                       std::min(std::max(deep[i], deeper[i]), deepest[i]));
  }
  if (!IsRim(SideMedians(image, 0), deep, kLeastContrast)) return image;
  int depth = 1;
  while (depth < most && IsRim(SideMedians(image, depth), deep, kLeastContrast / 4)) ++depth;
  return Cut(image, depth, depth, image.width - 2 * depth, image.height - 2 * depth);
}

// The strokes of whichever sign leaves the smoother ground. Between the strokes of a digit there is
// ground that is as narrow as they are; taken for light strokes, it leaves a ground with the
// digit's silhouette on it.
Ink FindEitherInk(const GreyImage& image) {
  Ink dark = FindInk(image), light = FindLightInk(image);
  const bool is_dark = dark.roughness != light.roughness ? dark.roughness < light.roughness
                                                         : IsDarkOnLight(image);
  return is_dark ? std::move(dark) : std::move(light);
}

}  // namespace

std::optional<GreyImage> FindStrokes(const GreyImage& whole, Invert invert) {
  const GreyImage image = WithoutRim(whole);
  Ink ink = invert == Invert::kAuto  ? FindEitherInk(image)
            : invert == Invert::kYes ? FindInk(image)
                                     : FindLightInk(image);
  if (ink.peak == 0) {
    // Strokes as wide as half of the image are no shadow when the rim is even.
    const int ground = BorderMedian(image);
    if (!IsEven(image, ground)) return std::nullopt;
    const bool dark = invert == Invert::kAuto ? IsDarkOnLight(image) : invert == Invert::kYes;
    ink = dark ? FindInkOn(ground, image) : FindInkOn(kWhite - ground, Negative(image));
    if (ink.peak == 0) return std::nullopt;
  }
  const int drawn = DrawnFrom(ink.peak);
  if (!KeepTheDigit(drawn, &ink.strokes)) return std::nullopt;
  EvenOutLight(&ink);
  const int brightest = Peak(ink.strokes, drawn, 0.05);
  for (std::uint8_t& pixel : ink.strokes.pixels) {
    pixel = static_cast<std::uint8_t>(std::min(kWhite, pixel * kWhite / brightest));
  }
  return std::move(ink.strokes);
}

}  // namespace sweep::cli
