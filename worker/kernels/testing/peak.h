#pragma once

namespace sweep::kernels {

// Floating-point operations per second of this thread with multiply-adds on values in registers:
// the bound that benchmarks compare the kernels with. Takes some milliseconds.
double MeasurePeakFlops();

// Processor time of this thread in seconds; other processes on the machine do not count.
double ThreadSeconds();

}  // namespace sweep::kernels
