#include "cli/models/png_image.h"

#include <png.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "cli/models/stroke_ground.h"
#include "cli/models/strokes.h"
#include "common/base/input_file.h"
#include "fmt/format.h"

namespace sweep::cli {
namespace {

constexpr std::int64_t kMaxPixels = 40'000'000;
constexpr int kWhite = 255;
// The share of the image side that MNIST's digits fill.
constexpr double kDigitShare = 20.0 / 28.0;
// Stroke width is measured with the digit's longer side at kPenSide pixels. Strokes thinner than
// kFinePen of that side are thickened. A pixel is inked from grey kInked on.
constexpr int kPenSide = 80;
constexpr double kFinePen = 0.07;
constexpr int kInked = 100;
// A picture of the network's size with a smaller range of greys is blank.
constexpr int kLeastRange = 24;
// Up to this grey the ground counts as black.
constexpr int kNearlyBlack = 32;
// A single colour channel replaces the grey when its steps exceed this multiple of the grey's.
constexpr int kFlatGrey = 9;
// From these greys on a stroke's pixel counts as drawn, and as no longer ground.
constexpr int kDrawn = 64;
constexpr int kGround = 24;

absl::Status RefuseImage(const std::string& path, const std::string& what) {
  return absl::InvalidArgumentError(fmt::format("{}: {}", path, what));
}

// The grey of each four-byte pixel.
std::vector<std::uint8_t> Luma(const std::vector<std::uint8_t>& rgba) {
  std::vector<std::uint8_t> luma(rgba.size() / 4);
  for (std::size_t i = 0; i < luma.size(); ++i) {
    const std::uint8_t* const p = &rgba[4 * i];
    luma[i] = static_cast<std::uint8_t>((299 * p[0] + 587 * p[1] + 114 * p[2] + 500) / 1000);
  }
  return luma;
}

// The visible contrast: the sum of squared steps between opaque neighbours. A shadow is as dark as
// ink but has no steps.
std::int64_t Steps(const std::vector<std::uint8_t>& light, const std::vector<std::uint8_t>& rgba,
                   std::size_t width) {
  std::int64_t sum = 0;
  const auto add = [&](std::size_t i, std::size_t j) {
    if (rgba[4 * i + 3] < 128 || rgba[4 * j + 3] < 128) return;
    const std::int64_t step = light[i] - light[j];
    sum += step * step;
  };
  for (std::size_t i = 0; i < light.size(); ++i) {
    if (i % width != 0) add(i, i - 1);
    if (i >= width) add(i, i - width);
  }
  return sum;
}

// Converts four bytes per pixel to grey, ignoring transparency. Yellow on white and blue on black
// have nearly equal greys; there the colour channel with the most contrast replaces the grey.
std::vector<std::uint8_t> ToLight(const std::vector<std::uint8_t>& rgba, std::size_t width) {
  std::vector<std::uint8_t> light = Luma(rgba);
  std::int64_t most = kFlatGrey * Steps(light, rgba, width);
  std::vector<std::uint8_t> one(light.size());
  for (std::size_t color = 0; color < 3; ++color) {
    for (std::size_t i = 0; i < one.size(); ++i) one[i] = rgba[4 * i + color];
    if (const std::int64_t steps = Steps(one, rgba, width); steps > most) {
      most = steps;
      light = one;
    }
  }
  return light;
}

// Blends transparent pixels with paper. `rgba` is not premultiplied.
std::vector<std::uint8_t> ToGrey(const std::vector<std::uint8_t>& rgba, std::size_t width) {
  std::vector<std::uint8_t> light = ToLight(rgba, width);
  std::int64_t weighted = 0, cover = 0;
  for (std::size_t i = 0; i < light.size(); ++i) {
    weighted += std::int64_t{light[i]} * rgba[4 * i + 3];
    cover += rgba[4 * i + 3];
  }
  const int ground = weighted < 128 * std::max<std::int64_t>(1, cover) ? kWhite : 0;
  for (std::size_t i = 0; i < light.size(); ++i) {
    const int alpha = rgba[4 * i + 3];
    light[i] = static_cast<std::uint8_t>(
        (light[i] * alpha + ground * (kWhite - alpha) + kWhite / 2) / kWhite);
  }
  return light;
}

// Prepares a picture that has the network's size: it keeps its place and becomes light strokes on
// black. nullopt when nothing is drawn.
std::optional<GreyImage> LightOnBlack(const GreyImage& whole, Invert invert) {
  const GreyImage seen = invert == Invert::kAuto ? WithoutRim(whole) : whole;
  GreyImage image = seen;
  const auto [low, high] = std::minmax_element(image.pixels.begin(), image.pixels.end());
  if (*high - *low < kLeastRange) return std::nullopt;
  if (invert == Invert::kYes || (invert == Invert::kAuto && IsDarkOnLight(image))) {
    image = Negative(std::move(image));
  }
  const int ground = BorderMedian(image);
  const int brightest = *std::max_element(image.pixels.begin(), image.pixels.end());
  if (invert != Invert::kAuto || ground < kNearlyBlack || ground == brightest) return image;
  // Uses the original, not the negative: light does not multiply in a negative.
  if (!IsEven(image)) return FindStrokesInPlace(seen, Invert::kAuto);
  for (std::uint8_t& pixel : image.pixels) {
    pixel = static_cast<std::uint8_t>(std::max(0, pixel - ground) * kWhite / (brightest - ground));
  }
  return image;
}

std::string ExplainBlank(Invert invert) {
  if (invert == Invert::kAuto) {
    return "is blank: nothing on it differs enough from its ground (--invert yes looks for dark "
           "strokes only, --invert no for light ones)";
  }
  return invert == Invert::kYes
             ? "has no dark strokes on a light ground; --invert no or auto looks for light ones"
             : "has no light strokes on a dark ground; --invert yes or auto looks for dark ones";
}

struct Box {
  int left, top, right, bottom;  // right and bottom are past the end
};

Box DrawnBox(const GreyImage& image) {
  Box box{image.width, image.height, 0, 0};
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x) {
      if (image.pixels[static_cast<std::size_t>(y) * image.width + x] < kDrawn) continue;
      box = {std::min(box.left, x), std::min(box.top, y), std::max(box.right, x + 1),
             std::max(box.bottom, y + 1)};
    }
  }
  return box;
}

