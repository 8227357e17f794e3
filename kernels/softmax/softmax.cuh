// The CUDA row of softmax or log_softmax, from the functors (kernels/common/class_rows.cuh) of its two directions.
#pragma once
#include "kernels/common/class_rows.cuh"
#include "kernels/softmax/softmax.h"

namespace kern::kernels {

template <class Forward, class Backward>
SoftmaxImpl softmax_row_of() {
  return {.name = "cuda",
          .device = Device::cuda,
          .supports = supports_all,
          .forward =
              [](const Exec& exec, const SoftmaxSpec& g, const float* x, float* y) {
                for_each_class_row("softmax forward", exec, g.rows, g.c,
                                   {.in = {{x, g.x_pitch()}}, .out = y, .out_pitch = g.y_pitch()}, Forward{});
              },
          .backward =
              [](const Exec& exec, const SoftmaxSpec& g, const float* dy, const float* y, float* dx) {
                for_each_class_row("softmax backward", exec, g.rows, g.c,
                                   {.in = {{dy, g.dy_pitch()}, {y, g.y_pitch()}}, .out = dx, .out_pitch = g.dx_pitch()},
                                   Backward{});
              }};
}

}  // namespace kern::kernels
