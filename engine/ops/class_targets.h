// What losses of class numbers check: logits [N,...,K], targets i32 [N,...].
#pragma once
#include "engine/tensor.h"

namespace kern {

// Errors: sizes that do not fit; another type than i32.
void check_class_targets(const char* op, const Tensor& logits, const Tensor& target, SourceLocation at);

// weight [classes] or empty.
void check_class_weights(const char* op, const Tensor& weight, int64_t classes, SourceLocation at);

}  // namespace kern
