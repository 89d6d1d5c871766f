#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "common/base/philox.h"
#include "worker/data/dataset.h"

namespace sweep {
namespace {

constexpr int kSide = 28;
constexpr int kPixels = kSide * kSide;
constexpr int kMaxImages = (1 << 30) / kPixels;

struct Point {
  double x;  // to the right
  double y;  // downwards
};

// A stroke is a Catmull–Rom spline through its points; a corner is where two strokes meet.
using Stroke = std::vector<Point>;
using Glyph = std::vector<Stroke>;

// The ways to write each digit, in a box of [-1, 1] × [-1, 1].
const std::array<std::vector<Glyph>, 10>& Glyphs() {
  // clang-format off
  static const std::array<std::vector<Glyph>, 10> glyphs = {{
      // 0
      {{{{0.05, -1}, {-0.5, -0.65}, {-0.7, 0}, {-0.5, 0.7}, {0, 1}, {0.5, 0.65}, {0.7, 0},
         {0.5, -0.7}, {0, -1}}}},
      // 1, plain and with an upstroke
      {{{{0.05, -1}, {0, 1}}},
       {{{-0.35, -0.55}, {0.1, -1}}, {{0.1, -1}, {0.05, 1}}}},
      // 2, with a corner and with a loop
      {{{{-0.6, -0.55}, {-0.3, -0.95}, {0.3, -0.95}, {0.55, -0.5}, {0.3, 0.05}, {-0.2, 0.55},
         {-0.65, 0.98}}, {{-0.65, 0.98}, {0.65, 0.93}}},
       {{{-0.55, -0.6}, {0, -1}, {0.5, -0.55}, {0.2, 0.2}, {-0.3, 0.8}, {-0.6, 0.75},
         {-0.4, 0.55}, {0.1, 0.8}, {0.65, 0.9}}}},
      // 3
      {{{{-0.55, -0.75}, {-0.1, -1}, {0.45, -0.8}, {0.4, -0.3}, {-0.1, -0.05}},
        {{-0.1, -0.05}, {0.5, 0.15}, {0.6, 0.6}, {0.1, 1}, {-0.55, 0.75}}}},
      // 4, open and closed
      {{{{-0.45, -0.95}, {-0.6, 0.1}}, {{-0.6, 0.1}, {0.65, 0.1}}, {{0.4, -0.9}, {0.3, 1}}},
       {{{0.3, -1}, {-0.65, 0.3}}, {{-0.65, 0.3}, {0.65, 0.3}}, {{0.3, -1}, {0.25, 1}}}},
      // 5
      {{{{0.6, -0.95}, {-0.4, -0.95}}, {{-0.4, -0.95}, {-0.5, -0.1}},
        {{-0.5, -0.1}, {0.1, -0.3}, {0.6, 0.1}, {0.55, 0.65}, {0, 1}, {-0.6, 0.8}}}},
      // 6
      {{{{0.4, -0.95}, {-0.2, -0.6}, {-0.55, 0.1}, {-0.5, 0.7}, {0, 1}, {0.5, 0.7}, {0.45, 0.2},
         {0, 0}, {-0.5, 0.35}}}},
      // 7, plain and with a bar
      {{{{-0.6, -0.9}, {0.6, -0.95}}, {{0.6, -0.95}, {0.15, 0}, {-0.1, 1}}},
       {{{-0.6, -0.9}, {0.6, -0.95}}, {{0.6, -0.95}, {0.15, 0}, {-0.1, 1}},
        {{-0.25, 0}, {0.5, -0.05}}}},
      // 8
      {{{{0.45, -0.65}, {0, -1}, {-0.45, -0.65}, {-0.25, -0.2}, {0.3, 0.15}, {0.55, 0.6}, {0, 1},
         {-0.55, 0.6}, {-0.3, 0.15}, {0.25, -0.2}, {0.45, -0.65}}}},
      // 9
      {{{{0.5, -0.5}, {0.1, -0.95}, {-0.45, -0.75}, {-0.5, -0.25}, {0, 0}, {0.45, -0.3},
         {0.5, -0.6}}, {{0.5, -0.6}, {0.5, 0.1}, {0.3, 1}}}},
  }};
  // clang-format on
  return glyphs;
}

double Uniform(double low, double high, PhiloxStream* random) {
  return low + (high - low) * random->NextUniform();
}

// The random handwriting of one image; the glyph gives the strokes.
struct Hand {
  double xx, xy, yx, yy;  // from glyph coordinates to pixels
  double center_x, center_y;
  double jitter;  // shifts of a stroke's points, in glyph coordinates
  double radius;  // of the pen, in pixels
  double ink;     // grey value at the core of a stroke
};

Hand DrawHand(PhiloxStream* random) {
  constexpr double kHalfHeight = 9;  // MNIST's digits fill 20 × 20 pixels
  constexpr double kMaxTurn = 12 * std::numbers::pi / 180;
  const double scale = kHalfHeight * Uniform(0.8, 1.15, random);
  const double aspect = Uniform(0.85, 1.15, random);
  const double turn = Uniform(-kMaxTurn, kMaxTurn, random);
  const double shear = Uniform(-0.3, 0.15, random);  // most hands lean to the right
  const double cosine = std::cos(turn);
  const double sine = std::sin(turn);
  Hand hand;
  hand.xx = scale * aspect * cosine;
  hand.xy = scale * (shear * cosine - sine);
  hand.yx = scale * aspect * sine;
  hand.yy = scale * (shear * sine + cosine);
  hand.center_x = (kSide - 1) / 2.0 + Uniform(-2, 2, random);
  hand.center_y = (kSide - 1) / 2.0 + Uniform(-2, 2, random);
  hand.jitter = Uniform(0.02, 0.14, random);
  hand.radius = Uniform(0.7, 1.7, random);
  hand.ink = Uniform(170, 255, random);
  return hand;
}

// The squared distance of every pixel to the nearest stroke, up to the reach of the pen.
class DistanceField {
 public:
  explicit DistanceField(double reach) : reach_(reach) { squared_.fill(reach * reach); }

