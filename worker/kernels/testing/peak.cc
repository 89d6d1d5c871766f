#include "worker/kernels/testing/peak.h"

#include <ctime>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "worker/kernels/testing/peak.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "worker/kernels/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sweep::kernels {
namespace HWY_NAMESPACE {

// Enough independent chains for two units with a latency of four to five cycles each.
inline constexpr int kChains = 12;

double Peak() {
  constexpr int kRounds = 1'000'000;
  const LaneTag d;
  const Lanes factor = hn::Set(d, 0.999f);
  const Lanes term = hn::Set(d, 0.001f);
  Lanes chains[kChains];
#pragma GCC unroll 16
  for (int i = 0; i < kChains; ++i) chains[i] = hn::Set(d, static_cast<float>(i));
  const double start = ThreadSeconds();
  for (int round = 0; round < kRounds; ++round) {
#pragma GCC unroll 16
    for (int i = 0; i < kChains; ++i) chains[i] = hn::MulAdd(chains[i], factor, term);
  }
  const double seconds = ThreadSeconds() - start;
  Lanes sum = chains[0];
#pragma GCC unroll 16
  for (int i = 1; i < kChains; ++i) sum = hn::Add(sum, chains[i]);
  volatile float used = hn::GetLane(sum);
  (void)used;
  return 2.0 * kRounds * kChains * kGroup / seconds;
}

}  // namespace HWY_NAMESPACE
}  // namespace sweep::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sweep::kernels {

HWY_EXPORT(Peak);

double MeasurePeakFlops() { return HWY_DYNAMIC_DISPATCH(Peak)(); }

double ThreadSeconds() {
  std::timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

}  // namespace sweep::kernels
#endif  // HWY_ONCE
