// The implementation "cublaslt": a fallback and a yardstick, behind our own. In cuBLASLt's words, where our implementations are columns:
//   y = w^T x + b,  dx = w dy,  dw = x dy^T
// The bias' gradient is our implementation's "cuda", and so is what has no plan: the row is chosen before all arrays are known,
// and some may lie in slices that cuBLASLt does not take, or at an address its plans are not made for.
#include <algorithm>
#include <array>
#include <map>

#include "kernels/common/nvidia/cublaslt.h"
#include "kernels/common/precision.h"
#include "kernels/matmul/linear.h"

namespace kern::kernels {
namespace {

enum class Direction { forward, forward_with_bias, backward_data, backward_weight };
constexpr Direction kDirections[] = {Direction::forward, Direction::forward_with_bias, Direction::backward_data,
                                     Direction::backward_weight};

MatmulSpec product(const LinearSpec& g, Direction direction) {
  const bool tf32 = precision() >= Precision::tf32;
  switch (direction) {
    case Direction::forward:
    case Direction::forward_with_bias:
      return {g.k, g.rows, g.c, true, false, g.c, g.x_pitch(), g.y_pitch(), direction == Direction::forward_with_bias,
              tf32};
    case Direction::backward_data:
      return {g.c, g.rows, g.k, false, false, g.c, g.dy_pitch(), g.dx_pitch(), false, tf32};
    case Direction::backward_weight:
      break;
  }
  return {g.c, g.k, g.rows, false, true, g.x_pitch(), g.dy_pitch(), g.c, false, tf32};
}

// Made once for each case; null where there is none.
const MatmulPlan* plan_of(const LinearSpec& g, Direction direction) {
  CublasLt* library = opened_cublaslt();
  if (!library || g.rows < 1) return nullptr;
  static std::mutex mutex;
  static auto& plans = *new std::map<MatmulSpec, std::unique_ptr<MatmulPlan>>;  // for good, like the library
  const MatmulSpec spec = product(g, direction);
  std::lock_guard lock(mutex);
  const auto [it, fresh] = plans.try_emplace(spec);
  if (fresh) try {
      constexpr const char* names[] = {"forward", "forward", "backward_data", "backward_weight"};
      it->second = std::make_unique<MatmulPlan>(
          *library, spec, text("linear ", names[int(direction)], " of [", g.rows, ",", g.c, "] to ", g.k));
    } catch (const Error&) {
      // No algorithm takes the case, so neither does the row.
    }
  return it->second.get();
}

bool run(const Exec& exec, const LinearSpec& g, Direction direction, const float* a, const float* b, const float* bias,
         float* d) {
  for (const float* p : {a, b, static_cast<const float*>(d)})
    if (reinterpret_cast<uintptr_t>(p) % MatmulPlan::kAlignment) return false;
  const MatmulPlan* plan = plan_of(g, direction);
  if (!plan) return false;
  plan->run(exec.stream, a, b, bias, d, exec.scratch);
  return true;
}

}  // namespace

LinearImpl linear_cublaslt_impl() {
  static const LinearImpl ours = linear_cuda_impl();
  return {.name = "cublaslt",
          .device = Device::cuda,
          .supports =
              [](const LinearSpec& g) {
                return std::ranges::all_of(kDirections, [&](Direction d) { return plan_of(g, d); });
              },
          .workspace =
              [](const LinearSpec& g) {
                size_t bytes = ours.workspace(g);
                for (const Direction d : kDirections)
                  if (const MatmulPlan* plan = plan_of(g, d)) bytes = std::max(bytes, plan->workspace());
                return bytes;
              },
          .forward =
              [](const Exec& exec, const LinearSpec& g, const float* x, const float* w, const float* b, float* y) {
                if (!run(exec, g, b ? Direction::forward_with_bias : Direction::forward, w, x, b, y))
                  ours.forward(exec, g, x, w, b, y);
              },
          .backward_data =
              [](const Exec& exec, const LinearSpec& g, const float* dy, const float* w, float* dx) {
                if (!run(exec, g, Direction::backward_data, w, dy, nullptr, dx)) ours.backward_data(exec, g, dy, w, dx);
              },
          .backward_weight =
              [](const Exec& exec, const LinearSpec& g, const float* dy, const float* x, float* dw) {
                if (!run(exec, g, Direction::backward_weight, x, dy, nullptr, dw))
                  ours.backward_weight(exec, g, dy, x, dw);
              },
          .backward_bias = [](const Exec& exec, const LinearSpec& g, const float* dy,
                              float* db) { ours.backward_bias(exec, g, dy, db); }};
}

}  // namespace kern::kernels
