#include "engine/ops/group_norm.h"

#include "engine/ops/sample_norm.h"
#include "kernels/norm/group_norm.h"

namespace kern {

Tensor group_norm(const Tensor& x, int64_t groups, const Tensor& weight, const Tensor& bias, float eps,
                  const Tensor& out, SourceLocation at) {
  const char* op = "group_norm";
  check({x.rank() >= 2, at}, op, ": input must be [N,C], [N,L,C] or [N,H,W,C], got ", x.shape());
  const int64_t n = x.dim(0), c = x.channels(), l = n > 0 && c > 0 ? x.rows() / n : 1;
  check({groups >= 1 && c % groups == 0, at}, op, ": ", groups, " groups must divide the ", c, " channels of input ",
        x.shape());
  check({n == 0 || l * c / groups != 1, at}, op, ": statistics over one value are meaningless, input is ", x.shape(),
        " in ", groups, " groups; use fewer groups or a larger input");
  const kernels::GroupNormSpec g{.n = n, .l = l, .c = c, .groups = groups, .eps = eps};
  return detail::sample_norm<kernels::GroupNorm>(g, x, weight, bias, out, at);
}

}  // namespace kern
