// The switch between fused layers (one op for norm, activation, dropout and residual, one for the head and its loss)
// and the same op by op. Both give the same numbers; op by op is for the cautious, and for tests that compare.
// KERN_FUSION=off sets it at the start.
#pragma once

namespace kern {

bool fusion_enabled();
void set_fusion(bool on);

}  // namespace kern
