#include "kernels/common/nvidia/cublaslt.h"

#include <utility>

#include "kernels/common/error.h"

namespace kern::kernels {

using namespace cublaslt;

CublasLtApi::CublasLtApi(SharedLibrary opened) : library(std::move(opened)) {
  library.find(GetVersion, "cublasLtGetVersion");
  library.find(GetStatusString, "cublasLtGetStatusString");
  library.find(Create, "cublasLtCreate");
  library.find(MatmulDescCreate, "cublasLtMatmulDescCreate");
  library.find(MatmulDescDestroy, "cublasLtMatmulDescDestroy");
  library.find(MatmulDescSetAttribute, "cublasLtMatmulDescSetAttribute");
  library.find(MatrixLayoutCreate, "cublasLtMatrixLayoutCreate");
  library.find(MatrixLayoutDestroy, "cublasLtMatrixLayoutDestroy");
  library.find(MatmulPreferenceCreate, "cublasLtMatmulPreferenceCreate");
  library.find(MatmulPreferenceDestroy, "cublasLtMatmulPreferenceDestroy");
  library.find(MatmulPreferenceSetAttribute, "cublasLtMatmulPreferenceSetAttribute");
  library.find(MatmulAlgoGetHeuristic, "cublasLtMatmulAlgoGetHeuristic");
  library.find(Matmul, "cublasLtMatmul");
}

std::string CublasLtApi::version() const {
  if (!GetVersion) return "";
  const size_t v = GetVersion();  // 130100 is 13.1.0
  return text(v / 10000, ".", v / 100 % 100, ".", v % 100);
}

namespace {

struct Opened {
  std::unique_ptr<CublasLt> library;
  std::string why;
};
Opened open() {
  std::unique_ptr<CublasLt> lt(
      new CublasLt{.api = CublasLtApi(open_cuda_library("KERN_CUBLASLT", {"libcublasLt.so.13", "libcublasLt.so.12"}))});
  if (!lt->api.library) return {nullptr, lt->api.library.why()};
  if (const LtStatus s = lt->api.Create(&lt->handle); s != LtStatus::success)
    return {nullptr, text("cuBLASLt ", lt->api.version(), " finds no GPU to work on: ", lt->api.GetStatusString(s))};
  return {std::move(lt), ""};
}
const Opened& opened() {
  static const Opened& o = *new Opened(open());  // for good: the driver may be gone when a program ends
  return o;
}

}  // namespace

CublasLt* opened_cublaslt() { return opened().library.get(); }
std::string cublaslt_in_words() {
  const Opened& o = opened();
  return o.library ? text(o.library->api.version(), " (", o.library->api.library.file(), ")") : "none: " + o.why;
}

void MatmulPlan::check_status(LtStatus status, const char* doing) const {
  if (status == LtStatus::success) return;
  throw Error(
      text(what_, ": cuBLASLt ", library_->api.version(), ": ", doing, ": ", library_->api.GetStatusString(status)));
}

MatmulPlan::MatmulPlan(CublasLt& library, const MatmulSpec& g, std::string what)
    : library_(&library), what_(std::move(what)), bias_(g.bias) {
  const CublasLtApi& api = library.api;
  Preference preference = nullptr;
  try {
    check_status(api.MatmulDescCreate(&description_, g.tf32 ? ComputeType::fast_tf32 : ComputeType::float32,
                                      LtDataType::float32),
                 "a description cannot be made");
    const auto describe = [&](DescAttribute name, const auto& value) {
      check_status(api.MatmulDescSetAttribute(description_, name, &value, sizeof value),
                   "a description does not take a value");
    };
    const auto transposed = [](bool yes) { return yes ? Operation::transposed : Operation::as_it_stands; };
    describe(DescAttribute::transpose_a, transposed(g.transpose_a));
    describe(DescAttribute::transpose_b, transposed(g.transpose_b));
    if (g.bias) {
      describe(DescAttribute::epilogue, Epilogue::bias);
      // Not read until run() puts the true one here: it says how a bias is aligned, which is like any float.
      describe(DescAttribute::bias_pointer, reinterpret_cast<const void*>(uintptr_t{sizeof(float)}));
    }
    const auto layout = [&](MatrixLayout& of, bool turned, int64_t rows, int64_t columns, int64_t pitch) {
      if (turned) std::swap(rows, columns);
      check_status(api.MatrixLayoutCreate(&of, LtDataType::float32, uint64_t(rows), uint64_t(columns), pitch),
                   "a layout cannot be made");
    };
    layout(a_, g.transpose_a, g.m, g.k, g.a_pitch);
    layout(b_, g.transpose_b, g.k, g.n, g.b_pitch);
    layout(d_, false, g.m, g.n, g.d_pitch);

    check_status(api.MatmulPreferenceCreate(&preference), "a preference cannot be made");
    const auto prefer = [&](PreferenceAttribute name, const auto& value) {
      check_status(api.MatmulPreferenceSetAttribute(preference, name, &value, sizeof value),
                   "a preference is not taken");
    };
    prefer(PreferenceAttribute::most_workspace, uint64_t{32} << 20);
    prefer(PreferenceAttribute::reduction_schemes, uint32_t{in_compute_type});  // whole sums or parts in the workspace
    for (const auto name : {PreferenceAttribute::alignment_a, PreferenceAttribute::alignment_b,
                            PreferenceAttribute::alignment_c, PreferenceAttribute::alignment_d})
      prefer(name, uint32_t(kAlignment));
    HeuristicResult result{};
    int count = 0;
    check_status(
        api.MatmulAlgoGetHeuristic(library.handle, description_, a_, b_, d_, d_, preference, 1, &result, &count),
        "it proposes nothing");
    check(count == 1 && result.state == LtStatus::success, what_, ": cuBLASLt has no algorithm for it");
    algorithm_ = result.algorithm;
    workspace_ = result.workspace;
  } catch (...) {
    if (preference) api.MatmulPreferenceDestroy(preference);
    free();
    throw;
  }
  api.MatmulPreferenceDestroy(preference);
}
MatmulPlan::~MatmulPlan() { free(); }
void MatmulPlan::free() {
  for (const MatrixLayout layout : {a_, b_, d_})
    if (layout) library_->api.MatrixLayoutDestroy(layout);
  if (description_) library_->api.MatmulDescDestroy(description_);
}

void MatmulPlan::run(void* stream, const float* a, const float* b, const float* bias, float* d, void* workspace) const {
  const float one = 1, zero = 0;
  std::lock_guard lock(library_->mutex);
  if (bias_)
    check_status(library_->api.MatmulDescSetAttribute(description_, DescAttribute::bias_pointer, &bias, sizeof bias),
                 "it does not take the bias");
  check_status(library_->api.Matmul(library_->handle, description_, &one, a, a_, b, b_, &zero, d, d_, d, d_,
                                    &algorithm_, workspace, workspace_, stream),
               "it failed");
}

}  // namespace kern::kernels
