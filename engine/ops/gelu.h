#pragma once
#include "engine/ops/unary.h"
#include "kernels/gelu.h"
#include "kernels/gelu_tanh.h"

namespace kern {

enum class GeluForm { erf, tanh };  // exact, or the approximation that some published weights were trained with

// y = x Phi(x), Phi the normal distribution function, any shape.
inline Tensor gelu(const Tensor& x, GeluForm form = GeluForm::erf, const Tensor& slot = {},
                   SourceLocation at = SourceLocation::current()) {
  if (form == GeluForm::tanh) return unary("gelu_tanh", kernels::gelu_tanh_table(), kernels::GeluTanh{}, x, slot, at);
  return unary("gelu", kernels::gelu_table(), kernels::Gelu{}, x, slot, at);
}

}  // namespace kern
