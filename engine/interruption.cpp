#include "engine/interruption.h"

#include <atomic>

namespace kern {
namespace {
std::atomic<WantsToEnd> asked{nullptr};
}

WantsToEnd set_interruption(WantsToEnd wants) { return asked.exchange(wants); }
void throw_if_interrupted() {
  if (const WantsToEnd wants = asked.load(std::memory_order_relaxed); wants && wants())
    throw Interrupted("stopped inside a step");
}

}  // namespace kern
