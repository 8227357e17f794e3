// Arithmetic as it is written on paper, with broadcasting (engine/ops/broadcast.h) and numbers of the host.
#pragma once
#include "engine/ops/add.h"
#include "engine/ops/broadcast.h"
#include "engine/ops/mul.h"
#include "engine/ops/unary.h"

namespace kern {

inline Tensor operator+(const Tensor& a, const Tensor& b) { return add(a, b); }
inline Tensor operator-(const Tensor& a, const Tensor& b) { return sub(a, b); }
inline Tensor operator*(const Tensor& a, const Tensor& b) { return mul(a, b); }
inline Tensor operator/(const Tensor& a, const Tensor& b) { return div(a, b); }
inline Tensor operator-(const Tensor& a) { return affine(a, -1); }

inline Tensor operator+(const Tensor& a, float b) { return affine(a, 1, b); }
inline Tensor operator+(float a, const Tensor& b) { return affine(b, 1, a); }
inline Tensor operator-(const Tensor& a, float b) { return affine(a, 1, -b); }
inline Tensor operator-(float a, const Tensor& b) { return affine(b, -1, a); }
inline Tensor operator*(const Tensor& a, float b) { return affine(a, b); }
inline Tensor operator*(float a, const Tensor& b) { return affine(b, a); }
inline Tensor operator/(const Tensor& a, float b) { return affine(a, 1 / b); }  // rounded twice
inline Tensor operator/(float a, const Tensor& b) { return div(a, b); }

}  // namespace kern
