// Arithmetic as it is written on paper: a + b, a - b, a * b, and with numbers of the host. The second tensor has the
// first one's shape, or is a vector [C] for every row [...,C]; for other shapes see add and mul, which these call.
#pragma once
#include "engine/ops/add.h"
#include "engine/ops/mul.h"
#include "engine/ops/unary.h"

namespace kern {

inline Tensor operator+(const Tensor& a, const Tensor& b) { return add(a, b); }
inline Tensor operator-(const Tensor& a, const Tensor& b) { return add(a, affine(b, -1)); }
inline Tensor operator*(const Tensor& a, const Tensor& b) { return mul(a, b); }
inline Tensor operator-(const Tensor& a) { return affine(a, -1); }

inline Tensor operator+(const Tensor& a, float b) { return affine(a, 1, b); }
inline Tensor operator+(float a, const Tensor& b) { return affine(b, 1, a); }
inline Tensor operator-(const Tensor& a, float b) { return affine(a, 1, -b); }
inline Tensor operator-(float a, const Tensor& b) { return affine(b, -1, a); }
inline Tensor operator*(const Tensor& a, float b) { return affine(a, b); }
inline Tensor operator*(float a, const Tensor& b) { return affine(b, a); }
inline Tensor operator/(const Tensor& a, float b) { return affine(a, 1 / b); }  // rounded twice

}  // namespace kern
