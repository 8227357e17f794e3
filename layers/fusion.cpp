#include "layers/fusion.h"

#include <cstdlib>
#include <string_view>

#include "kernels/common/error.h"

namespace kern {
namespace {
bool& enabled() {
  static bool on = [] {
    const char* value = std::getenv("KERN_FUSION");
    if (!value) return true;
    const std::string_view word = value;
    check(word == "on" || word == "off", "KERN_FUSION must be on or off, got '", word, "'");
    return word == "on";
  }();
  return on;
}
}  // namespace

bool fusion_enabled() { return enabled(); }
void set_fusion(bool on) { enabled() = on; }

}  // namespace kern
