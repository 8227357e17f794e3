// Element-wise ops of one input, of any shape.
#pragma once
#include "engine/tensor.h"

namespace kern {

// y = a x + b with constants of the host, any shape.
Tensor affine(const Tensor& x, float a, float b = 0, const Tensor& out = {},
              SourceLocation at = SourceLocation::current());

// y = x^2, any shape.
Tensor square(const Tensor& x, const Tensor& out = {}, SourceLocation at = SourceLocation::current());

// y = the root of x, any shape; NaN below 0. Its gradient is infinite at 0, as the mathematics has it.
Tensor sqrt(const Tensor& x, const Tensor& out = {}, SourceLocation at = SourceLocation::current());

// y = 1 / x, any shape.
Tensor reciprocal(const Tensor& x, const Tensor& out = {}, SourceLocation at = SourceLocation::current());

// y = x^p with a constant of the host, any shape; where p is no whole number, NaN for negative x. Error: p not finite.
Tensor pow(const Tensor& x, float p, const Tensor& out = {}, SourceLocation at = SourceLocation::current());

// y = |x|, any shape. Its gradient is 0 at 0.
Tensor abs(const Tensor& x, const Tensor& out = {}, SourceLocation at = SourceLocation::current());

// y = min(max(x, low), high), any shape; a limit may be infinite. Its gradient is 0 outside. Error: low > high.
Tensor clamp(const Tensor& x, float low, float high, const Tensor& out = {},
             SourceLocation at = SourceLocation::current());

// y = e^x, any shape.
Tensor exp(const Tensor& x, const Tensor& out = {}, SourceLocation at = SourceLocation::current());

// y = the natural logarithm of x, any shape; minus infinity at 0, NaN below.
Tensor log(const Tensor& x, const Tensor& out = {}, SourceLocation at = SourceLocation::current());

// y = max(x, 0), any shape.
Tensor relu(const Tensor& x, const Tensor& out = {}, SourceLocation at = SourceLocation::current());

// y = min(max(x, 0), 6), any shape.
Tensor relu6(const Tensor& x, const Tensor& out = {}, SourceLocation at = SourceLocation::current());

// y = x where x > 0, else slope * x, any shape. Error: a negative slope (prelu takes any).
Tensor leaky_relu(const Tensor& x, float slope = 0.01f, const Tensor& out = {},
                  SourceLocation at = SourceLocation::current());

// y = x where x > 0, else alpha (exp(x) - 1), any shape. Error: a negative alpha.
Tensor elu(const Tensor& x, float alpha = 1, const Tensor& out = {}, SourceLocation at = SourceLocation::current());

// y = log(1 + exp(beta x)) / beta, and x itself where beta x > threshold, any shape. Error: beta not positive.
Tensor softplus(const Tensor& x, float beta = 1, float threshold = 20, const Tensor& out = {},
                SourceLocation at = SourceLocation::current());

// y = 1 / (1 + exp(-x)), any shape.
Tensor sigmoid(const Tensor& x, const Tensor& out = {}, SourceLocation at = SourceLocation::current());

// y = tanh(x), any shape.
Tensor tanh(const Tensor& x, const Tensor& out = {}, SourceLocation at = SourceLocation::current());

// y = x / (1 + exp(-x)), any shape.
Tensor silu(const Tensor& x, const Tensor& out = {}, SourceLocation at = SourceLocation::current());

// y = x min(max(x + 3, 0), 6) / 6, any shape.
Tensor hardswish(const Tensor& x, const Tensor& out = {}, SourceLocation at = SourceLocation::current());

enum class GeluForm { erf, tanh };  // exact, or the approximation that some published weights were trained with

// y = x Phi(x), Phi the normal distribution function, any shape.
Tensor gelu(const Tensor& x, GeluForm form = GeluForm::erf, const Tensor& out = {},
            SourceLocation at = SourceLocation::current());

}  // namespace kern
