#pragma once

#include <cstdint>

#include "cli/models/grey_image.h"

namespace sweep::cli {

// The median grey along the rim.
int BorderMedian(const GreyImage& image);

// True when an image's strokes are darker than its even ground: the sign of the third moment of its
// pixels about the border's median, since strokes are few and far from the ground.
bool IsDarkOnLight(const GreyImage& image);

// True when at least nine tenths of the border have nearly the same grey.
bool IsEven(const GreyImage& image);

// The side along which the bar of a printed 2, 4, 5 or 7 lies, when the picture is cropped to the
// digit: 0, 1, 2, 3 for top, bottom, left and right; -1: none.
int BarSide(const GreyImage& image);

// Replaces a frame along all four sides, or a line along any of them, by the pixels next to it.
GreyImage WithoutRim(const GreyImage& image);

// The value that all but `share` of the pixels of at least `least` stay below; 0 when there are
// none.
int Peak(const GreyImage& image, int least, double share);

// The mean of every `factor` × `factor` pixels.
GreyImage Reduced(const GreyImage& image, int factor);

GreyImage Negative(GreyImage image);

// The difference between an image and its ground, where it is darker, or lighter.
struct Ink {
  GreyImage image;       // the strokes are dark in it: it may be a negative, or smoothed
  GreyImage ground;      // the image without its strokes
  GreyImage depth = {};  // ground - image, without the noise
  double noise = 0;      // standard deviation of the noise in depth
  GreyImage sharp = {};  // depth without smoothing
  bool is_negative = false;
  // The sum of squared steps between neighbours of the ground. A shadow has few and small steps.
  std::int64_t Roughness() const;
};

// The ground is a morphological closing: the image without dark parts narrower than 0.45 of its
// smaller side. A shadow is wider or continues beyond the rim, so it counts as ground. An image
// that is noisy for its contrast is smoothed first.
Ink DarkInk(const GreyImage& image);
Ink LightInk(const GreyImage& image);

// As DarkInk, but for a ground of one even grey.
Ink DarkInkOn(int ground, const GreyImage& image);
Ink LightInkOn(int ground, const GreyImage& image);

// The strokes' depth, not smoothed, scaled to the brightest light of the picture: light multiplies
// ground and strokes alike.
GreyImage InEvenLight(const Ink& ink);

}  // namespace sweep::cli
