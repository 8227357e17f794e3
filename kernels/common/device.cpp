#include "kernels/common/device.h"

namespace kern::kernels {
namespace {
void* stream_now = nullptr;
}

void* current_stream() { return stream_now; }
void set_current_stream(void* stream) { stream_now = stream; }

}  // namespace kern::kernels
