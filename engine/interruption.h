// A way out of a step that takes too long: every op asks here before it is recorded and before it goes back, and where
// the program wants to end, Interrupted is thrown. What was computed so far is lost, and running statistics may have
// moved: what a training had saved before is what it goes on from.
#pragma once
#include "kernels/common/error.h"

namespace kern {

struct Interrupted : Error {
  using Error::Error;
};

// Whether the program wants to end now; cheap, for it is asked thousands of times a second. Null: never.
using WantsToEnd = bool (*)();
WantsToEnd set_interruption(WantsToEnd wants);  // returns what it was
void throw_if_interrupted();

}  // namespace kern
