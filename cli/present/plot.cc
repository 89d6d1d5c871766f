#include "cli/present/plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>

#include "cli/present/text.h"

namespace sweep::cli {
namespace {

constexpr int kNarrowestPlot = 24;
constexpr int kLowest = 5;
constexpr int kMarkerColor = 33;
constexpr int kDim = 2;

// The signs of the series in ASCII, in turn.
constexpr char kAsciiSigns[] = "*+ox#@";

double Transform(const PlotAxis& axis, double value) {
  return axis.logarithmic ? std::log10(value) : value;
}

bool Drawable(const PlotAxis& axis, double value) {
  return std::isfinite(value) && (!axis.logarithmic || value > 0);
}

bool Drawable(const Plot& plot, const PlotSeries::Point& point) {
  return Drawable(plot.x, point.x) && Drawable(plot.y, point.y);
}

// The span of an axis, in transformed values; never empty.
struct Span {
  double min = 0;
  double max = 1;
  bool Contains(double value) const { return value >= min && value <= max; }
};

Span SpanOf(const Plot& plot, const PlotAxis& axis, double PlotSeries::Point::* member) {
  double low = std::numeric_limits<double>::infinity();
  double high = -low;
  for (const PlotSeries& series : plot.series) {
    for (const PlotSeries::Point& point : series.points) {
      if (!Drawable(plot, point)) continue;
      low = std::min(low, Transform(axis, point.*member));
      high = std::max(high, Transform(axis, point.*member));
    }
  }
  if (axis.min && Drawable(axis, *axis.min)) low = Transform(axis, *axis.min);
  if (axis.max && Drawable(axis, *axis.max)) high = Transform(axis, *axis.max);
  if (!(low < high)) {  // a single value: centre it
    double room = 0.5;
    if (axis.unit != PlotAxis::Unit::kInteger && !axis.logarithmic && low != 0) {
      room = std::fabs(low) * 0.05;
    }
    high = low + room;
    low -= room;
  }
  return {low, high};
}

// A value's position in a row of `count` cells; the first value lies in the middle of the first
// cell.
double Place(const Span& span, double value, int count) {
  return (value - span.min) / (span.max - span.min) * (count - 1);
}

// A grid of dots; each character has the pen that drew last in it.
class Canvas {
 public:
  Canvas(int columns, int rows, bool ascii)
      : columns_(columns),
        rows_(rows),
        across_(ascii ? 1 : 2),
        down_(ascii ? 1 : 4),
        cells_(static_cast<std::size_t>(columns * rows)) {}

  int width() const { return columns_ * across_; }
  int height() const { return rows_ * down_; }

  struct Pen {
    int color = 0;
    char sign = '*';
  };

  // Row 0 is the lowest.
  void Dot(int x, int y, const Pen& pen) {
    if (x < 0 || y < 0 || x >= width() || y >= height()) return;
    const int from_top = height() - 1 - y;
    Cell& cell = cells_[static_cast<std::size_t>(from_top / down_ * columns_ + x / across_)];
    // Unicode's numbering of the dots: 1 2 3 down the left side, 4 5 6 down the right, 7 8 below.
    static constexpr std::uint8_t kBits[4][2] = {{1, 8}, {2, 16}, {4, 32}, {64, 128}};
    cell.dots |= kBits[from_top % down_][x % across_];
    cell.pen = pen;
  }

  // Draws the line between two positions, or every other two of its dots.
  void Line(int x0, int y0, int x1, int y1, bool dotted, const Pen& pen) {
    const int steps = std::max({std::abs(x1 - x0), std::abs(y1 - y0), 1});
    for (int i = 0; i <= steps; ++i) {
      const double t = static_cast<double>(i) / steps;
      const int x = static_cast<int>(std::lround(x0 + t * (x1 - x0)));
      const int y = static_cast<int>(std::lround(y0 + t * (y1 - y0)));
      if (dotted && (std::abs(x1 - x0) >= std::abs(y1 - y0) ? x : y) % 3 == 0) continue;
      Dot(x, y, pen);
    }
  }

