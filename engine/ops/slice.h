#pragma once
#include "engine/ops/pad.h"

namespace kern {

// Positions begin .. end-1 of one dimension (negative counts from the end: -1 is the channels). Of channels it is a
// view of x and costs nothing; of any other dimension a dense copy.
Tensor slice(const Tensor& x, int dim, int64_t begin, int64_t end, SourceLocation at = SourceLocation::current());

// The tensors of these sizes that lie one behind the other along a dimension. Error: sizes that do not add up to it.
std::vector<Tensor> split(const Tensor& x, int dim, const std::vector<int64_t>& sizes,
                          SourceLocation at = SourceLocation::current());

}  // namespace kern
