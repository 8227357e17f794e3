#include "layers/feature_dropout.h"

#include <utility>

#include "engine/ops/dropout.h"

namespace kern {
namespace {
thread_local float share = 0;  // of this thread's innermost scope
}

FeatureDropout::FeatureDropout(float p) : before_(share) {
  check(p >= 0 && p < 1, "the share of an encoder's channels that is dropped must be at least 0 and below 1, got ", p);
  share = p;
}
FeatureDropout::~FeatureDropout() { share = before_; }
Tensor FeatureDropout::applied(const Tensor& x) { return share > 0 ? channel_dropout(x, share) : x; }

}  // namespace kern
