#pragma once
#include "engine/random.h"
#include "engine/tensor.h"

namespace kern {

// y = x with every value dropped (0) with probability p, the others scaled by 1/(1-p); any shape. For training: in
// evaluation the layer does not call it. The masks depend on the generator's seed, step and number of calls in this
// step.
Tensor dropout(const Tensor& x, float p, Generator& generator = default_generator(), const Tensor& out = {},
               SourceLocation at = SourceLocation::current());

// The same with whole channels of a sample dropped: x [N,...,C].
Tensor channel_dropout(const Tensor& x, float p, Generator& generator = default_generator(), const Tensor& out = {},
                       SourceLocation at = SourceLocation::current());

// The same with whole samples dropped: x [N,...].
Tensor sample_dropout(const Tensor& x, float p, Generator& generator = default_generator(),
                      SourceLocation at = SourceLocation::current());

}  // namespace kern
