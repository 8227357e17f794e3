#pragma once
#include "engine/tensor.h"

namespace kern {

// average = decay * average + (1 - decay) * x, in place: an exponential moving average of a parameter.
void ema_update(Tensor& average, const Tensor& x, double decay, SourceLocation at = SourceLocation::current());

}  // namespace kern
