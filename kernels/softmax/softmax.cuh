// The CUDA implementation of softmax or log_softmax, from the functors (kernels/common/class_rows.cuh) of its two directions.
#pragma once
#include "kernels/common/class_rows.cuh"
#include "kernels/softmax/softmax.h"

namespace kern::kernels {

template <class Op, class OnForward, class OnBackward>
Implementation<Op> over_class_rows() {
  return {.name = "cuda",
          .device = Device::cuda,
          .supports = supports_all,
          .forward =
              [](const Exec& exec, const SoftmaxSpec& g, const Softmax::Forward<float>& a) {
                for_each_class_row("softmax forward", exec, g.rows, g.c,
                                   {.in = {{a.x, g.x_pitch()}}, .out = a.y, .out_pitch = g.y_pitch()}, OnForward{});
              },
          .backward =
              [](const Exec& exec, const SoftmaxSpec& g, const Softmax::Backward<float>& a) {
                for_each_class_row(
                    "softmax backward", exec, g.rows, g.c,
                    {.in = {{a.dy, g.dy_pitch()}, {a.y, g.y_pitch()}}, .out = a.dx, .out_pitch = g.dx_pitch()},
                    OnBackward{});
              }};
}

}  // namespace kern::kernels
