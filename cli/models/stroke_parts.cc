#include "cli/models/stroke_parts.h"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace sweep::cli {
namespace {

// Parts are looked for in an image of this side at most.
constexpr int kPartsSide = 800;
// A line runs within this share of its part's side, and covers so much of it.
constexpr double kLineBand = 0.08;
constexpr double kLineCover = 0.9;
// So much of a part along its four sides is a frame and nothing else.
constexpr double kFrameShare = 0.9;
// A line across so much of the image, and no thicker than this share of it, is ruled.
constexpr double kRuleLength = 0.6;
constexpr double kRuleThickness = 0.04;
// A frame fills at most so much of its box, even with a digit that touches it; a solid bar fills all.
constexpr double kFrameFill = 0.6;
// Along the rim of the image lies what the picture was taken with, not what was drawn.
constexpr double kRim = 0.04;
// Gaps up to this share of the drawing's side are within one part.
constexpr double kGap = 0.04;
// A part that is this share of the largest belongs to the digit, when it lies as near as that share
// of the largest's side.
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

// How far two boxes are apart.
int Distance(const Box& a, const Box& b) {
  const int x = std::max({0, a.left - b.right, b.left - a.right});
  const int y = std::max({0, a.top - b.bottom, b.top - a.bottom});
  return std::max(x, y);
}

using Places = std::vector<std::pair<int, int>>;

// A connected part of what is drawn.
struct Part {
  Places pixels;
  Box box;
  std::int64_t mass = 0;
};

// Pixels of `map` that are set, and connected by eight neighbours.
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

// Every `factor` × `factor` pixels become their brightest, and what is not drawn 0.
GreyImage Map(const GreyImage& strokes, int drawn, int factor) {
  GreyImage map = BlackImage((strokes.width + factor - 1) / factor,
                             (strokes.height + factor - 1) / factor);
  for (int y = 0; y < strokes.height; ++y) {
    for (int x = 0; x < strokes.width; ++x) {
      const std::uint8_t pixel = strokes.At(x, y);
      std::uint8_t& place = map.At(x / factor, y / factor);
      if (pixel >= drawn) place = std::max(place, pixel);
    }
  }
  return map;
}

// The four sides of a part: how much of each has something of it in a band along it, and which of
// its pixels lie in these bands.
struct Sides {
  double least_cover = 0;
  double share = 0;
};

Sides SidesOf(const Part& part) {
  const Box& box = part.box;
  const int band_x = std::max(2, static_cast<int>(kLineBand * box.width()));
  const int band_y = std::max(2, static_cast<int>(kLineBand * box.height()));
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

// Clears, from each side of the box inwards, the first run of pixels that begins within the band:
// the frame, but not the strokes that cross it.
void ClearSides(const Box& box, GreyImage* map) {
  const int band_x = std::max(2, static_cast<int>(kLineBand * box.width()));
  const int band_y = std::max(2, static_cast<int>(kLineBand * box.height()));
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

bool IsRuled(const Part& part, const GreyImage& map) {
  const bool across = part.box.width() >= kRuleLength * map.width &&
                      part.box.height() <= std::max(2.0, kRuleThickness * map.height);
  // An upright stroke may be a 1, unless it runs from rim to rim.
  const bool upright = part.box.height() >= 0.98 * map.height &&
                       part.box.width() <= std::max(2.0, kRuleThickness * map.width);
  return across || upright;
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

// Clears ruled frames and lines, which are longer than any stroke and straight.
void ClearRules(GreyImage* map) {
  const std::vector<Part> parts = Parts(*map);
  std::int64_t all = 0;
  for (const Part& part : parts) all += part.mass;
  for (const Part& part : parts) {
    if (part.box.width() < 8 || part.box.height() < 8) {
      if (parts.size() > 1 && IsRuled(part, *map)) Clear(part.pixels, map);
      continue;
    }
    const Sides sides = SidesOf(part);
    const double box_area = static_cast<double>(part.box.width()) * part.box.height();
    const bool is_open = static_cast<double>(part.pixels.size()) <= kFrameFill * box_area;
    if (is_open && sides.least_cover >= kLineCover) {
      if (sides.share >= kFrameShare) {
        Clear(part.pixels, map);
      } else if (part.box.width() >= kRuleLength * map->width ||
                 part.box.height() >= kRuleLength * map->height) {
        ClearSides(part.box, map);
      }
    } else if (part.mass < all && IsRuled(part, *map)) {
      Clear(part.pixels, map);
    }
  }
  const std::vector<Part> rest = Parts(*map);
  if (rest.size() < 2) return;
  for (const Part& part : rest) {
    if (LiesAlongTheRim(part, *map)) Clear(part.pixels, map);
  }
}

// What is set grows by `by` in all directions.
GreyImage Grown(const GreyImage& map, int by) {
  GreyImage wide = BlackImage(map.width, map.height), grown = wide;
  for (int y = 0; y < map.height; ++y) {
    for (int x = 0; x < map.width; ++x) {
      if (map.At(x, y) == 0) continue;
      for (int u = std::max(0, x - by); u <= std::min(map.width - 1, x + by); ++u) wide.At(u, y) = 1;
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

// Clears all but the largest part and what belongs to it. False when there is none.
bool KeepTheLargest(GreyImage* map) {
  Box drawn;
  for (int y = 0; y < map->height; ++y) {
    for (int x = 0; x < map->width; ++x) {
      if (map->At(x, y) != 0) drawn.Add(x, y);
    }
  }
  if (drawn.right == 0) return false;
  const int gap = static_cast<int>(kGap * std::max(drawn.width(), drawn.height()) / 2);
  std::vector<Part> groups = Parts(Grown(*map, gap));
  for (Part& group : groups) {
    group.mass = 0;
    group.box = {};
    for (const auto& [x, y] : group.pixels) {
      if (map->At(x, y) == 0) continue;
      group.mass += map->At(x, y);
      group.box.Add(x, y);
    }
  }
  const Part largest = *std::max_element(
      groups.begin(), groups.end(), [](const Part& a, const Part& b) { return a.mass < b.mass; });
  const int side = std::max(largest.box.width(), largest.box.height());
  for (const Part& group : groups) {
    const bool belongs =
        group.mass >= kLeastPart * static_cast<double>(largest.mass) &&
        Distance(group.box, largest.box) <= kNear * side;
    if (!belongs) Clear(group.pixels, map);
  }
  return true;
}

}  // namespace

bool KeepTheDigit(int drawn, GreyImage* strokes) {
  const int factor =
      std::max(1, (std::max(strokes->width, strokes->height) + kPartsSide - 1) / kPartsSide);
  GreyImage map = Map(*strokes, drawn, factor);
  ClearRules(&map);
  if (!KeepTheLargest(&map)) return false;
  // A stroke's soft edge is not drawn, but belongs to it.
  const GreyImage kept = Grown(map, 2);
  for (int y = 0; y < strokes->height; ++y) {
    for (int x = 0; x < strokes->width; ++x) {
      if (kept.At(x / factor, y / factor) == 0) strokes->At(x, y) = 0;
    }
  }
  return true;
}

}  // namespace sweep::cli
