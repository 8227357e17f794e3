// What a norm of single samples reads and writes: instance_norm, group_norm. Their specs have rows() and statistics().
#pragma once
#include "kernels/common/op.h"

namespace kern::kernels {

template <class Spec, class T>
struct SampleNormForward {
  static constexpr double kOperations = 8;
  const T *x, *weight, *bias;
  T *y, *mean, *inverse_deviation;  // the last two are for backward
  void arrays(const Spec& g, auto&& f) {
    f("x", x, {g.rows(), g.c, g.x_pitch()});
    f("weight", weight, {.rows = g.c, .optional = true}), f("bias", bias, {.rows = g.c, .optional = true});
    f("y", y, {g.rows(), g.c, g.y_pitch()});
    f("mean", mean, g.statistics()), f("inverse_deviation", inverse_deviation, g.statistics());
  }
};
template <class Spec, class T>
struct SampleNormBackward {
  static constexpr double kOperations = 14;
  const T *dy, *x, *weight, *mean, *inverse_deviation;
  T *dx, *dweight, *dbias;  // each may be null
  void arrays(const Spec& g, auto&& f) {
    f("dy", dy, {g.rows(), g.c, g.dy_pitch()}), f("x", x, {g.rows(), g.c, g.x_pitch()});
    f("weight", weight, {.rows = g.c, .optional = true});
    f("mean", mean, g.statistics()), f("inverse_deviation", inverse_deviation, g.statistics());
    f("dx", dx, {.rows = g.rows(), .columns = g.c, .pitch = g.dx_pitch(), .optional = true});
    f("dweight", dweight, {.rows = g.c, .optional = true}), f("dbias", dbias, {.rows = g.c, .optional = true});
  }
};

}  // namespace kern::kernels
