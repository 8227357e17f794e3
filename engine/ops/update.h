// What the ops that write to parameters in place share. None of them is recorded.
#pragma once
#include "engine/ops/op.h"

namespace kern::detail {

// `other` must be a dense array like the parameter p, which must be dense itself.
inline void check_like_parameter(const char* op, const char* name, const Tensor& p, const Tensor& other,
                                 SourceLocation at) {
  check({bool(other), at}, op, ": ", name, " is missing for a parameter of shape ", p.shape());
  check({other.shape() == p.shape() && other.dense() && p.dense() && other.device() == p.device(), at}, op, ": ", name,
        " ", other.shape(), " must be a dense array of the parameter's shape ", p.shape(), " on its device");
}

}  // namespace kern::detail
