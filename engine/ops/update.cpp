#include "engine/ops/update.h"

#include "engine/ops/op.h"

namespace kern {

namespace detail {

void check_like_parameter(const char* op, const char* name, const Tensor& p, const Tensor& other, SourceLocation at) {
  check({bool(other), at}, op, ": ", name, " is missing for a parameter of shape ", p.shape());
  check({other.shape() == p.shape() && other.dense() && p.dense() && other.device() == p.device(), at}, op, ": ", name,
        " ", other.shape(), " must be a dense array of the parameter's shape ", p.shape(), " on its device");
}

}  // namespace detail

}  // namespace kern
