#include "coordinator/stopping/curve_model.h"

#include <gtest/gtest.h>

#include <cmath>

#include "common/base/philox.h"

namespace sweep {
namespace {

// Quantiles from the tables of Student's t.
TEST(StudentBelow, AgreesWithTables) {
  EXPECT_NEAR(StudentBelow(12.706, 1), 0.975, 1e-5);
  EXPECT_NEAR(StudentBelow(4.303, 2), 0.975, 1e-5);
  EXPECT_NEAR(StudentBelow(-3.747, 4), 0.01, 1e-5);
  EXPECT_NEAR(StudentBelow(-4.144, 10), 0.001, 1e-5);
  EXPECT_NEAR(StudentBelow(2.787, 25), 0.995, 1e-5);
  EXPECT_NEAR(StudentBelow(0, 7), 0.5, 1e-12);
  EXPECT_EQ(StudentBelow(-3, 100'000), StudentBelow(-3, 200));
  EXPECT_NEAR(StudentBelow(-3, 200), 0.00152, 1e-5);
}

// Ends of curves that follow the model: 0.5 + 0.8 now - 0.3 step + 0.1 step², with scatter 0.1.
CurveModel Fitted(int curves, double scatter = 0.1) {
  PhiloxStream stream(3, 0);
  CurveModel model;
  for (int i = 0; i < curves; ++i) {
    const double now = stream.NextUniform() * 2 - 4, step = stream.NextUniform() * 4 - 6;
    double noise = 0;  // of 12 uniform numbers: nearly normal
    for (int k = 0; k < 12; ++k) noise += stream.NextUniform();
    model.Add(now, step, 0.5 + 0.8 * now - 0.3 * step + 0.1 * step * step + scatter * (noise - 6));
  }
  return model;
}

TEST(CurveModel, PredictsAsTheCurvesThatItHasSeen) {
  const CurveModel model = Fitted(200);
  const double expected = 0.5 + 0.8 * -3 - 0.3 * -4 + 0.1 * 16;
  EXPECT_NEAR(model.ChanceBelow(-3, -4, expected, 0.01), 0.5, 0.1);
  EXPECT_NEAR(model.ChanceBelow(-3, -4, expected - 0.2, 0.01), 0.025, 0.015);
  EXPECT_LT(model.ChanceBelow(-3, -4, expected - 0.5, 0.01), 1e-4);
  EXPECT_GT(model.ChanceBelow(-3, -4, expected + 0.5, 0.01), 0.999);
}

TEST(CurveModel, FewCurvesKnowLess) {
  EXPECT_EQ(Fitted(7).ChanceBelow(-3, -4, -100, 0.01), 1) << "too few to say anything";
  const double expected = 0.5 + 0.8 * -3 - 0.3 * -4 + 0.1 * 16;
  EXPECT_GT(Fitted(8).ChanceBelow(-3, -4, expected - 0.5, 0.1),
            10 * Fitted(200).ChanceBelow(-3, -4, expected - 0.5, 0.1));
}

TEST(CurveModel, SaysLittleOfWhatIsFarFromEverySeenCurve) {
  const CurveModel model = Fitted(20);
  const double near = 0.5 + 0.8 * -3 - 0.3 * -4 + 0.1 * 16;
  const double far = 0.5 + 0.8 * 6 - 0.3 * -4 + 0.1 * 16;
  EXPECT_GT(model.ChanceBelow(6, -4, far - 0.5, 0.01),
            20 * model.ChanceBelow(-3, -4, near - 0.5, 0.01));
}

TEST(CurveModel, OneStepForAllCurvesIsEnough) {
  CurveModel model;
  for (int i = 0; i < 12; ++i) model.Add(-2 - 0.1 * i, -3, -2.5 - 0.1 * i + (i % 2) * 0.1);
  EXPECT_LT(model.ChanceBelow(-2.5, -3, -4, 0.05), 0.001);
  EXPECT_NEAR(model.ChanceBelow(-2.5, -3, -2.95, 0.05), 0.5, 0.2);
  EXPECT_GT(model.ChanceBelow(-2.5, -1, -4, 0.05), 0.3) << "nobody has seen another step";
}

TEST(CurveModel, EqualEndsAreNotTakenForCertain) {
  CurveModel model;
  for (int i = 0; i < 12; ++i) model.Add(-2 - 0.1 * i, -3, -3);
  EXPECT_GT(model.ChanceBelow(-2.5, -3, -3.05, 0.05), 0.1);
}

}  // namespace
}  // namespace sweep
