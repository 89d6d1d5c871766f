#pragma once

namespace sweep::kernels {

// Multiply-adds per second of this thread on values in registers, times 2: what the kernels are
// measured against. Takes some milliseconds. For benchmarks.
double MeasurePeakFlops();

// Processor time of this thread in seconds: other processes on the machine do not count.
double ThreadSeconds();

}  // namespace sweep::kernels
