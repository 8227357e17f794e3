#include "kernels/common/launches.h"

#include <cstdlib>
#include <string_view>

#include "kernels/common/error.h"

namespace kern::kernels {
namespace {

bool& sync() {
  static bool on = [] {
    const char* value = std::getenv("KERN_SYNC");
    const std::string_view v = value ? value : "off";
    check(v == "on" || v == "off", "KERN_SYNC=", v,
          ": use on (the host waits for every kernel, so that an error names the one that failed) or off");
    return v == "on";
  }();
  return on;
}

}  // namespace

bool sync_launches() { return sync(); }
void set_sync_launches(bool on) { sync() = on; }

}  // namespace kern::kernels
