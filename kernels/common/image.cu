#include "kernels/common/cuda.h"
#include "kernels/common/image.h"

namespace kern::kernels {
namespace {
__global__ void nothing_kernel() {}
}  // namespace

const void* any_kernel() { return reinterpret_cast<const void*>(nothing_kernel); }

}  // namespace kern::kernels
