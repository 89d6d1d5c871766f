#pragma once

// Internal: 3×3 convolutions by Winograd's minimal filtering F(4, 3) along rows, which takes half
// of the multiplications. Four neighbouring results y of a row come from six pixels d and a
// filter's row g:
//   y = Aᵀ [(G g) ⊙ (Bᵀ d)]
// with the points 0, 1, -1, 2, -2 and infinity (Lavin and Gray, "Fast Algorithms for Convolutional
// Neural Networks", 2015, here in one dimension). The products are summed over channels and the
// filter's rows at each point, before Aᵀ. The weight gradient has the transposed form,
//   Gᵀ Σ [(A z) ⊙ (Bᵀ d)],
// summed over the whole unit before Gᵀ. In two dimensions F(2×2, 3×3) would save little more, 2.25
// instead of 2, and need nearly three times the additions to reach the points.

#include "worker/kernels/convolution.h"
#include "worker/kernels/convolution_plan.h"

namespace sweep::kernels::winograd {

// G, [point][kx].
inline constexpr double kFilter[kPoints][3] = {
    {1.0 / 4, 0, 0},
    {-1.0 / 6, -1.0 / 6, -1.0 / 6},
    {-1.0 / 6, 1.0 / 6, -1.0 / 6},
    {1.0 / 24, 1.0 / 12, 1.0 / 6},
    {1.0 / 24, -1.0 / 12, 1.0 / 6},
    {0, 0, 1},
};

// True if it takes less time than the plain sums.
bool SuitsForward(const ConvolutionShape& shape);
bool SuitsBackward(const ConvolutionShape& shape);

// These do the same as the functions of that name in convolution.h.
std::size_t PackedWeights(const ConvolutionShape& shape);
std::size_t ForwardScratch(const ConvolutionShape& shape);
std::size_t BackwardScratch(const ConvolutionShape& shape);
void PackForwardWeights(const ConvolutionShape& shape, const float* weights, float* packed);
void PackBackwardWeights(const ConvolutionShape& shape, const float* weights, float* packed);
void RunUnit(const ConvolutionForward& work, int unit, float* scratch);
void RunUnit(const ConvolutionBackward& work, int unit, float* scratch);

}  // namespace sweep::kernels::winograd
