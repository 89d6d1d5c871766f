#pragma once

// Internal: 3×3 convolutions by Winograd's minimal filtering F(4, 3) along rows, which takes half
// of the multiplications. Four neighbouring results of a row come of six pixels d and a filter's
// row g:
//   y = Aᵀ [(G g) ⊙ (Bᵀ d)]
// with the points 0, 1, -1, 2, -2 and infinity (Lavin and Gray, "Fast Algorithms for Convolutional
// Neural Networks", 2015, in one dimension). The products are summed over channels and the filter's
// rows at each point, before Aᵀ. The weight gradient is the same product transposed,
//   Gᵀ Σ [(A z) ⊙ (Bᵀ d)],
// summed over the whole unit before Gᵀ. In two dimensions it would take 2.25 multiplications less
// still, but rounding would miss this folder's bounds.

#include "worker/kernels/convolution.h"

namespace sweep::kernels::winograd {

// Whether it takes less time than the plain sums.
bool SuitsForward(const ConvolutionShape& shape);
bool SuitsBackward(const ConvolutionShape& shape);

// As the functions of convolution.h.
std::size_t PackedWeights(const ConvolutionShape& shape);
std::size_t ForwardScratch(const ConvolutionShape& shape);
std::size_t BackwardScratch(const ConvolutionShape& shape);
void PackForwardWeights(const ConvolutionShape& shape, const float* weights, float* packed);
void PackBackwardWeights(const ConvolutionShape& shape, const float* weights, float* packed);
void RunUnit(const ConvolutionForward& work, int unit, float* scratch);
void RunUnit(const ConvolutionBackward& work, int unit, float* scratch);

}  // namespace sweep::kernels::winograd
