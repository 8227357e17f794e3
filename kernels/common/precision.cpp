#include "kernels/common/precision.h"

namespace kern::kernels {
namespace {
Precision allowed = Precision::f32;
}

Precision precision() { return allowed; }
void set_precision(Precision p) { allowed = p; }
std::string_view name_of(Precision p) {
  constexpr std::string_view kNames[] = {"f32", "tf32", "bf16"};
  return kNames[size_t(p)];
}

}  // namespace kern::kernels
