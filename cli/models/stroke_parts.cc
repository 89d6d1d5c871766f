#include "cli/models/stroke_parts.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <utility>

namespace sweep::cli {
namespace {

// The side of a frame runs in a band of this share of the part's side, and covers kSideCover of it.
constexpr double kSideBand = 0.08;
constexpr double kSideCover = 0.9;
// A part with this share of its pixels along its four sides is only a frame.
constexpr double kFrameShare = 0.9;
// A frame this large, as a share of the image, may touch the digit.
constexpr double kLargeFrame = 0.6;
// A frame fills at most this share of its box, even with a digit that touches it; a solid bar fills
// all of it.
constexpr double kFrameFill = 0.6;
// Content within this share of the rim belongs to the photograph, not to the drawing.
constexpr double kRim = 0.04;
// A part shorter than this share of the image's longer side is a speck. So is a filled, round one
// shorter than kLeastRound.
constexpr double kLeastSide = 0.025;
// A part with fewer pixels is no digit, except in a tiny image.
constexpr double kLeastLength = 9;
constexpr double kLeastPixels = 20;
// A stroke has at least this many pixels per pixel of its longer side.
constexpr double kLeastFill = 0.8;
constexpr double kLeastRound = 0.05;
constexpr double kRoundSide = 1.7;
constexpr double kRoundFill = 0.7;
// The width of a stroke's edge is 2 pixels plus the smaller side over kEdgeSteps. Its height is at
// least kEdge of the peak, and kEdgeShare of the rows and columns lie between two edges.
constexpr int kEdgeSteps = 80;
constexpr double kEdge = 0.35;
constexpr double kEdgeShare = 0.5;
// Gaps up to this share of the largest part's side do not separate parts; nor do single pixels.
constexpr double kGap = 0.04;
// A part of this share of the largest part's mass belongs to the digit if its distance is at most
// kNear of the largest part's side.
constexpr double kLeastPart = 0.06;
constexpr double kNear = 0.35;

struct Box {
  int left = INT32_MAX, top = INT32_MAX, right = 0, bottom = 0;  // right and bottom: past the end
  int width() const { return right - left; }
  int height() const { return bottom - top; }
  void Add(int x, int y) {
    left = std::min(left, x);
    top = std::min(top, y);
    right = std::max(right, x + 1);
    bottom = std::max(bottom, y + 1);
  }
};

// The distance between two boxes.
int Distance(const Box& a, const Box& b) {
  const int x = std::max({0, a.left - b.right, b.left - a.right});
  const int y = std::max({0, a.top - b.bottom, b.top - a.bottom});
  return std::max(x, y);
}

using Places = std::vector<std::pair<int, int>>;

// A connected part of the drawing.
struct Part {
  Places pixels;
  Box box;
  std::int64_t mass = 0;
};

// The connected parts of `map` (eight neighbours).
std::vector<Part> Parts(const GreyImage& map) {
  std::vector<Part> parts;
  GreyImage left = map;
  for (int y = 0; y < map.height; ++y) {
    for (int x = 0; x < map.width; ++x) {
      if (left.At(x, y) == 0) continue;
      Part part;
      left.At(x, y) = 0;
      part.pixels.emplace_back(x, y);
      for (std::size_t i = 0; i < part.pixels.size(); ++i) {
        const auto [px, py] = part.pixels[i];
        part.box.Add(px, py);
        part.mass += map.At(px, py);
        for (int v = std::max(0, py - 1); v <= std::min(map.height - 1, py + 1); ++v) {
          for (int u = std::max(0, px - 1); u <= std::min(map.width - 1, px + 1); ++u) {
            if (left.At(u, v) == 0) continue;
            left.At(u, v) = 0;
            part.pixels.emplace_back(u, v);
          }
        }
      }
      parts.push_back(std::move(part));
    }
  }
  return parts;
}

// The sides of a part: the smallest share of a side that its pixels cover within a band, and the
// share of its pixels within these bands.
struct Sides {
  double least_cover = 0;
  double share = 0;
};

Sides SidesOf(const Part& part) {
  const Box& box = part.box;
  const int band_x = std::max(2, static_cast<int>(kSideBand * box.width()));
  const int band_y = std::max(2, static_cast<int>(kSideBand * box.height()));
  std::vector<bool> top(static_cast<std::size_t>(box.width())), bottom = top;
  std::vector<bool> left(static_cast<std::size_t>(box.height())), right = left;
  std::size_t within = 0;
  for (const auto& [x, y] : part.pixels) {
    const auto column = static_cast<std::size_t>(x - box.left);
    const auto row = static_cast<std::size_t>(y - box.top);
    bool on_side = false;
    const auto mark = [&](bool near, std::vector<bool>* side, std::size_t at) {
      if (near) (*side)[at] = on_side = true;
    };
    mark(y < box.top + band_y, &top, column);
    mark(y >= box.bottom - band_y, &bottom, column);
    mark(x < box.left + band_x, &left, row);
    mark(x >= box.right - band_x, &right, row);
    within += on_side ? 1 : 0;
  }
  Sides sides{.least_cover = 1,
              .share = static_cast<double>(within) / static_cast<double>(part.pixels.size())};
  for (const std::vector<bool>* side : {&top, &bottom, &left, &right}) {
    const auto covered = std::count(side->begin(), side->end(), true);
    sides.least_cover = std::min(sides.least_cover,
                                 static_cast<double>(covered) / static_cast<double>(side->size()));
  }
  return sides;
}

// Clears the first run of pixels that begins within the band, inwards from each side of the box:
// removes the frame but keeps strokes that cross it.
void ClearSides(const Box& box, GreyImage* map) {
  const int band_x = std::max(2, static_cast<int>(kSideBand * box.width()));
  const int band_y = std::max(2, static_cast<int>(kSideBand * box.height()));
  const auto clear = [&](int x, int y, int dx, int dy, int band) {
    int i = 0;
    while (i < band && map->At(x + i * dx, y + i * dy) == 0) ++i;
    for (; i < 2 * band && map->At(x + i * dx, y + i * dy) != 0; ++i) {
      map->At(x + i * dx, y + i * dy) = 0;
    }
  };
  for (int x = box.left; x < box.right; ++x) {
    clear(x, box.top, 0, 1, band_y);
    clear(x, box.bottom - 1, 0, -1, band_y);
  }
  for (int y = box.top; y < box.bottom; ++y) {
    clear(box.left, y, 1, 0, band_x);
    clear(box.right - 1, y, -1, 0, band_x);
  }
}

void Clear(const Places& pixels, GreyImage* map) {
  for (const auto& [x, y] : pixels) map->At(x, y) = 0;
}

bool LiesAlongTheRim(const Part& part, const GreyImage& map) {
  const int rim_x = std::max(1, static_cast<int>(kRim * map.width));
  const int rim_y = std::max(1, static_cast<int>(kRim * map.height));
  const auto within = std::count_if(part.pixels.begin(), part.pixels.end(), [&](const auto& at) {
    return at.first < rim_x || at.first >= map.width - rim_x || at.second < rim_y ||
           at.second >= map.height - rim_y;
  });
  return static_cast<double>(within) >= 0.9 * static_cast<double>(part.pixels.size());
}

// True for a frame, or a part that covers a whole side of the image.
bool IsAround(const Part& part, const GreyImage& map) {
  std::array<int, 4> cover{};
  for (const auto& [x, y] : part.pixels) {
    cover[0] += x == 0;
    cover[1] += y == 0;
    cover[2] += x == map.width - 1;
    cover[3] += y == map.height - 1;
  }
  return cover[0] >= kSideCover * map.height || cover[1] >= kSideCover * map.width ||
         cover[2] >= kSideCover * map.height || cover[3] >= kSideCover * map.width;
}

void ClearFrames(GreyImage* map) {
  for (const Part& part : Parts(*map)) {
    if (part.box.width() < 8 || part.box.height() < 8) continue;
    const Sides sides = SidesOf(part);
    const double box_area = static_cast<double>(part.box.width()) * part.box.height();
    const bool is_open = static_cast<double>(part.pixels.size()) <= kFrameFill * box_area;
    if (!is_open || sides.least_cover < kSideCover) continue;
    if (sides.share >= kFrameShare) {
      Clear(part.pixels, map);
    } else if (part.box.width() >= kLargeFrame * map->width ||
               part.box.height() >= kLargeFrame * map->height) {
      ClearSides(part.box, map);
    }
  }
}

// Clears the parts for which `is_other` is true, unless that would clear all.
template <typename Test>
void ClearBesides(const Test& is_other, GreyImage* map) {
  std::vector<Part> parts = Parts(*map);
  const auto rest = std::partition(parts.begin(), parts.end(),
                                   [&](const Part& part) { return is_other(part, *map); });
  if (rest == parts.end()) return;
  for (auto part = parts.begin(); part != rest; ++part) Clear(part->pixels, map);
}

// True for a part that is too small for a digit, small and round, or scattered.
bool IsSpeck(const Part& part, const GreyImage& map) {
  const int side = std::max(part.box.width(), part.box.height());
  const int narrow = std::min(part.box.width(), part.box.height());
  const int whole = std::max(map.width, map.height);
  const auto pixels = static_cast<double>(part.pixels.size());
  const bool is_small = side < std::max(kLeastSide * whole, std::min(kLeastLength, whole / 5.0)) ||
                        pixels < std::min(kLeastPixels, whole / 3.0);
  const bool is_round = side <= kRoundSide * narrow && pixels >= kRoundFill * side * narrow;
  return is_small || pixels < kLeastFill * side || (is_round && side < kLeastRound * whole);
}

// Finds where an image becomes lighter across the outline of the pixels set in a map.
class Edges {
 public:
  Edges(const GreyImage& image, const GreyImage& map, double least)
      : image_(image),
        map_(map),
        least_(least),
        step_(2 + std::min(image.width, image.height) / kEdgeSteps) {}