// The mean of `image` over [x0, x1) × [y0, y1); pixels at the edge count by their share within.
double AreaMean(const GreyImage& image, double x0, double x1, double y0, double y1) {
  double sum = 0;
  for (int y = static_cast<int>(y0); y < std::min<double>(image.height, std::ceil(y1)); ++y) {
    const double rows = std::min(y1, y + 1.0) - std::max(y0, double(y));
    for (int x = static_cast<int>(x0); x < std::min<double>(image.width, std::ceil(x1)); ++x) {
      const double columns = std::min(x1, x + 1.0) - std::max(x0, double(x));
      sum += rows * columns * image.pixels[static_cast<std::size_t>(y) * image.width + x];
    }
  }
  return sum / ((x1 - x0) * (y1 - y0));
}

// The part `box` of `image` at another size; each new pixel is the mean of its area.
GreyImage Scaled(const GreyImage& image, const Box& box, int width, int height) {
  GreyImage result{width, height,
                   std::vector<std::uint8_t>(static_cast<std::size_t>(width) * height)};
  const double step_x = static_cast<double>(box.right - box.left) / width;
  const double step_y = static_cast<double>(box.bottom - box.top) / height;
  std::vector<double> values;
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      values.push_back(AreaMean(image, box.left + x * step_x, box.left + (x + 1) * step_x,
                                box.top + y * step_y, box.top + (y + 1) * step_y));
    }
  }
  // Restores the brightness that thin strokes lose when a large image is scaled down.
  const double brightest = std::max(1.0, *std::max_element(values.begin(), values.end()));
  std::transform(values.begin(), values.end(), result.pixels.begin(), [&](double value) {
    return static_cast<std::uint8_t>(std::lround(value * kWhite / brightest));
  });
  return result;
}

// The mean width of strokes, from their area and the length of their outline.
double StrokeWidth(const GreyImage& image) {
  int area = 0, outline = 0;
  const auto drawn = [&](int x, int y) {
    const bool within = x >= 0 && x < image.width && y >= 0 && y < image.height;
    return within && image.At(x, y) >= kInked;
  };
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x) {
      if (!drawn(x, y)) continue;
      ++area;
      outline += !drawn(x - 1, y) + !drawn(x + 1, y) + !drawn(x, y - 1) + !drawn(x, y + 1);
    }
  }
  return outline == 0 ? 0 : 2.0 * area / outline;
}

// Thickens fine strokes to at least MNIST's width. The image has only the digit and room around it.
GreyImage Thickened(const GreyImage& digit, int radius) {
  GreyImage result = BlackImage(digit.width + 2 * radius, digit.height + 2 * radius);
  for (int y = 0; y < digit.height; ++y) {
    for (int x = 0; x < digit.width; ++x) {
      for (int v = -radius; v <= radius; ++v) {
        for (int u = -radius; u <= radius; ++u) {
          std::uint8_t& pixel = result.At(x + radius + u, y + radius + v);
          if (u * u + v * v <= radius * radius + 1) pixel = std::max(pixel, digit.At(x, y));
        }
      }
    }
  }
  return result;
}