  std::string Row(int row, bool ascii, bool color) const {
    std::string text;
    int current = 0;
    for (int column = 0; column < columns_; ++column) {
      const Cell& cell = cells_[static_cast<std::size_t>(row * columns_ + column)];
      const int wanted = color && cell.dots != 0 ? cell.pen.color : 0;
      if (wanted != current) text += wanted == 0 ? "\x1b[0m" : fmt::format("\x1b[{}m", wanted);
      current = wanted;
      if (cell.dots == 0) {
        text += ' ';
      } else if (ascii) {
        text += cell.pen.sign;
      } else {
        const int point = 0x2800 + cell.dots;
        text += static_cast<char>(0xE0 | point >> 12);
        text += static_cast<char>(0x80 | (point >> 6 & 0x3F));
        text += static_cast<char>(0x80 | (point & 0x3F));
      }
    }
    if (current != 0) text += "\x1b[0m";
    return text;
  }

 private:
  struct Cell {
    std::uint8_t dots = 0;
    Pen pen;
  };
  int columns_, rows_, across_, down_;
  std::vector<Cell> cells_;
};

struct Place2 {
  double x = 0;
  double y = 0;
};

// Clips the segment to 0 <= y <= top. False when nothing is left. x needs no clipping: the span
// contains every point, and Canvas drops dots outside a narrower limit.
bool ClipToHeight(Place2* a, Place2* b, double top) {
  if (std::max(a->y, b->y) < 0 || std::min(a->y, b->y) > top) return false;
  const auto cut = [](Place2* outer, const Place2& inner, double y) {
    outer->x += (inner.x - outer->x) * (y - outer->y) / (inner.y - outer->y);
    outer->y = y;
  };
  for (Place2* end : {a, b}) {
    const Place2& other = end == a ? *b : *a;
    if (end->y < 0) cut(end, other, 0);
    if (end->y > top) cut(end, other, top);
  }
  return true;
}

class Painter {
 public:
  Painter(const Plot& plot, const Span& x, const Span& y, Canvas* canvas)
      : plot_(plot), x_(x), y_(y), canvas_(canvas) {}

  void Markers() {
    for (const PlotMarker& marker : plot_.y_markers) {
      if (!Visible(plot_.y, y_, marker)) continue;
      const int y = Round(Place(y_, Transform(plot_.y, marker.at), canvas_->height()));
      for (int x = 0; x < canvas_->width(); ++x) {
        if (x / 2 % 2 == 0) canvas_->Dot(x, y, {kMarkerColor, '-'});
      }
    }
    for (const PlotMarker& marker : plot_.x_markers) {
      if (!Visible(plot_.x, x_, marker)) continue;
      const int x = Round(Place(x_, Transform(plot_.x, marker.at), canvas_->width()));
      for (int y = 0; y < canvas_->height(); y += 2) canvas_->Dot(x, y, {kMarkerColor, ':'});
    }
  }

  void Series(const PlotSeries& series, const Canvas::Pen& pen) {
    bool joined = false;
    Place2 last;
    for (const PlotSeries::Point& point : series.points) {
      if (!Drawable(plot_, point)) {
        joined = joined && series.kind == PlotSeries::Kind::kSteps;
        continue;
      }
      const Place2 here = {Place(x_, Transform(plot_.x, point.x), canvas_->width()),
                           Place(y_, Transform(plot_.y, point.y), canvas_->height())};
      if (!joined || series.kind == PlotSeries::Kind::kDots) {
        Segment(here, here, series.kind, pen);
      } else if (series.kind == PlotSeries::Kind::kSteps) {
        Segment(last, {here.x, last.y}, series.kind, pen);
        Segment({here.x, last.y}, here, series.kind, pen);
      } else {
        Segment(last, here, series.kind, pen);
      }
      joined = true;
      last = here;
    }
  }

