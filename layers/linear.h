#pragma once
#include "engine/ops/linear.h"
#include "engine/ops/unary.h"
#include "engine/prepared_filters.h"
#include "layers/fusion.h"
#include "layers/init.h"
#include "layers/module.h"

namespace kern {

struct LinearConfig {
  int in, out;
  bool bias = true;
};

// x [...,in] -> [...,out], y = x w^T + b; weight [out,in], bias [out].
struct Linear {
  LinearConfig config;
  Parameter weight, bias;
  explicit Linear(const LinearConfig& c) : config(c), weight(init_fan_in({c.out, c.in}, c.in)) {
    if (c.bias) bias = Parameter(init_fan_in({c.out}, c.in));
  }
  Tensor operator()(const Tensor& x, const Tensor& out = {}) {
    const Fold nothing;
    return linear(x, weight, bias, out, is_prepared() ? &nothing : nullptr);
  }
  // Whether this call is one of a prepared network (layers/prepare.h), which may round otherwise.
  bool is_prepared() const { return PreparedFilters::current() && fusion_enabled() && weight.device() == Device::cpu; }
  template <class V>
  void visit(V&& v) {
    v("weight", weight), v("bias", bias);
  }
};

// relu(layer(x)), in one op where the network is prepared.
inline Tensor linear_relu(Linear& layer, const Tensor& x) {
  if (!layer.is_prepared()) return relu(layer(x));
  const Fold fold{.limits = {.low = 0}};
  return linear(x, layer.weight, layer.bias, {}, &fold);
}

}  // namespace kern
