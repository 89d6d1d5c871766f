#pragma once

#include <cstdint>

#include "cli/models/grey_image.h"

namespace sweep::cli {

// The middle of the greys along the rim.
int BorderMedian(const GreyImage& image);

// Whether an image's strokes are darker than its ground, which is even: the sign of the third
// moment of its pixels about the border's median, since strokes are few and far from the ground.
bool IsDarkOnLight(const GreyImage& image);

// Whether the border is of one grey but for what reaches it.
bool IsEven(const GreyImage& image);

// The side along which the bar of a printed 2, 4, 5 or 7 lies that the picture is cut to: 0, 1, 2,
// 3 for the top, the bottom, the left and the right one; -1: there is none.
int BarSide(const GreyImage& image);

// Without a frame along all four sides, or a line along any of them: in its place is what lies next
// to it.
GreyImage WithoutRim(const GreyImage& image);

// The value that all but `share` of the pixels which are at least `least` stay below; 0 when none
// is.
int Peak(const GreyImage& image, int least, double share);

// The mean of every `factor` × `factor` pixels.
GreyImage Reduced(const GreyImage& image, int factor);

GreyImage Negative(GreyImage image);

// What is darker than its ground, or lighter, and by how much.
struct Ink {
  GreyImage image;   // in which the strokes are the dark ones: a negative, or not; smoothed, or not
  GreyImage ground;  // as it would be without them
  GreyImage depth = {};  // ground - image, clear of noise
  double noise = 0;      // its standard deviation, in depth
  GreyImage sharp = {};  // as depth, without smoothing
  bool is_negative = false;
  // Of the ground: the squares of the steps between neighbours. A shadow has few and small ones.
  std::int64_t Roughness() const;
};

// The ground is the image without what is dark and narrower than 0.45 of its smaller side (a
// morphological closing), so that a shadow, which is wider or goes on behind the rim, counts as
// ground. An image that is noisy for its contrast is smoothed first.
Ink DarkInk(const GreyImage& image);
Ink LightInk(const GreyImage& image);

// As DarkInk, of a ground that has one grey everywhere.
Ink DarkInkOn(int ground, const GreyImage& image);
Ink LightInkOn(int ground, const GreyImage& image);

// The strokes' depth, not smoothed, as it were in the brightest light of the picture: light
// multiplies ground and strokes alike.
GreyImage InEvenLight(const Ink& ink);

}  // namespace sweep::cli