  static bool Visible(const PlotAxis& axis, const Span& span, const PlotMarker& marker) {
    return Drawable(axis, marker.at) && span.Contains(Transform(axis, marker.at));
  }

 private:
  static int Round(double value) { return static_cast<int>(std::lround(value)); }

  void Segment(Place2 from, Place2 to, PlotSeries::Kind kind, const Canvas::Pen& pen) {
    if (!ClipToHeight(&from, &to, canvas_->height() - 1)) return;
    // A single point is always drawn, even in a broken line.
    const bool dotted = kind == PlotSeries::Kind::kDotted && (from.x != to.x || from.y != to.y);
    canvas_->Line(Round(from.x), Round(from.y), Round(to.x), Round(to.y), dotted, pen);
  }

  const Plot& plot_;
  const Span x_, y_;
  Canvas* const canvas_;
};

// The number of decimals that distinguishes `values`.
int Decimals(const std::vector<double>& values) {
  for (int decimals = 0; decimals < 8; ++decimals) {
    const double scale = std::pow(10, decimals);
    const bool enough = std::all_of(values.begin(), values.end(), [&](double value) {
      return std::fabs(value * scale - std::round(value * scale)) <
             1e-6 * std::max(1.0, std::fabs(value * scale));
    });
    if (enough) return decimals;
  }
  return 8;
}

// The labels of `values`, all with the same number of digits.
std::vector<std::string> Labels(const PlotAxis& axis, std::vector<double> values) {
  const bool percent = axis.unit == PlotAxis::Unit::kPercent;
  if (percent) {
    for (double& value : values) value *= 100;
  }
  const int decimals = Decimals(values);
  std::vector<std::string> labels;
  for (double value : values) {
    const bool huge = std::fabs(value) >= 1e7 || axis.logarithmic || decimals >= 6;
    labels.push_back(huge ? fmt::format("{:.3g}", value) : fmt::format("{:.{}f}", value, decimals));
    if (percent) labels.back() += " %";
  }
  return labels;
}

// A labelled position on an axis.
struct Tick {
  double value;
  std::string label;
};

std::vector<Tick> Ticks(const PlotAxis& axis, const Span& span, int most) {
  std::vector<double> values;
  if (axis.logarithmic) {
    // Multiples of 1, 2 and 5 in every decade, or whole decades when those are too many.
    for (const bool dense : {true, false}) {
      values.clear();
      for (int decade = static_cast<int>(std::floor(span.min)); decade <= span.max; ++decade) {
        for (const double digit : {1.0, 2.0, 5.0}) {
          if (digit != 1 && !dense) continue;
          const double value = digit * std::pow(10, decade);
          if (span.Contains(std::log10(value))) values.push_back(value);
        }
      }
      if (static_cast<int>(values.size()) <= most) break;
    }
    if (values.size() < 2) values = {std::pow(10, span.min), std::pow(10, span.max)};
  } else {
    values = NiceTicks(span.min, span.max, most, axis.unit == PlotAxis::Unit::kInteger);
  }
  const std::vector<std::string> labels = Labels(axis, values);
  std::vector<Tick> ticks;
  for (std::size_t i = 0; i < values.size(); ++i) ticks.push_back({values[i], labels[i]});
  return ticks;
}

// The label of each text row, from the top; "" for none.
std::vector<std::string> RowLabels(const Plot& plot, const Span& y, int rows, int dots) {
  std::map<int, std::string> by_row;
  const auto row_of = [&](double value) {  // the row of its dots
    const int dot = static_cast<int>(std::lround(Place(y, Transform(plot.y, value), dots)));
    return (dots - 1 - dot) * rows / dots;
  };
  for (const Tick& tick : Ticks(plot.y, y, std::max(2, rows * 2 / 3))) {
    by_row[row_of(tick.value)] = tick.label;
  }
  // A marker's label takes precedence over a round number beside it.
  for (const PlotMarker& marker : plot.y_markers) {
    if (Painter::Visible(plot.y, y, marker))
      by_row[row_of(marker.at)] = Labels(plot.y, {marker.at})[0];
  }
  std::vector<std::string> labels(static_cast<std::size_t>(rows));
  for (const auto& [row, label] : by_row) labels[static_cast<std::size_t>(row)] = label;
  return labels;
}

struct Signs {
  std::string bar, tick, corner, line, down;
};
Signs SignsOf(bool ascii) {
  return ascii ? Signs{"|", "+", "+", "-", "+"} : Signs{"│", "┤", "└", "─", "┬"};
}

// The x axis and its labels: two lines, indented by `margin`.
std::string XAxis(const Plot& plot, const Span& x, int margin, int columns, const Signs& signs) {
  std::vector<std::string> axis(static_cast<std::size_t>(columns), signs.line);
  std::string labels(static_cast<std::size_t>(columns), ' ');
  const std::string title = plot.x.title;
  const int room = columns - (title.empty() ? 0 : DisplayWidth(title) + 1);
  int free_from = 0;
  std::vector<Tick> ticks = Ticks(plot.x, x, std::max(2, columns / 8));
  const double first = std::ceil(x.min);
  if (plot.x.unit == PlotAxis::Unit::kInteger && !ticks.empty() && ticks[0].value > first) {
    ticks.insert(ticks.begin(), {first, Labels(plot.x, {first})[0]});  // the start of the axis
  }
  for (const Tick& tick : ticks) {
    const int column =
        static_cast<int>(std::lround(Place(x, Transform(plot.x, tick.value), columns)));
    const int length = static_cast<int>(tick.label.size());  // ASCII
    const int start = std::clamp(column - length / 2, 0, std::max(0, columns - length));
    if (start < free_from || start + length > room) continue;
    axis[static_cast<std::size_t>(column)] = signs.down;
    labels.replace(static_cast<std::size_t>(start), tick.label.size(), tick.label);
    free_from = start + length + 1;
  }
  std::string text = std::string(static_cast<std::size_t>(margin), ' ') + signs.corner;
  for (const std::string& sign : axis) text += sign;
  labels.erase(labels.find_last_not_of(' ') + 1);
  if (!title.empty()) labels = Pad(labels, columns - DisplayWidth(title)) + title;
  return text + "\n" + std::string(static_cast<std::size_t>(margin) + 1, ' ') + labels + "\n";
}

std::string Colored(int color, const std::string& text, bool allowed) {
  return allowed && color != 0 ? fmt::format("\x1b[{}m{}\x1b[0m", color, text) : text;
}

// The title and the meaning of each sign, on as many lines as needed.
std::string Legend(const Plot& plot, const Span& x, const Span& y, const PlotStyle& style) {
  struct Entry {
    std::string sign, text;
    int color;
  };
  std::vector<Entry> entries;
  for (std::size_t i = 0; i < plot.series.size(); ++i) {
    const PlotSeries& series = plot.series[i];
    static const std::map<PlotSeries::Kind, std::string> kBraille = {
        {PlotSeries::Kind::kLine, "⠒⠒"},
        {PlotSeries::Kind::kDotted, "⠂⠂"},
        {PlotSeries::Kind::kDots, "⠂"},
        {PlotSeries::Kind::kSteps, "⠒⠒"}};
    entries.push_back({style.ascii ? std::string(1, kAsciiSigns[i % 6]) : kBraille.at(series.kind),
                       series.name, series.color});
  }
  for (const PlotMarker& marker : plot.y_markers) {
    if (Painter::Visible(plot.y, y, marker)) {
      entries.push_back({style.ascii ? "- -" : "⠒ ⠒", marker.name, kMarkerColor});
    }
  }
  for (const PlotMarker& marker : plot.x_markers) {
    if (Painter::Visible(plot.x, x, marker)) {
      entries.push_back({style.ascii ? ":" : "⠅", marker.name, kMarkerColor});
    }
  }
  std::string text = plot.title;
  int used = DisplayWidth(plot.title);
  for (const Entry& entry : entries) {
    const std::string name = Truncate(entry.text, style.width - 4);
    const int length = DisplayWidth(entry.sign) + 1 + DisplayWidth(name);
    if (used > 0 && used + 3 + length > style.width) {
      text += "\n";
      used = 0;
    }
    text += std::string(used > 0 ? 3 : 0, ' ') + Colored(entry.color, entry.sign, style.color) +
            " " + name;
    used += (used > 0 ? 3 : 0) + length;
  }
  return text.empty() ? "" : text + "\n";
}

// Replaces characters of names that an ASCII terminal lacks.
std::string ToAscii(const std::string& text) {
  std::string ascii;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto byte = static_cast<unsigned char>(text[at]);
    if (byte < 0x80) {
      ascii += text[at];
    } else if (byte >= 0xC0) {  // the first byte replaces the whole code point
      ascii += text.compare(at, 3, "…") == 0 ? '~' : '?';
    }
  }
  return ascii;
}

bool IsEmpty(const Plot& plot) {
  for (const PlotSeries& series : plot.series) {
    for (const PlotSeries::Point& point : series.points) {
      if (Drawable(plot, point)) return false;
    }
  }
  return true;
}

}  // namespace

