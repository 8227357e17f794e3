// exp and log of kernels/common/exponential.h and elementary.h for vectors, and the activations of gates. Read once per
// instruction set; include after hwy/foreach_target.h.
#if defined(KERN_EXPONENTIAL_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef KERN_EXPONENTIAL_INL_H
#undef KERN_EXPONENTIAL_INL_H
#else
#define KERN_EXPONENTIAL_INL_H
#endif

#include <hwy/highway.h>

#include <cstdint>

HWY_BEFORE_NAMESPACE();
namespace kern::kernels {
namespace HWY_NAMESPACE {
namespace {
namespace hn = hwy::HWY_NAMESPACE;

using ExpVector = hn::Vec<hn::ScalableTag<float>>;

// e^x: 2^n e^r with n = round(x / ln 2) and a polynomial in r (Cephes); a NaN stays one.
HWY_INLINE ExpVector vector_exponential(ExpVector x) {
  const hn::ScalableTag<float> d;
  const hn::RebindToSigned<decltype(d)> di;
  const auto set = [&](float v) { return hn::Set(d, v); };
  const auto lowest = set(-86.5f), highest = set(88.8f), round = set(12582912.0f);
  const auto v = hn::IfThenElse(hn::Lt(x, lowest), lowest, hn::IfThenElse(hn::Gt(x, highest), highest, x));
  const auto shifted = hn::MulAdd(v, set(1.44269504088896341f), round), n = hn::Sub(shifted, round);
  const auto r = hn::MulAdd(n, set(2.12194440e-4f), hn::NegMulAdd(n, set(0.693359375f), v));  // ln 2 in two parts
  auto p = hn::MulAdd(set(1.9875691500e-4f), r, set(1.3981999507e-3f));
  p = hn::MulAdd(p, r, set(8.3334519073e-3f));
  p = hn::MulAdd(p, r, set(4.1665795894e-2f));
  p = hn::MulAdd(p, r, set(1.6666665459e-1f));
  p = hn::MulAdd(p, r, set(5.0000001201e-1f));
  p = hn::Add(hn::MulAdd(p, hn::Mul(r, r), r), set(1.0f));
  // 2^(n-1), then twice: n reaches 128, whose power no float holds.
  const auto steps = hn::Sub(hn::BitCast(di, shifted), hn::BitCast(di, round));
  const auto power = hn::BitCast(d, hn::ShiftLeft<23>(hn::Add(steps, hn::Set(di, 126))));
  return hn::IfThenZeroElse(hn::Lt(x, lowest), hn::Mul(hn::Mul(p, power), set(2.0f)));
}

// e^x for x <= 0, as softmax needs it, in two thirds of the operations: 2^n is a normal number, or 0 for x below -87.7.
// A polynomial of degree 6 whose relative error is 4e-9; within 2 units in the last place. A NaN stays one.
HWY_INLINE ExpVector vector_exponential_of_negative(ExpVector x) {
  const hn::ScalableTag<float> d;
  const hn::RebindToSigned<decltype(d)> di;
  const auto set = [&](float v) { return hn::Set(d, v); };
  const auto one = set(1.0f),
             round = set(12582912.0f + 127.0f);  // leaves n + 127, the exponent of 2^n, in the low bits
  const auto v = hn::Max(set(-88.0f), x);        // the second, if it is a NaN
  const auto shifted = hn::MulAdd(v, set(1.44269504088896341f), round), n = hn::Sub(shifted, round);
  const auto r = hn::MulAdd(n, set(2.12194440e-4f), hn::NegMulAdd(n, set(0.693359375f), v));  // ln 2 in two parts
  auto p = hn::MulAdd(set(1.381454058e-3f), r, set(8.368745446e-3f));
  p = hn::MulAdd(p, r, set(4.166838899e-2f));
  p = hn::MulAdd(p, r, set(1.666652113e-1f));
  p = hn::MulAdd(p, r, set(4.999999404e-1f));
  p = hn::MulAdd(hn::MulAdd(p, r, one), r, one);
  return hn::Mul(p, hn::BitCast(d, hn::ShiftLeft<23>(hn::BitCast(di, shifted))));
}

// log x: x = 2^e m with m in [sqrt(1/2), sqrt(2)), and a polynomial in m - 1 (Cephes); NaN below 0.
HWY_INLINE ExpVector vector_logarithm(ExpVector x) {
  const hn::ScalableTag<float> d;
  const hn::RebindToSigned<decltype(d)> di;
  const auto set = [&](float v) { return hn::Set(d, v); };
  const auto root_of_half = hn::Set(di, 0x3f3504f3), mantissa = hn::Set(di, 0x7fffff);
  const auto infinity = set(__builtin_inff()), one = set(1.0f);
  const auto tiny = hn::Lt(x, set(1.17549435e-38f));
  const auto bits = hn::Sub(hn::BitCast(di, hn::IfThenElse(tiny, hn::Mul(x, set(8388608.0f)), x)), root_of_half);
  const auto e = hn::Sub(hn::ConvertTo(d, hn::ShiftRight<23>(bits)), hn::IfThenElseZero(tiny, set(23.0f)));
  const auto m = hn::Sub(hn::BitCast(d, hn::Add(hn::And(bits, mantissa), root_of_half)), one);
  auto p = hn::MulAdd(set(7.0376836292e-2f), m, set(-1.1514610310e-1f));
  p = hn::MulAdd(p, m, set(1.1676998740e-1f));
  p = hn::MulAdd(p, m, set(-1.2420140846e-1f));
  p = hn::MulAdd(p, m, set(1.4249322787e-1f));
  p = hn::MulAdd(p, m, set(-1.6668057665e-1f));
  p = hn::MulAdd(p, m, set(2.0000714765e-1f));
  p = hn::MulAdd(p, m, set(-2.4999993993e-1f));
  p = hn::MulAdd(p, m, set(3.3333331174e-1f));
  const auto square = hn::Mul(m, m);
  auto y = hn::NegMulAdd(e, set(2.12194440e-4f), hn::Mul(hn::Mul(p, m), square));  // ln 2 in two parts
  y = hn::MulAdd(e, set(0.693359375f), hn::Add(hn::NegMulAdd(set(0.5f), square, y), m));
  const auto at_zero = hn::IfThenElse(hn::Eq(x, hn::Zero(d)), hn::Neg(infinity), set(__builtin_nanf("")));
  return hn::IfThenElse(hn::Gt(x, hn::Zero(d)), hn::IfThenElse(hn::Lt(x, infinity), y, x), at_zero);
}

// 1 / (1 + e^-x)
HWY_INLINE ExpVector vector_sigmoid(ExpVector x) {
  const auto one = hn::Set(hn::ScalableTag<float>(), 1.0f);
  return hn::Div(one, hn::Add(one, vector_exponential(hn::Neg(x))));
}

// 1 - 2 / (1 + e^2|x|) with the sign of x; near 0, where that loses digits, x + x^3 times a polynomial in x^2 (Cephes).
HWY_INLINE ExpVector vector_tanh(ExpVector x) {
  const hn::ScalableTag<float> d;
  const auto set = [&](float v) { return hn::Set(d, v); };
  const auto one = set(1.0f), size = hn::Abs(x), z = hn::Mul(x, x);
  const auto far = hn::Sub(one, hn::Div(set(2.0f), hn::Add(one, vector_exponential(hn::Add(size, size)))));
  auto p = hn::MulAdd(set(-5.70498872745e-3f), z, set(2.06390887954e-2f));
  p = hn::MulAdd(p, z, set(-5.37397155531e-2f));
  p = hn::MulAdd(p, z, set(1.33314422036e-1f));
  p = hn::MulAdd(p, z, set(-3.33332819422e-1f));
  const auto near = hn::MulAdd(hn::Mul(p, z), x, x);
  return hn::IfThenElse(hn::Lt(size, set(0.625f)), near, hn::CopySign(far, x));
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace kern::kernels
HWY_AFTER_NAMESPACE();
#endif
