#pragma once
#include "engine/ops/unary.h"
#include "layers/module.h"

namespace kern {

// y = x Phi(x), Phi the normal distribution function, any shape. Hendrycks and Gimpel 2016.
struct Gelu {
  GeluForm form;
  explicit Gelu(GeluForm f = GeluForm::erf) : form(f) {}
  Tensor operator()(const Tensor& x, const Tensor& out = {}) { return gelu(x, form, out); }
  template <class V>
  void visit(V&&) {}
};

}  // namespace kern
