#include "benchmarks/machine.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "engine/gpu.h"
#include "engine/memory.h"
#include "kernels/common/parallel.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "benchmarks/machine.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace kern::benchmarks {
namespace HWY_NAMESPACE {
namespace {
namespace hn = hwy::HWY_NAMESPACE;

constexpr int kChains = 12;  // enough to hide the latency of two multiply-adds a cycle

// `turns` times kChains multiply-adds of whole vectors, none waiting for another; returns something of the result.
float multiply_adds(int64_t turns) {
  const hn::ScalableTag<float> d;
  hn::Vec<decltype(d)> sum[kChains];
  for (int i = 0; i < kChains; ++i) sum[i] = hn::Set(d, float(i));
  const auto a = hn::Set(d, 0.999f), b = hn::Set(d, 0.001f);
  for (int64_t t = 0; t < turns; ++t) {
    HWY_UNROLL(12) for (int i = 0; i < kChains; ++i) sum[i] = hn::MulAdd(sum[i], a, b);
  }
  for (int i = 1; i < kChains; ++i) sum[0] = hn::Add(sum[0], sum[i]);
  return hn::GetLane(sum[0]);
}
int64_t flops_of_a_turn() { return 2 * kChains * int64_t(hn::Lanes(hn::ScalableTag<float>())); }
void copy(const float* from, float* to, int64_t n) {
  const hn::ScalableTag<float> d;
  for (int64_t i = 0; i < n; i += int64_t(hn::Lanes(d))) hn::StoreU(hn::LoadU(d, from + i), d, to + i);
}

}  // namespace
}  // namespace HWY_NAMESPACE

template <>
Loops loops<KERN_SIMD_ISA>() {
  return {HWY_NAMESPACE::multiply_adds, HWY_NAMESPACE::flops_of_a_turn(), HWY_NAMESPACE::copy};
}
}  // namespace kern::benchmarks
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace kern::benchmarks {
namespace {

Loops widest() {
#if defined(__x86_64__)
  if (kernels::cpu_has(Isa::avx512)) return loops<Isa::avx512>();
  if (kernels::cpu_has(Isa::avx2)) return loops<Isa::avx2>();
#endif
  return loops<Isa::baseline>();
}
double seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }
// The most that f() gives, of as many calls as fit `budget` seconds, three at least.
template <class F>
double most(double budget, F&& f) {
  double most = 0;
  const double start = seconds();
  for (int i = 0; i < 3 || seconds() - start < budget; ++i) most = std::max(most, f());
  return most;
}

constexpr int64_t kTurns = 1 << 19, kBytes = int64_t{128} << 20, kFloats = kBytes / 4, kPart = 1 << 16;

}  // namespace

Yardstick::Yardstick(Device device) : from_(device, kBytes), to_(device, kBytes) {
  if (device == Device::cpu) std::fill_n(reinterpret_cast<float*>(from_.data()), kFloats, 1.0f);
  else set_bytes(device, from_.data(), 1, kBytes);
}

double Yardstick::gflops() const {
  if (from_.device() != Device::cpu) return 0;
  static const Loops v = widest();
  const int threads = thread_count();
  volatile float sink = 0;
  const double begin = seconds();
  kernels::parallel_for(threads, 1, [&](int64_t, int64_t) { sink = v.multiply_adds(kTurns); });
  return 1e-9 * double(kTurns * v.flops_of_a_turn * threads) / (seconds() - begin);
}

double Yardstick::copy() const {
  if (const Device device = from_.device(); device != Device::cpu) {
    wait_for(device);
    const double start = seconds();
    copy_bytes(device, to_.data(), kBytes, device, from_.data(), kBytes, kBytes, 1);
    wait_for(device);
    return 2e-9 * double(kBytes) / (seconds() - start);
  }
  static const Loops v = widest();
  const auto* a = reinterpret_cast<const float*>(from_.data());
  auto* b = reinterpret_cast<float*>(to_.data());
  const double start = seconds();
  kernels::parallel_for(kFloats, kPart, [&](int64_t begin, int64_t end) { v.copy(a + begin, b + begin, end - begin); });
  return 2e-9 * double(kBytes) / (seconds() - start);
}

Machine Yardstick::measure() const {
  return {.gflops = most(0.3, [&] { return gflops(); }), .copy = most(1.0, [&] { return copy(); })};
}

}  // namespace kern::benchmarks
#endif
