#include "cli/models/stroke_rules.h"

#include <algorithm>
#include <climits>
#include <cmath>
#include <cstdlib>
#include <vector>

namespace sweep::cli {
namespace {

// Greatest thickness of a rule, as a share of the smaller side.
constexpr double kThickness = 0.035;
// Least length of a rule, as a share of the image's width or height; upright strokes may be long,
// so upright rules must be longer.
constexpr double kLevelLength = 0.6;
constexpr double kUprightLength = 0.8;
// Least share of a rule's length that is drawn, and that is bare: no stroke hides how thin the line
// is.
constexpr double kCover = 0.85;
constexpr double kBare = 0.5;
// The least bare share after kOthers rules: paper is ruled all over, and a stroke along one of its
// lines hides more of it.
constexpr double kBareBesideOthers = 0.2;
constexpr int kOthers = 2;
// Greatest slope of a rule, in pixels per pixel.
constexpr double kSlope = 0.06;
// In a smaller image no line counts as thin.
constexpr int kLeastImage = 32;
constexpr int kMostRules = 64;
// Greatest distance of a run's middle from the line, in pixels.
constexpr double kTolerance = 2;

// A vertical run of drawn pixels, no longer than a rule is thick.
struct Run {
  int x = 0, top = 0, bottom = 0;  // bottom is past the end
  double Middle() const { return (top + bottom) / 2.0; }
};

using Runs = std::vector<Run>;

// The drawing by columns, or by rows: then x is the row.
class Drawn {
 public:
  Drawn(const GreyImage& map, bool rows) : map_(map), rows_(rows) {}
  int width() const { return rows_ ? map_.height : map_.width; }
  int height() const { return rows_ ? map_.width : map_.height; }
  bool operator()(int x, int y) const {
    if (y < 0 || y >= height()) return false;
    return (rows_ ? map_.At(y, x) : map_.At(x, y)) != 0;
  }

 private:
  const GreyImage& map_;
  const bool rows_;
};

Runs ShortRuns(const Drawn& drawn, int longest) {
  Runs runs;
  for (int x = 0; x < drawn.width(); ++x) {
    for (int y = 0; y < drawn.height(); ++y) {
      if (!drawn(x, y)) continue;
      const int top = y;
      while (drawn(x, y)) ++y;
      if (y - top <= longest) runs.push_back({x, top, y});
    }
  }
  return runs;
}

// A line through many runs.
struct Line {
  double start = 0;  // at x = 0
  double slope = 0;
  int support = 0;  // number of runs
  int At(int x) const { return static_cast<int>(std::floor(start + slope * x)); }
  double Distance(const Run& run) const { return std::abs(run.Middle() - start - slope * run.x); }
};

// The line through the most runs; each run votes for the lines through its middle (Hough).
Line BestLine(const Runs& runs, int width, int height) {
  Line best;
  const int slopes = std::max(1, static_cast<int>(kSlope * width / 1.5));
  const int reach = static_cast<int>(kSlope * width) + 2;
  std::vector<int> votes(static_cast<std::size_t>(height + 2 * reach + 2));
  std::vector<double> sums(votes.size());
  for (int i = -slopes; i <= slopes; ++i) {
    const double slope = kSlope * i / slopes;
    std::fill(votes.begin(), votes.end(), 0);
    std::fill(sums.begin(), sums.end(), 0.0);
    for (const Run& run : runs) {
      const double start = run.Middle() - slope * run.x;
      const auto at = static_cast<std::size_t>(std::lround(start) + reach);
      ++votes[at];
      sums[at] += start;
    }
    for (std::size_t at = 1; at + 1 < votes.size(); ++at) {
      const int support = votes[at - 1] + votes[at] + votes[at + 1];
      const bool is_better = support > best.support || (support > 0 && support == best.support &&
                                                        std::abs(slope) < std::abs(best.slope));
      const double sum = sums[at - 1] + sums[at] + sums[at + 1];
      if (is_better) best = {sum / support, slope, support};
    }
  }
  return best;
}

// The runs of all rules in one direction.
struct Rules {
  int count = 0;
  Runs runs;
};

// The length of a line if it is drawn from end to end, else 0.
int Reach(const Line& line, const Runs& runs, const Drawn& drawn) {
  int first = INT_MAX, last = 0;
  for (const Run& run : runs) {
    if (line.Distance(run) > kTolerance) continue;
    first = std::min(first, run.x);
    last = std::max(last, run.x);
  }
  int covered = 0;
  for (int x = first; x <= last; ++x) {
    const int y = line.At(x);
    covered += drawn(x, y) || drawn(x, y - 1) || drawn(x, y + 1) ? 1 : 0;
  }
  const int reach = last - first + 1;
  return first <= last && covered >= kCover * reach ? reach : 0;
}

Rules FindRules(const GreyImage& map, bool rows) {
  const Drawn drawn(map, rows);
  const int thickness = std::max(2, static_cast<int>(kThickness * std::min(map.width, map.height)));
  const double length = (rows ? kUprightLength : kLevelLength) * drawn.width();
  Runs runs = ShortRuns(drawn, thickness);
  Rules rules;
  while (rules.count < kMostRules) {
    const Line line = BestLine(runs, drawn.width(), drawn.height());
    const double bare = rules.count >= kOthers ? kBareBesideOthers : kBare;
    if (line.support < bare * length) break;
    const bool is_rule = Reach(line, runs, drawn) >= length;
    const auto rest = std::partition(runs.begin(), runs.end(), [&](const Run& run) {
      return line.Distance(run) > kTolerance + thickness / 4.0;
    });
    if (is_rule) rules.runs.insert(rules.runs.end(), rest, runs.end());
    rules.count += is_rule ? 1 : 0;
    runs.erase(rest, runs.end());
  }
  return rules;
}

}  // namespace

void ClearRules(int bar, GreyImage* map) {
  if (std::min(map->width, map->height) < kLeastImage) return;
  const Rules level = FindRules(*map, false), upright = FindRules(*map, true);
  GreyImage rest = *map;
  // The first or last pixel of the bar may be soft.
  const auto is_bar = [&](const Run& run, int first, int size) {
    return (bar == first && run.top <= 1) || (bar == first + 1 && run.bottom + 1 >= size);
  };
  for (const Run& run : level.runs) {
    if (is_bar(run, 0, map->height)) continue;
    for (int y = run.top; y < run.bottom; ++y) rest.At(run.x, y) = 0;
  }
  for (const Run& run : upright.runs) {
    if (is_bar(run, 2, map->width)) continue;
    for (int x = run.top; x < run.bottom; ++x) rest.At(x, run.x) = 0;
  }
  const bool is_blank = std::count(rest.pixels.begin(), rest.pixels.end(), 0) ==
                        static_cast<std::ptrdiff_t>(rest.pixels.size());
  if (is_blank && level.count == 0 && upright.count == 1) return;
  *map = std::move(rest);
}

}  // namespace sweep::cli
