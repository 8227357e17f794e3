#pragma once
#include "engine/tensor.h"

namespace kern {

enum class GeluForm { erf, tanh };  // exact, or the approximation that some published weights were trained with

// y = x Phi(x), Phi the normal distribution function, any shape.
Tensor gelu(const Tensor& x, GeluForm form = GeluForm::erf, const Tensor& slot = {},
            SourceLocation at = SourceLocation::current());

}  // namespace kern