// The part `box` of an image of strokes, with fine strokes thickened.
GreyImage WithoutFinePen(const GreyImage& strokes, const Box& box) {
  GreyImage part = BlackImage(box.right - box.left, box.bottom - box.top);
  for (int y = 0; y < part.height; ++y) {
    std::copy_n(strokes.pixels.begin() + std::ptrdiff_t{box.top + y} * strokes.width + box.left,
                part.width, part.pixels.begin() + std::ptrdiff_t{y} * part.width);
  }
  const int longest = std::max(part.width, part.height);
  if (longest <= kPenSide) return part;
  const double scale = static_cast<double>(kPenSide) / longest;
  const GreyImage small = Scaled(part, {0, 0, part.width, part.height},
                                 std::max(1, static_cast<int>(std::lround(part.width * scale))),
                                 std::max(1, static_cast<int>(std::lround(part.height * scale))));
  const double width = StrokeWidth(small);
  if (width == 0 || width >= kFinePen * kPenSide) return part;
  // Finer strokes grow more, so that there is no jump at the limit.
  const int radius = static_cast<int>(std::lround(kFinePen * kPenSide - width));
  return radius < 1 ? part : Thickened(small, radius);
}

// The position for `side` columns with sums `sums` that puts their centre of mass in the middle of
// `whole`.
int CentredOffset(const std::vector<double>& sums, int whole) {
  double mass = 0, moment = 0;
  for (std::size_t i = 0; i < sums.size(); ++i) {
    mass += sums[i];
    moment += sums[i] * (static_cast<double>(i) + 0.5);
  }
  const int side = static_cast<int>(sums.size());
  return std::clamp(static_cast<int>(std::lround(whole / 2.0 - moment / mass)), 0, whole - side);
}

GreyImage Placed(const GreyImage& digit, int width, int height) {
  std::vector<double> columns(static_cast<std::size_t>(digit.width));
  std::vector<double> rows(static_cast<std::size_t>(digit.height));
  for (std::size_t i = 0; i < digit.pixels.size(); ++i) {
    columns[i % columns.size()] += digit.pixels[i];
    rows[i / columns.size()] += digit.pixels[i];
  }
  const int left = CentredOffset(columns, width);
  const int top = CentredOffset(rows, height);
  GreyImage result{width, height,
                   std::vector<std::uint8_t>(static_cast<std::size_t>(width) * height)};
  for (int y = 0; y < digit.height; ++y) {
    std::copy_n(digit.pixels.begin() + std::ptrdiff_t{y} * digit.width, digit.width,
                result.pixels.begin() + std::ptrdiff_t{top + y} * width + left);
  }
  return result;
}

}  // namespace

absl::StatusOr<GreyImage> ReadPng(const std::string& path) {
  InputFile input(path);
  if (!input.ok()) return RefuseImage(path, input.error());
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(fdopen(input.Release(), "rb"),
                                                             &std::fclose);
  if (!file) return RefuseImage(path, std::strerror(errno));
  png_image png{};
  png.version = PNG_IMAGE_VERSION;
  const std::unique_ptr<png_image, void (*)(png_image*)> guard(&png, &png_image_free);
  if (!png_image_begin_read_from_stdio(&png, file.get())) {
    return RefuseImage(path, fmt::format("is no PNG that can be read: {}", png.message));
  }
  const std::int64_t pixels = std::int64_t{png.width} * png.height;
  if (pixels > kMaxPixels) {
    return RefuseImage(
        path, fmt::format("is {}×{}, more than {} pixels", png.width, png.height, kMaxPixels));
  }
  png.format = PNG_FORMAT_RGBA;
  // 16 bits without a gamma chunk are sRGB in most files, not linear.
  png.flags |= PNG_IMAGE_FLAG_16BIT_sRGB;
  std::vector<std::uint8_t> rgba(static_cast<std::size_t>(pixels) * 4);
  if (!png_image_finish_read(&png, nullptr, rgba.data(), 0, nullptr)) {
    return RefuseImage(path, fmt::format("is damaged or truncated: {}", png.message));
  }
  return GreyImage{static_cast<int>(png.width), static_cast<int>(png.height),
                   ToGrey(rgba, png.width)};
}

absl::StatusOr<GreyImage> PrepareDigit(const GreyImage& image, int width, int height,
                                       Invert invert) {
  const bool in_place = image.width == width && image.height == height;
  std::optional<GreyImage> strokes =
      in_place ? LightOnBlack(image, invert) : FindStrokes(image, invert);
  if (!strokes) return absl::InvalidArgumentError(ExplainBlank(invert));
  if (in_place) return *std::move(strokes);
  GreyImage result = *std::move(strokes);
  for (std::uint8_t& pixel : result.pixels) {
    if (pixel < kGround) pixel = 0;
  }
  const GreyImage digit = WithoutFinePen(result, DrawnBox(result));
  const double scale =
      std::min(width * kDigitShare / digit.width, height * kDigitShare / digit.height);
  const auto side = [&](int pixels, int most) {
    return std::clamp(static_cast<int>(std::lround(pixels * scale)), 1, most);
  };
  return Placed(Scaled(digit, {0, 0, digit.width, digit.height}, side(digit.width, width),
                       side(digit.height, height)),
                width, height);
}

}  // namespace sweep::cli
