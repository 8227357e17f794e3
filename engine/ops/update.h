// What the ops that write to parameters in place share. None of them is recorded.
#pragma once
#include "engine/tensor.h"

namespace kern::detail {

// `other` must be a dense array like the parameter p, which must be dense itself.
void check_like_parameter(const char* op, const char* name, const Tensor& p, const Tensor& other, SourceLocation at);

}  // namespace kern::detail
