#include "engine/ops/instance_norm.h"

#include "engine/ops/sample_norm.h"
#include "kernels/norm/instance_norm.h"

namespace kern {

Tensor instance_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, float eps, const Tensor& out,
                     SourceLocation at) {
  const char* op = "instance_norm";
  check({x.rank() >= 3, at}, op, ": input must be [N,L,C] or [N,H,W,C], got ", x.shape());
  const int64_t n = x.dim(0), l = n > 0 ? x.rows() / n : 1, c = x.channels();
  check({l > 1 || n == 0, at}, op, ": statistics over one position are meaningless, input is ", x.shape(),
        "; use a larger input or no norm here");
  const kernels::InstanceNormSpec g{.n = n, .l = l, .c = c, .eps = eps};
  return detail::sample_norm<kernels::InstanceNorm>(g, x, weight, bias, out, at);
}

}  // namespace kern
