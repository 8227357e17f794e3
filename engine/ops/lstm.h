#pragma once
#include "engine/tensor.h"

namespace kern {

// One layer of an LSTM in one direction, from states of zero: x [N,L,C], w_ih [4H,C], w_hh [4H,H], b_ih and b_hh [4H]
// or empty -> y [N,L,H], the state after every step; reverse walks from the last position to the first. Gates in the
// order i, f, g, o. Formulas in kernels/recurrent/lstm.h.
Tensor lstm(const Tensor& x, const Tensor& w_ih, const Tensor& w_hh, const Tensor& b_ih = {}, const Tensor& b_hh = {},
            bool reverse = false, const Tensor& out = {}, SourceLocation at = SourceLocation::current());

}  // namespace kern