  void AddSegment(Point a, Point b) {
    const double dx = b.x - a.x;
    const double dy = b.y - a.y;
    const double length_squared = dx * dx + dy * dy;
    const double inverse = length_squared > 0 ? 1 / length_squared : 0;
    const auto [left, right] = Range(std::min(a.x, b.x), std::max(a.x, b.x));
    const auto [top, bottom] = Range(std::min(a.y, b.y), std::max(a.y, b.y));
    for (int y = top; y <= bottom; ++y) {
      for (int x = left; x <= right; ++x) {
        const double along = std::clamp(((x - a.x) * dx + (y - a.y) * dy) * inverse, 0.0, 1.0);
        const double from_x = x - a.x - along * dx;
        const double from_y = y - a.y - along * dy;
        double& nearest = squared_[y * kSide + x];
        nearest = std::min(nearest, from_x * from_x + from_y * from_y);
      }
    }
  }

  double squared(int pixel) const { return squared_[pixel]; }

 private:
  // The pixels that a pen between `low` and `high` can touch; empty outside of the image.
  std::pair<int, int> Range(double low, double high) const {
    return {std::max(0, static_cast<int>(std::ceil(low - reach_))),
            std::min(kSide - 1, static_cast<int>(std::floor(high + reach_)))};
  }

  double reach_;
  std::array<double, kPixels> squared_;
};

void AddStroke(const Stroke& stroke, const Hand& hand, PhiloxStream* random, DistanceField* field) {
  constexpr int kStepsPerSpan = 4;
  std::array<Point, 16> points;
  const int count = static_cast<int>(stroke.size());
  for (int i = 0; i < count; ++i) {
    const double x = stroke[i].x + Uniform(-hand.jitter, hand.jitter, random);
    const double y = stroke[i].y + Uniform(-hand.jitter, hand.jitter, random);
    points[i] = {hand.center_x + hand.xx * x + hand.xy * y,
                 hand.center_y + hand.yx * x + hand.yy * y};
  }
  const int steps = count == 2 ? 1 : kStepsPerSpan;
  for (int i = 0; i + 1 < count; ++i) {
    const Point& p0 = points[std::max(i - 1, 0)];
    const Point& p1 = points[i];
    const Point& p2 = points[i + 1];
    const Point& p3 = points[std::min(i + 2, count - 1)];
    const auto spline = [](double a, double b, double c, double d, double t) {
      return b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)));
    };
    Point from = p1;
    for (int step = 1; step <= steps; ++step) {
      const double t = static_cast<double>(step) / steps;
      const Point to = {spline(p0.x, p1.x, p2.x, p3.x, t), spline(p0.y, p1.y, p2.y, p3.y, t)};
      field->AddSegment(from, to);
      from = to;
    }
  }
}

void DrawDigit(int digit, PhiloxStream* random, std::span<std::uint8_t, kPixels> out) {
  const std::vector<Glyph>& ways = Glyphs()[digit];
  const Glyph& glyph = ways[random->NextBelow(static_cast<std::uint32_t>(ways.size()))];
  const Hand hand = DrawHand(random);
  DistanceField field(hand.radius + 0.5);
  for (const Stroke& stroke : glyph) AddStroke(stroke, hand, random, &field);

  constexpr int kNoise = 16;  // grey values, in either direction
  std::uint32_t noise = 0;
  for (int i = 0; i < kPixels; ++i) {
    noise = i % 4 == 0 ? random->NextU32() : noise >> 8;
    // Anti-aliasing: full ink half a pixel within the pen's edge, none half a pixel beyond.
    const double coverage = std::clamp(hand.radius + 0.5 - std::sqrt(field.squared(i)), 0.0, 1.0);
    const double value = hand.ink * coverage + static_cast<int>(noise & 31) - kNoise;
    out[i] = static_cast<std::uint8_t>(std::clamp(value + 0.5, 0.0, 255.0));
  }
}

// Each run of ten images holds every digit once, in an order of its own.
int DigitOf(std::uint64_t key, int index) {
  std::array<int, 10> digits = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
  PhiloxStream random(key, static_cast<std::uint64_t>(index / 10));
  for (int i = 9; i > 0; --i) {
    std::swap(digits[i], digits[random.NextBelow(static_cast<std::uint32_t>(i) + 1)]);
  }
  return digits[index % 10];
}

}  // namespace

ImageSet SyntheticDigits(int count, std::uint64_t seed) {
  if (count < 1 || count > kMaxImages) {
    throw DataError("dataset synthetic: " + std::to_string(count) +
                    " images were asked for; 1 to " + std::to_string(kMaxImages) + " are possible");
  }
  ImageSet set{.count = count, .height = kSide, .width = kSide};
  set.pixels.resize(static_cast<std::size_t>(count) * kPixels);
  set.labels.resize(count);
  const std::uint64_t digit_key = DeriveKey(seed, "synthetic digit");
  const std::uint64_t drawing_key = DeriveKey(seed, "synthetic drawing");
  for (int i = 0; i < count; ++i) {
    const int digit = DigitOf(digit_key, i);
    PhiloxStream random(drawing_key, static_cast<std::uint64_t>(i));
    set.labels[i] = static_cast<std::uint8_t>(digit);
    DrawDigit(
        digit, &random,
        std::span<std::uint8_t, kPixels>(set.pixels.data() + std::size_t{kPixels} * i, kPixels));
  }
  return set;
}

}  // namespace sweep
