#ifdef KERN_CUDA
#include "kernels/common/cuda.h"

#include <map>
#include <mutex>

namespace kern::kernels {
namespace {

constexpr size_t kWithoutAsking = 48 * 1024;  // of shared memory, static and dynamic

// Errors of which driver_types.h says "This leaves the process in an inconsistent state and any further CUDA work will
// return the same error. To continue using CUDA, the process must be terminated and relaunched", by number: older
// toolkits do not know all of them.
bool is_final(cudaError_t error) {
  switch (int(error)) {
    case 226:  // cudaErrorContained
    case 700:  // cudaErrorIllegalAddress
    case 702:  // cudaErrorLaunchTimeout
    case 710:  // cudaErrorAssert
    case 714:  // cudaErrorHardwareStackError
    case 715:  // cudaErrorIllegalInstruction
    case 716:  // cudaErrorMisalignedAddress
    case 717:  // cudaErrorInvalidAddressSpace
    case 718:  // cudaErrorInvalidPc
    case 719:  // cudaErrorLaunchFailure
    case 721:  // cudaErrorTensorMemoryLeak
    case 810:  // cudaErrorMpsClientTerminated
    case 911:  // cudaErrorExternalDevice
      return true;
    default:
      return false;
  }
}

std::string sentence_of(cudaError_t error, std::string_view what) {
  return text("CUDA: ", what, ": ", cudaGetErrorString(error), " (", cudaGetErrorName(error), ")");
}
constexpr const char* kGiveUp = ". After this error the GPU refuses all further work of this process: start it again";

// What a kernel may have of dynamic shared memory on a device, as far as it was asked.
struct Shared {
  size_t of_variables = 0, device = 0;
  bool raised = false;
};

}  // namespace

void cuda_fail(cudaError_t error, std::string_view what, SourceLocation at) {
  std::string sentence = sentence_of(error, what);
  if (is_final(error)) {
    sentence += kGiveUp;
    if (!sync_launches())
      sentence += ". What failed may be any kernel started before: run with KERN_SYNC=on to learn which";
  }
  cudaGetLastError();  // the next call is evaluated by itself, unless the error is final
  throw Error(sentence, at);
}

void prepare_shared(const void* kernel, size_t bytes, std::string_view name, SourceLocation at) {
  static std::mutex& mutex = *new std::mutex;
  static auto& known = *new std::map<std::pair<int, const void*>, Shared>;
  int device = 0;
  cuda_check(cudaGetDevice(&device), name, at);
  const std::lock_guard lock(mutex);
  const auto [entry, is_new] = known.try_emplace({device, kernel});
  Shared& shared = entry->second;
#ifdef KERN_CUDA_EMULATED
  const bool ask = is_new || !shared.raised;  // a kernel's variables are known there when it has run once
#else
  const bool ask = is_new;
#endif
  if (ask) {
    cudaFuncAttributes attributes{};
    int most = 0;
    const cudaError_t error = cudaFuncGetAttributes(&attributes, kernel);
    if (error != cudaSuccess) known.erase(entry);
    cuda_check(error, name, at);
    cuda_check(cudaDeviceGetAttribute(&most, cudaDevAttrMaxSharedMemoryPerBlockOptin, device), name, at);
    shared = {.of_variables = attributes.sharedSizeBytes, .device = size_t(most)};
  }
  if (bytes + shared.of_variables <= kWithoutAsking) return;
  check({bytes + shared.of_variables <= shared.device, at}, name, ": a block needs ", bytes + shared.of_variables,
        " bytes of shared memory, ", shared.of_variables, " of them static; this GPU has ", shared.device);
  if (shared.raised) return;
  // Once, to all that there is: another launch may be recorded meanwhile, and must not find less at its end.
  cuda_check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                  int(shared.device - shared.of_variables)),
             name, at);
  shared.raised = true;
}

void wait_for_launch(std::string_view name, cudaStream_t stream, SourceLocation at) {
  cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
  cuda_check(cudaStreamIsCapturing(stream, &status), name, at);
  if (status == cudaStreamCaptureStatusNone) cuda_check(cudaStreamSynchronize(stream), name, at);
}

}  // namespace kern::kernels
#endif
