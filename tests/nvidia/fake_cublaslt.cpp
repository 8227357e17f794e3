// A strict stand-in for cuBLASLt on the emulated GPU: libkern_fake_cublaslt.so, opened through KERN_CUBLASLT. It knows
// what kernels/common/nvidia/cublaslt_api.h declares and no more, refuses sizes, shapes and pointers that do not fit,
// and multiplies by plain loops when its stream gets there.
#include <cstring>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "kernels/common/emulator/library.h"
#include "kernels/common/nvidia/cublaslt_api.h"

namespace {

using namespace kern::cublaslt;

const kern::emulator::EmulatedGpu* gpu = nullptr;
std::mutex mutex;                // of what follows: objects are made in any thread
std::set<const void*>& live() {  // every object that was made and not destroyed
  static auto& all = *new std::set<const void*>;
  return all;
}
bool known(const void* p) {
  std::lock_guard lock(mutex);
  return live().contains(p);
}
template <class Handle, class Object>
LtStatus hand_out(Handle* to, Object* made) {
  std::lock_guard lock(mutex);
  live().insert(made);
  *to = reinterpret_cast<Handle>(made);
  return LtStatus::success;
}
template <class Handle>
bool forget(Handle object) {
  std::lock_guard lock(mutex);
  return live().erase(object) > 0;
}
struct Description {
  ComputeType compute;
  Operation a = Operation::as_it_stands, b = Operation::as_it_stands;
  Epilogue epilogue = Epilogue::none;
  const float* bias = nullptr;
};
struct Layout {
  int64_t rows, columns, pitch;
};
struct Wishes {
  uint64_t workspace = 0;
  uint32_t alignment[4] = {256, 256, 256, 256};  // of a, b, c, d, unless something else is said
};

template <class T>
auto* object_of(T handle) {
  if constexpr (std::is_same_v<T, MatmulDesc>) return reinterpret_cast<Description*>(handle);
  else if constexpr (std::is_same_v<T, MatrixLayout>) return reinterpret_cast<Layout*>(handle);
  else return reinterpret_cast<Wishes*>(handle);
}

// What an algorithm was proposed for: it serves nothing else.
struct Proposal {
  uint64_t magic, m, n, k, flags, bias_alignment, alignment, workspace;
};
static_assert(sizeof(Proposal) == sizeof(Algorithm));
constexpr uint64_t kMagic = 0x6b65726e;

uint64_t alignment_of(const void* p) {
  const uintptr_t a = reinterpret_cast<uintptr_t>(p);
  return a ? a & -a : 256;
}
template <class T>
LtStatus take(T& to, const void* from, size_t bytes) {
  if (!from || bytes != sizeof to) return LtStatus::invalid_value;
  std::memcpy(&to, from, bytes);
  return LtStatus::success;
}

LtStatus propose(const Description& op, const Layout& a, const Layout& b, const Layout& c, const Layout& d,
                 Proposal& p) {
  const bool ta = op.a == Operation::transposed, tb = op.b == Operation::transposed;
  const int64_t m = ta ? a.columns : a.rows, k = ta ? a.rows : a.columns, n = tb ? b.rows : b.columns;
  if ((tb ? b.columns : b.rows) != k || d.rows != m || d.columns != n || c.rows != m || c.columns != n)
    return LtStatus::invalid_value;
  if (op.epilogue == Epilogue::bias && !op.bias) return LtStatus::invalid_value;
  p = {kMagic,
       uint64_t(m),
       uint64_t(n),
       uint64_t(k),
       uint64_t(ta) | uint64_t(tb) << 1 | uint64_t(op.epilogue == Epilogue::bias) << 2 | uint64_t(op.compute) << 3,
       op.epilogue == Epilogue::bias ? alignment_of(op.bias) : 0,
       0,
       0};
  return LtStatus::success;
}

// A matrix by columns, with rows and columns as it lies in memory.
std::string read(const float* of_gpu, const Layout& l, std::vector<double>& out) {
  std::vector<float> column(size_t(l.rows), 0.0f);
  for (int64_t j = 0; j < l.columns; ++j) {
    if (std::string wrong = gpu->copy(column.data(), of_gpu + j * l.pitch, column.size() * sizeof(float));
        !wrong.empty())
      return "cuBLASLt's stand-in: " + wrong;
    out.insert(out.end(), column.begin(), column.end());
  }
  return {};
}
double to_tf32(double v) {
  float f = float(v);
  uint32_t bits;
  std::memcpy(&bits, &f, sizeof f);
  bits = (bits + 0x1000) & ~0x1fffu;
  std::memcpy(&f, &bits, sizeof f);
  return double(f);
}

std::string multiply(const Description& op, const Layout& la, const Layout& lb, const Layout& ld, const float* a,
                     const float* b, float* d, void* workspace, size_t workspace_bytes) {
  std::vector<double> va, vb, bias;
  std::string wrong = read(a, la, va) + read(b, lb, vb);
  if (op.epilogue == Epilogue::bias) wrong += read(op.bias, {ld.rows, 1, ld.rows}, bias);
  const std::vector<unsigned char> rubbish(workspace_bytes, 0xab);
  if (workspace_bytes) wrong += gpu->copy(workspace, rubbish.data(), rubbish.size());
  if (!wrong.empty()) return wrong;
  if (op.compute == ComputeType::fast_tf32)
    for (auto* values : {&va, &vb})
      for (double& v : *values) v = to_tf32(v);
  const bool ta = op.a == Operation::transposed, tb = op.b == Operation::transposed;
  const int64_t depth = ta ? la.rows : la.columns;
  std::vector<float> column(size_t(ld.rows), 0.0f);
  for (int64_t j = 0; j < ld.columns; ++j) {
    for (int64_t i = 0; i < ld.rows; ++i) {
      double sum = bias.empty() ? 0 : bias[size_t(i)];
      for (int64_t l = 0; l < depth; ++l)
        sum += va[size_t(ta ? i * la.rows + l : l * la.rows + i)] * vb[size_t(tb ? l * lb.rows + j : j * lb.rows + l)];
      column[size_t(i)] = float(sum);
    }
    if (wrong = gpu->copy(d + j * ld.pitch, column.data(), column.size() * sizeof(float)); !wrong.empty())
      return "cuBLASLt's stand-in: " + wrong;
  }
  return {};
}

}  // namespace

