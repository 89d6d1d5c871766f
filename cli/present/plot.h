#pragma once

#include <optional>
#include <string>
#include <vector>

namespace sweep::cli {

// A curve or a set of points. A value that is not finite is skipped and breaks the curve.
struct PlotSeries {
  enum class Kind {
    kLine,    // neighbours are joined
    kDotted,  // joined by a broken line, distinct from kLine without colours
    kDots,    // not joined
    kSteps,   // keeps its value until the next point, as "best so far" does
  };
  struct Point {
    double x = 0;
    double y = 0;
  };
  std::string name;  // legend
  Kind kind = Kind::kLine;
  int color = 0;  // ANSI foreground: 32 green, 36 cyan, …; 0: none
  std::vector<Point> points;
};

// A line across the plot, drawn only if it lies within the axes.
struct PlotMarker {
  double at = 0;
  std::string name;  // legend
};

// The scale of an axis. Limits that are not set come from the data.
struct PlotAxis {
  enum class Unit { kNumber, kInteger, kPercent };  // kPercent: shares, 0.994 is "99.4 %"
  std::string title;
  Unit unit = Unit::kNumber;
  std::optional<double> min, max;
  bool logarithmic = false;  // for positive values only; others are skipped
};

struct Plot {
  std::string title;
  PlotAxis x, y;
  std::vector<PlotSeries> series;
  std::vector<PlotMarker> y_markers;  // horizontal
  std::vector<PlotMarker> x_markers;  // vertical
  std::string note;                   // a line below the picture
  std::string empty = "nothing to plot yet";
};

// How to draw a plot. `width` and `height` are columns and rows of the whole picture without title
// and legend; values below the readable minimum (24 × 5) are raised.
struct PlotStyle {
  int width = 80;
  int height = 14;
  bool ascii = false;  // no character beyond ASCII
  bool color = false;
};

// The plot as lines, each with a newline: the title, the legend, the picture, the x axis with its
// ticks, the note. Curves are drawn in braille dots (2 × 4 per character), in ASCII one sign per
// character. Clips content outside the axes. Pure; no terminal, no locale. Cost is linear in the
// points.
std::string RenderPlot(const Plot& plot, const PlotStyle& style);

// At most `most` (at least 2) round numbers (1, 2 or 5 times a power of ten apart) in [min, max],
// rising. With `whole`, integers.
std::vector<double> NiceTicks(double min, double max, int most, bool whole);

}  // namespace sweep::cli