std::vector<double> NiceTicks(double min, double max, int most, bool whole) {
  const double rough = (max - min) / std::max(1, most - 1);
  const double power = std::pow(10, std::floor(std::log10(rough)));
  double step = 10 * power;
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= rough * (1 - 1e-9)) {
      step = factor * power;
      break;
    }
  }
  if (whole) step = std::max(1.0, std::round(step));
  // Multiplies instead of adding: sums drift.
  const double first = std::ceil(min / step - 1e-9);
  std::vector<double> ticks;
  for (double i = first; i * step <= max + step * 1e-9; i += 1) ticks.push_back(i * step);
  return ticks;
}

std::string RenderPlot(const Plot& plot, const PlotStyle& wanted) {
  PlotStyle style = wanted;
  style.width = std::max(style.width, kNarrowestPlot);
  style.height = std::max(style.height, kLowest);
  const auto finish = [&](const std::string& text) { return style.ascii ? ToAscii(text) : text; };
  if (IsEmpty(plot)) {
    return finish((plot.title.empty() ? "" : plot.title + ": ") + plot.empty + "\n");
  }
  const Span x = SpanOf(plot, plot.x, &PlotSeries::Point::x);
  const Span y = SpanOf(plot, plot.y, &PlotSeries::Point::y);
  const int rows = style.height - 2;  // the axis and its labels
  const std::vector<std::string> labels = RowLabels(plot, y, rows, style.ascii ? rows : rows * 4);
  int label_width = 0;
  for (const std::string& label : labels) label_width = std::max(label_width, DisplayWidth(label));
  const int margin = label_width + 1;
  const int columns = std::max(4, style.width - margin - 1);

  Canvas canvas(columns, rows, style.ascii);
  Painter painter(plot, x, y, &canvas);
  painter.Markers();
  // The first series is drawn last, so that it lies on top.
  for (std::size_t i = plot.series.size(); i-- > 0;) {
    painter.Series(plot.series[i], {plot.series[i].color, kAsciiSigns[i % 6]});
  }

  const Signs signs = SignsOf(style.ascii);
  std::string text = Legend(plot, x, y, style);
  for (int row = 0; row < rows; ++row) {
    const std::string& label = labels[static_cast<std::size_t>(row)];
    std::string line = Pad(label, label_width, /*align_right=*/true) + " ";
    line += Colored(kDim, label.empty() ? signs.bar : signs.tick, style.color);
    line += canvas.Row(row, style.ascii, style.color);
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  text += XAxis(plot, x, margin, columns, signs);
  if (!plot.note.empty()) text += plot.note + "\n";
  return finish(text);
}

}  // namespace sweep::cli
