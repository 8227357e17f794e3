#pragma once
#include "engine/tensor.h"

namespace kern {

// What probabilities [N,L,C] of signals become when it is known that classes never go back along a signal: of the
// positions that take part (present i32 [N,L] is not negative), others keep theirs. No gradients. Formulas in
// kernels/labels/monotone_posteriors.h.
Tensor monotone_posteriors(const Tensor& p, const Tensor& present, SourceLocation at = SourceLocation::current());

}  // namespace kern