#define EXPORTED extern "C" __attribute__((visibility("default")))

EXPORTED void kern_attach_emulated_gpu(const kern::emulator::EmulatedGpu* c) { gpu = c; }
EXPORTED int64_t kern_fake_cublaslt_objects() { return int64_t(live().size()); }

EXPORTED size_t cublasLtGetVersion() { return 130000; }
EXPORTED const char* cublasLtGetStatusString(LtStatus s) {
  return s == LtStatus::success         ? "success"
         : s == LtStatus::invalid_value ? "an unsupported value or parameter was passed to the function"
                                        : "the functionality requested is not supported";
}
EXPORTED LtStatus cublasLtCreate(Handle* handle) {
  if (!gpu || !handle) return LtStatus::not_initialized;
  static int object;
  *handle = reinterpret_cast<Handle>(&object);
  return LtStatus::success;
}
EXPORTED LtStatus cublasLtMatmulDescCreate(MatmulDesc* out, ComputeType compute, LtDataType scale) {
  if (!out || scale != LtDataType::float32) return LtStatus::invalid_value;
  if (compute != ComputeType::float32 && compute != ComputeType::fast_tf32) return LtStatus::not_supported;
  return hand_out(out, new Description{.compute = compute});
}
EXPORTED LtStatus cublasLtMatmulDescDestroy(MatmulDesc d) {
  if (!forget(d)) return LtStatus::invalid_value;
  delete object_of(d);
  return LtStatus::success;
}
EXPORTED LtStatus cublasLtMatmulDescSetAttribute(MatmulDesc d, DescAttribute name, const void* value, size_t bytes) {
  if (!known(d)) return LtStatus::invalid_value;
  Description& op = *object_of(d);
  switch (name) {
    case DescAttribute::transpose_a:
      return take(op.a, value, bytes);
    case DescAttribute::transpose_b:
      return take(op.b, value, bytes);
    case DescAttribute::epilogue:
      return take(op.epilogue, value, bytes);
    case DescAttribute::bias_pointer:
      return take(op.bias, value, bytes);
  }
  return LtStatus::invalid_value;
}
EXPORTED LtStatus cublasLtMatrixLayoutCreate(MatrixLayout* out, LtDataType type, uint64_t rows, uint64_t columns,
                                             int64_t pitch) {
  if (!out || type != LtDataType::float32 || rows < 1 || columns < 1 || pitch < int64_t(rows))
    return LtStatus::invalid_value;
  return hand_out(out, new Layout{int64_t(rows), int64_t(columns), pitch});
}
EXPORTED LtStatus cublasLtMatrixLayoutDestroy(MatrixLayout l) {
  if (!forget(l)) return LtStatus::invalid_value;
  delete object_of(l);
  return LtStatus::success;
}
EXPORTED LtStatus cublasLtMatmulPreferenceCreate(Preference* out) {
  if (!out) return LtStatus::invalid_value;
  return hand_out(out, new Wishes);
}
EXPORTED LtStatus cublasLtMatmulPreferenceDestroy(Preference p) {
  if (!forget(p)) return LtStatus::invalid_value;
  delete object_of(p);
  return LtStatus::success;
}
EXPORTED LtStatus cublasLtMatmulPreferenceSetAttribute(Preference p, PreferenceAttribute name, const void* value,
                                                       size_t bytes) {
  if (!known(p)) return LtStatus::invalid_value;
  Wishes& wishes = *object_of(p);
  switch (name) {
    case PreferenceAttribute::most_workspace:
      return take(wishes.workspace, value, bytes);
    case PreferenceAttribute::reduction_schemes: {
      uint32_t schemes = 0;
      return take(schemes, value, bytes);
    }
    case PreferenceAttribute::alignment_a:
    case PreferenceAttribute::alignment_b:
    case PreferenceAttribute::alignment_c:
    case PreferenceAttribute::alignment_d:
      return take(wishes.alignment[int(name) - int(PreferenceAttribute::alignment_a)], value, bytes);
  }
  return LtStatus::invalid_value;
}
EXPORTED LtStatus cublasLtMatmulAlgoGetHeuristic(Handle handle, MatmulDesc d, MatrixLayout la, MatrixLayout lb,
                                                 MatrixLayout lc, MatrixLayout ld, Preference p, int most,
                                                 HeuristicResult* results, int* count) {
  if (!handle || !known(d) || !known(la) || !known(lb) || !known(lc) || !known(ld) || !known(p) || !results || !count ||
      most < 1)
    return LtStatus::invalid_value;
  Proposal proposal;
  const LtStatus s = propose(*object_of(d), *object_of(la), *object_of(lb), *object_of(lc), *object_of(ld), proposal);
  if (s != LtStatus::success) return s;
  const Wishes& wishes = *object_of(p);
  // 4 bits an alignment's logarithm; long sums are done in parts where the workspace is large enough.
  for (int i = 0; i < 4; ++i)
    for (uint32_t a = wishes.alignment[i]; a > 1; a /= 2) proposal.alignment += uint64_t{1} << (4 * i);
  proposal.workspace = proposal.k > 100 && wishes.workspace >= 1000 ? 1000 : 0;
  results[0] = {};
  std::memcpy(&results[0].algorithm, &proposal, sizeof proposal);
  results[0].workspace = proposal.workspace;
  *count = 1;
  return LtStatus::success;
}
EXPORTED LtStatus cublasLtMatmul(Handle handle, MatmulDesc desc, const void* alpha, const void* a, MatrixLayout la,
                                 const void* b, MatrixLayout lb, const void* beta, const void* c, MatrixLayout lc,
                                 void* d, MatrixLayout ld, const Algorithm* algorithm, void* workspace,
                                 size_t workspace_bytes, void* stream) {
  if (!handle || !known(desc) || !known(la) || !known(lb) || !known(lc) || !known(ld) || !alpha || !beta || !a || !b ||
      !c || !d || !algorithm)
    return LtStatus::invalid_value;
  Proposal given, expected;
  std::memcpy(&given, algorithm, sizeof given);
  const Description op = *object_of(desc);
  if (const LtStatus s = propose(op, *object_of(la), *object_of(lb), *object_of(lc), *object_of(ld), expected);
      s != LtStatus::success)
    return s;
  if (given.magic != kMagic || given.m != expected.m || given.n != expected.n || given.k != expected.k ||
      given.flags != expected.flags || expected.bias_alignment < given.bias_alignment)
    return LtStatus::invalid_value;
  const void* pointers[] = {a, b, c, d};
  for (int i = 0; i < 4; ++i)
    if (alignment_of(pointers[i]) < uint64_t{1} << (given.alignment >> (4 * i) & 15)) return LtStatus::invalid_value;
  if (given.workspace && (!workspace || workspace_bytes < given.workspace || alignment_of(workspace) < 16))
    return LtStatus::invalid_value;
  float one, zero;
  std::memcpy(&one, alpha, sizeof one), std::memcpy(&zero, beta, sizeof zero);
  if (one != 1 || zero != 0) return LtStatus::not_supported;
  gpu->enqueue(
      [op, a_layout = *object_of(la), b_layout = *object_of(lb), d_layout = *object_of(ld),
       at_a = static_cast<const float*>(a), at_b = static_cast<const float*>(b), at_d = static_cast<float*>(d),
       workspace, bytes = size_t(given.workspace)] {
        return multiply(op, a_layout, b_layout, d_layout, at_a, at_b, at_d, workspace, bytes);
      },
      stream);
  return LtStatus::success;
}
