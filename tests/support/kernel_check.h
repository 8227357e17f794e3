// What every kernel test is made of: small-integer data (sums are exact in any order, so == is fair), outputs that
// begin as NaN between guard values, a comparison that reports the worst element and that NaN fails, and the complex
// step.
#pragma once
#include <gtest/gtest.h>

#include <complex>
#include <cstdint>
#include <limits>
#include <vector>

#include "kernels/common/dispatch.h"
#include "kernels/common/philox.h"
#include "kernels/common/scalar.h"
#include "tests/support/device_memory.h"

namespace kern::testing {

using kernels::real_part;

// A float in [low, high). Not inlined: GCC 12 at -O3 vectorises the loop around it and forgets to round to float where
// T is double, so that arrays of two types would differ.
[[gnu::noinline]] inline float between(double low, double high, uint32_t word) {
  return float(low + (high - low) * double(kernels::to_uniform(word)));
}

// rows x c values with a pitch, between guards; gaps of the pitch are guarded too.
template <class T = float>
class Array {
 public:
  Array(int64_t rows, int64_t c, int64_t pitch = 0)
      : rows_(rows), c_(c), pitch_(pitch ? pitch : c), all_(size_t(kGuard + rows_ * pitch_ + kGuard), guard()) {
    for_each([](T& v) { v = std::numeric_limits<double>::quiet_NaN(); });
  }
  // Integers in [-range, range], chosen by seed.
  static Array integers(int64_t rows, int64_t c, int64_t pitch, uint32_t seed, int range = 3) {
    Array a(rows, c, pitch);
    uint32_t i = 0;
    a.for_each([&](T& v) {
      v = T(float(int(kernels::philox({seed, 7}, i++, 0, 0, 0).v[0] % uint32_t(2 * range + 1)) - range));
    });
    return a;
  }
  // Uniform in [low, high).
  static Array uniform(int64_t rows, int64_t c, int64_t pitch, uint32_t seed, double low = -1, double high = 1) {
    Array a(rows, c, pitch);
    uint32_t i = 0;
    a.for_each([&](T& v) { v = T(between(low, high, kernels::philox({seed, 8}, i++, 0, 0, 0).v[0])); });
    return a;
  }
  template <class U>
  Array<U> as() const {
    Array<U> out(rows_, c_, pitch_);
    for (int64_t i = 0; i < rows_; ++i)
      for (int64_t j = 0; j < c_; ++j) out.at(i, j) = U(at(i, j));
    return out;
  }
  T* data() { return all_.data() + kGuard; }  // for kernels of the tested device
  const T* data() const { return all_.data() + kGuard; }
  T* device() { return all_.device() + kGuard; }
  const T* device() const { return all_.device() + kGuard; }
  T* host() { return all_.host() + kGuard; }
  const T* host() const { return all_.host() + kGuard; }
  T& at(int64_t i, int64_t j) { return host()[i * pitch_ + j]; }
  const T& at(int64_t i, int64_t j) const { return host()[i * pitch_ + j]; }
  int64_t rows() const { return rows_; }
  int64_t c() const { return c_; }
  int64_t pitch() const { return pitch_; }
  template <class F>
  void for_each(F&& f) {
    for (int64_t i = 0; i < rows_; ++i)
      for (int64_t j = 0; j < c_; ++j) f(at(i, j));
  }
  // Nothing outside the rows' values was written to.
  bool guards_intact() const {
    const T* const all = all_.host();
    for (int64_t i = 0; i < int64_t(all_.size()); ++i) {
      const int64_t at = i - kGuard;
      const bool inside = at >= 0 && at < rows_ * pitch_ && at % pitch_ < c_;
      if (!inside && !(all[i] == guard())) return false;
    }
    return true;
  }