  bool IsSet(int x, int y) const { return IsWithin(x, y) && map_.At(x, y) != 0; }

  // True when there is an edge in a direction from the last set pixel. At the rim it is assumed,
  // since the content may continue beyond.
  bool At(int x, int y, int dx, int dy) const {
    if (!IsWithin(x + dx, y + dy)) return true;
    int inner = image_.At(x, y), outer = image_.At(x + dx, y + dy);
    for (int i = 1; i <= step_ && IsSet(x - i * dx, y - i * dy); ++i) {
      inner = std::min<int>(inner, image_.At(x - i * dx, y - i * dy));
    }
    for (int i = 2; i <= step_ && IsWithin(x + i * dx, y + i * dy); ++i) {
      if (IsSet(x + i * dx, y + i * dy)) break;
      outer = std::max<int>(outer, image_.At(x + i * dx, y + i * dy));
    }
    return outer - inner >= least_;
  }

 private:
  bool IsWithin(int x, int y) const {
    return x >= 0 && x < image_.width && y >= 0 && y < image_.height;
  }

  const GreyImage& image_;
  const GreyImage& map_;
  const double least_;
  const int step_;
};

// True when most rows and columns of a part have an edge at both ends, as strokes do. A shadow's
// residue has an edge only towards the light.
bool HasEdges(const Part& part, const GreyImage& image, int peak) {
  GreyImage map = BlackImage(image.width, image.height);
  for (const auto& [x, y] : part.pixels) map.At(x, y) = 1;
  const Edges edges(image, map, kEdge * peak);
  int rows = 0, with_both = 0;
  for (const auto& [x, y] : part.pixels) {
    for (const auto& [dx, dy] : {std::pair{1, 0}, {0, 1}}) {
      if (edges.IsSet(x - dx, y - dy)) continue;
      int length = 1;
      while (edges.IsSet(x + length * dx, y + length * dy)) ++length;
      const int u = x + (length - 1) * dx, v = y + (length - 1) * dy;
      ++rows;
      with_both += edges.At(x, y, -dx, -dy) && edges.At(u, v, dx, dy) ? 1 : 0;
    }
  }
  return with_both >= kEdgeShare * rows;
}

// Parts, merged when at most `gap` apart.
std::vector<Part> GroupsWithin(int gap, const GreyImage& map) {
  std::vector<Part> groups = Parts(Grown(map, gap));
  for (Part& group : groups) {
    Part part;
    for (const auto& [x, y] : group.pixels) {
      if (map.At(x, y) == 0) continue;
      part.pixels.emplace_back(x, y);
      part.mass += map.At(x, y);
      part.box.Add(x, y);
    }
    group = std::move(part);
  }
  return groups;
}

const Part& Largest(const std::vector<Part>& parts) {
  return *std::max_element(parts.begin(), parts.end(),
                           [](const Part& a, const Part& b) { return a.mass < b.mass; });
}

// Parts, merged when nearly connected relative to the size of the largest. The gap grows as the
// pieces of a stroke are joined; specks all over a page do not enlarge it.
std::vector<Part> Groups(const GreyImage& map) {
  int gap = 1;
  std::vector<Part> groups = GroupsWithin(gap, map);
  while (!groups.empty()) {
    const Box& box = Largest(groups).box;
    const int wider = static_cast<int>(std::lround(kGap * std::max(box.width(), box.height()) / 2));
    if (wider <= gap) break;
    gap = wider;
    groups = GroupsWithin(gap, map);
  }
  return groups;
}

// Clears everything but the largest part and those that belong to it. False when nothing is left.
bool KeepTheLargest(const GreyImage& image, int peak, GreyImage* map) {
  std::vector<Part> groups;
  for (Part& group : Groups(*map)) {
    if (!IsSpeck(group, *map) && HasEdges(group, image, peak)) {
      groups.push_back(std::move(group));
    } else {
      Clear(group.pixels, map);
    }
  }
  if (groups.empty()) return false;
  const Part largest = Largest(groups);
  const int side = std::max(largest.box.width(), largest.box.height());
  for (const Part& group : groups) {
    const bool belongs =
        static_cast<double>(group.mass) >= kLeastPart * static_cast<double>(largest.mass) &&
        Distance(group.box, largest.box) <= kNear * side;
    if (!belongs) Clear(group.pixels, map);
  }
  return true;
}

}  // namespace

GreyImage Grown(const GreyImage& map, int by) {
  GreyImage wide = BlackImage(map.width, map.height), grown = wide;
  for (int y = 0; y < map.height; ++y) {
    for (int x = 0; x < map.width; ++x) {
      if (map.At(x, y) == 0) continue;
      for (int u = std::max(0, x - by); u <= std::min(map.width - 1, x + by); ++u)
        wide.At(u, y) = 1;
    }
  }
  for (int y = 0; y < map.height; ++y) {
    for (int x = 0; x < map.width; ++x) {
      if (wide.At(x, y) == 0) continue;
      for (int v = std::max(0, y - by); v <= std::min(map.height - 1, y + by); ++v)
        grown.At(x, v) = 1;
    }
  }
  return grown;
}

bool KeepTheDigit(const GreyImage& image, int peak, GreyImage* map) {
  ClearFrames(map);
  ClearBesides(IsAround, map);
  ClearBesides(LiesAlongTheRim, map);
  return KeepTheLargest(image, peak, map);
}

}  // namespace sweep::cli