 private:
  static constexpr int64_t kGuard = 32;
  static T guard() { return T(-8.5e30); }
  int64_t rows_, c_, pitch_;
  Mirrored<T> all_;
};

struct Tolerance {
  double absolute = 0, relative = 0;  // both 0: equal
};

// Per element |a - b| <= absolute + relative |b|; NaN fails. Reports the worst element.
template <class T, class U>
::testing::AssertionResult close(const Array<T>& a, const Array<U>& expected, Tolerance tolerance = {}) {
  if (a.rows() != expected.rows() || a.c() != expected.c()) return ::testing::AssertionFailure() << "shapes differ";
  if (!a.guards_intact()) return ::testing::AssertionFailure() << "values outside the array were written";
  double worst = -1;
  int64_t worst_i = 0, worst_j = 0;
  for (int64_t i = 0; i < a.rows(); ++i)
    for (int64_t j = 0; j < a.c(); ++j) {
      const double want = double(real_part(expected.at(i, j))), got = double(real_part(a.at(i, j)));
      const double excess = std::abs(got - want) - (tolerance.absolute + tolerance.relative * std::abs(want));
      const bool same_infinity = got == want;
      if (!(excess <= 0) && !same_infinity && !(excess <= worst))
        worst = std::isnan(excess) ? std::numeric_limits<double>::infinity() : excess, worst_i = i, worst_j = j;
    }
  if (worst < 0) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << "worst at row " << worst_i << ", channel " << worst_j << ": got "
                                       << double(real_part(a.at(worst_i, worst_j))) << ", expected "
                                       << double(real_part(expected.at(worst_i, worst_j)));
}

inline constexpr double kComplexStep = 0x1p-160;
using Complex = std::complex<double>;

// dL/dv for every v of `values` by the complex step, where loss() is computed from `values`. Written into `gradient`.
template <class Loss>
Array<double> complex_step(Array<Complex>& values, Loss&& loss) {
  Array<double> gradient(values.rows(), values.c());
  for (int64_t i = 0; i < values.rows(); ++i)
    for (int64_t j = 0; j < values.c(); ++j) {
      const Complex before = values.at(i, j);
      values.at(i, j) = before + Complex(0, kComplexStep);
      gradient.at(i, j) = Complex(loss()).imag() / kComplexStep;
      values.at(i, j) = before;
    }
  return gradient;
}

// sum over elements of dy * y, the loss whose dL/dy is dy.
template <class A, class B>
Complex weighted_sum(const Array<A>& dy, const Array<B>& y) {
  Complex sum = 0;
  for (int64_t i = 0; i < y.rows(); ++i)
    for (int64_t j = 0; j < y.c(); ++j) sum += Complex(real_part(dy.at(i, j))) * y.at(i, j);
  return sum;
}

// The rows of a table that support a spec and whose device is here, "reference" included, each with scratch of the size
// it asked for.
template <class Impl, class Spec, class F>
void for_each_impl(const kernels::Registry<Impl>& table, const Spec& spec, F&& f) {
  int tried = 0;
  for (const Impl& impl : table.impls) {
    if (!available(impl.device) || !impl.supports(spec)) continue;
    SCOPED_TRACE(text(table.op, " by ", impl.name));
    size_t bytes = 0;
    if constexpr (requires { impl.workspace(spec); }) bytes = impl.workspace(spec);
    constexpr size_t kGuard = 64;
    Mirrored<std::byte> scratch(kGuard + bytes + kGuard, std::byte{0xff});  // NaN as floats
    const TestedDevice tested(impl.device);
    std::byte* const memory = scratch.data();
    const size_t begin = kGuard - reinterpret_cast<uintptr_t>(memory) % kGuard;
    if (impl.device != Device::cpu) scratch.forget_on_device(begin, bytes);
    f(impl, kernels::Exec{.scratch = memory + begin});
    const std::byte* const after = scratch.host();
    for (size_t i = begin + bytes; i < scratch.size(); ++i)
      ASSERT_EQ(after[i], std::byte{0xff}) << impl.name << " wrote behind its scratch";
    ++tried;
  }
  EXPECT_GE(tried, 1) << "no row of " << table.op << " supports this case";
}

}  // namespace kern::testing
