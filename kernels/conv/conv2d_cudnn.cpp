// The rows "cudnn" and "cudnn_bf16": a fallback and a yardstick, behind our own kernels. Sums of products as they
// stand, in float or, where tf32 is asked for or values are kept as bf16, by tensor cores; the same bits every time.
// The bias is added and its gradient summed by ours, and an array that begins at an address cuDNN's plan was not made
// for goes to our implementation "cuda".
#include "kernels/conv/conv2d_cudnn.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>

#include "kernels/elementwise/cast.h"

namespace kern::kernels {
namespace {

using namespace cudnn;
enum : int64_t { kX = 1, kW = 2, kY = 3 };  // the tensors' numbers in a plan

using Key = std::array<int64_t, 26>;
// What of a spec, as images where it can be that, a direction depends on: the pitches of its own arrays.
struct Case {
  Conv2dSpec g;
  ConvDirection direction;
  Precision precision;
  int64_t x_pitch() const { return direction == ConvDirection::backward_data ? g.dx_pitch() : g.x_pitch(); }
  int64_t y_pitch() const { return direction == ConvDirection::forward ? g.y_pitch() : g.dy_pitch(); }
  auto key() const {
    return Key{g.n,           g.c,       g.h,         g.w,          g.k,
               g.r,           g.s,       g.stride_h,  g.stride_w,   g.dil_h,
               g.dil_w,       g.groups,  g.pad_top,   g.pad_bottom, g.pad_left,
               g.pad_right,   x_pitch(), y_pitch(),   g.d,          g.t,
               g.stride_d,    g.dil_d,   g.pad_front, g.pad_back,   int(direction),
               int(precision)};
  }
  std::string in_words() const {
    if (g.volume())
      return text("conv2d ", direction, " of [", g.n, ",", g.d, ",", g.h, ",", g.w, ",", g.c, "] by [", g.k, ",", g.t,
                  ",", g.r, ",", g.s, ",", g.cg(), "]");
    return text("conv2d ", direction, " of [", g.n, ",", g.h, ",", g.w, ",", g.c, "] by [", g.k, ",", g.r, ",", g.s,
                ",", g.cg(), "]");
  }
};

// A tensor of our layout as cuDNN counts: dimensions in the order N, C, H, W, or N, C, D, H, W, whatever lies next to
// what.
CudnnDescriptor tensor(const CudnnApi& api, int64_t id, const char* name, const std::string& of, DataType type,
                       const std::vector<int64_t>& dims, int64_t pitch) {
  std::vector<int64_t> strides(dims.size(), 1);
  for (size_t i = dims.size() - 1; i >= 2; --i) strides[i] = pitch, pitch *= dims[i];
  strides[0] = pitch;
  CudnnDescriptor t(api, DescriptorType::tensor, text(of, ": ", name));
  t.set(Attribute::tensor_id, id)
      .set(Attribute::tensor_data_type, type)
      .set(Attribute::tensor_dimensions, dims)
      .set(Attribute::tensor_strides, strides)
      .set(Attribute::tensor_alignment, kCudnnAlignment);
  t.finalize();
  return t;
}

struct Names {
  DescriptorType operation;
  Attribute x, w, y, convolution, alpha, beta;
};
constexpr Names kNames[] = {
    {DescriptorType::operation_forward, Attribute::forward_x, Attribute::forward_w, Attribute::forward_y,
     Attribute::forward_convolution, Attribute::forward_alpha, Attribute::forward_beta},
    {DescriptorType::operation_backward_data, Attribute::backward_data_dx, Attribute::backward_data_w,
     Attribute::backward_data_dy, Attribute::backward_data_convolution, Attribute::backward_data_alpha,
     Attribute::backward_data_beta},
    {DescriptorType::operation_backward_filter, Attribute::backward_filter_x, Attribute::backward_filter_dw,
     Attribute::backward_filter_dy, Attribute::backward_filter_convolution, Attribute::backward_filter_alpha,
     Attribute::backward_filter_beta}};

}  // namespace

CudnnPlan conv2d_cudnn_plan(const CudnnApi& api, const CudnnTarget& target, const Conv2dSpec& spec,
                            ConvDirection direction, Precision precision) {
  using Axes = std::vector<int64_t>;
  const Conv2dSpec g = spec.flattened();
  const auto axes = [&](int64_t d, int64_t h, int64_t w) { return g.volume() ? Axes{d, h, w} : Axes{h, w}; };
  const auto dims = [&](int64_t n, int64_t c, const Axes& spatial) {
    Axes all{n, c};
    all.insert(all.end(), spatial.begin(), spatial.end());
    return all;
  };
  const Case c{g, direction, precision};
  const DataType type = precision == Precision::bf16 ? DataType::bf16 : DataType::float32;
  const std::string what = c.in_words();
  std::vector<CudnnDescriptor> parts;
  parts.push_back(tensor(api, kX, "x", what, type, dims(g.n, g.c, axes(g.d, g.h, g.w)), c.x_pitch()));
  parts.push_back(tensor(api, kW, "w", what, type, dims(g.k, g.cg(), axes(g.t, g.r, g.s)), g.cg()));
  parts.push_back(tensor(api, kY, "y", what, type, dims(g.n, g.k, axes(g.o(), g.p(), g.q())), c.y_pitch()));
  CudnnDescriptor convolution(api, DescriptorType::convolution, what);
  convolution.set(Attribute::convolution_compute_type, DataType::float32)
      .set(Attribute::convolution_mode, ConvolutionMode::cross_correlation)
      .set(Attribute::convolution_spatial_dims, int64_t{g.volume() ? 3 : 2})
      .set(Attribute::convolution_strides, axes(g.stride_d, g.stride_h, g.stride_w))
      .set(Attribute::convolution_dilations, axes(g.dil_d, g.dil_h, g.dil_w))
      .set(Attribute::convolution_pre_paddings, axes(g.pad_front, g.pad_top, g.pad_left))
      .set(Attribute::convolution_post_paddings, axes(g.pad_back, g.pad_bottom, g.pad_right));
  convolution.finalize();
  parts.push_back(std::move(convolution));
  const Names& names = kNames[int(direction)];
  CudnnDescriptor operation(api, names.operation, what);
  operation.set(names.x, parts[0])
      .set(names.w, parts[1])
      .set(names.y, parts[2])
      .set(names.convolution, parts[3])
      .set(names.alpha, 1.0f)
      .set(names.beta, 0.0f);
  operation.finalize();
  parts.push_back(std::move(operation));
  return cudnn_plan(api, target, std::move(parts), {.tensor_cores = precision != Precision::f32});
}

template <class T>
const CudnnPlan* conv2d_cudnn_plan(const Conv2dSpec& g, ConvDirection direction) {
  Cudnn* cudnn = opened_cudnn();
  if (!cudnn || g.n < 1 || g.o() < 1 || g.p() < 1 || g.q() < 1) return nullptr;
  static auto& plans = *new std::map<Key, std::optional<CudnnPlan>>;  // for good, like the library
  const Precision p = std::is_same_v<T, Bf16> ? Precision::bf16 : std::min(precision(), Precision::tf32);
  std::lock_guard lock(cudnn->mutex);
  const auto [it, fresh] = plans.try_emplace(Case{g.flattened(), direction, p}.key());
  if (fresh) try {
      it->second = conv2d_cudnn_plan(cudnn->api, cudnn->target(), g, direction, p);
    } catch (const Error&) {
      // No engine takes the case, so neither does the row.
    }
  return it->second ? &*it->second : nullptr;
}

namespace {

std::byte* aligned(std::byte* p, uintptr_t alignment) {
  return p + (alignment - reinterpret_cast<uintptr_t>(p) % alignment) % alignment;
}
// The filter as cuDNN has it lies before the engine's workspace: bytes.
template <class T>
int64_t copy_of_filter(const Conv2dSpec& g) {
  if (std::is_same_v<T, float>) return 0;
  return ceil_div(g.w_size() * int64_t{sizeof(T)}, kCudnnWorkspaceAlignment) * kCudnnWorkspaceAlignment;
}
// As it stands, for both directions: cuDNN transposes it itself.
FilterPacking packing_of(const Conv2dSpec& g, bool) {
  return g.cg() % 2 == 0 ? FilterPacking{g.k, g.t * g.r * g.s, g.cg()} : FilterPacking{};
}
CastSpec cast_of_filter(const Conv2dSpec& g) { return {.rows = 1, .c = g.w_size()}; }

}  // namespace

template <class T>
size_t conv2d_cudnn_workspace(const Conv2dSpec& g, ConvDirection direction) {
  const CudnnPlan* plan = conv2d_cudnn_plan<T>(g, direction);
  const int64_t bytes = plan ? plan->workspace + copy_of_filter<T>(g) : 0;
  // The engine finds its workspace better aligned than scratch is.
  return bytes > 0 ? size_t(bytes + kCudnnWorkspaceAlignment) : 0;
}

template <class T>
bool conv2d_cudnn_run(const Exec& exec, const Conv2dSpec& g, ConvDirection direction, const T* x, const float* w,
                      const T* y) {
  for (const void* p : {static_cast<const void*>(x), static_cast<const void*>(w), static_cast<const void*>(y)})
    if (reinterpret_cast<uintptr_t>(p) % kCudnnAlignment) return false;
  const CudnnPlan* plan = conv2d_cudnn_plan<T>(g, direction);
  if (!plan) return false;
  std::byte* const scratch = aligned(static_cast<std::byte*>(exec.scratch), kCudnnWorkspaceAlignment);
  const void* filter = w;
  void* const workspace = plan->workspace ? scratch + copy_of_filter<T>(g) : nullptr;
  const auto run = [&] { cudnn_run(*opened_cudnn(), *plan, exec.stream, {{kX, x}, {kW, filter}, {kY, y}}, workspace); };
  if constexpr (std::is_same_v<T, float>) {
    run();
  } else {
    T* const copy = reinterpret_cast<T*>(scratch);
    const bool reads = direction != ConvDirection::backward_weight;
    const void* const packed = reads ? packed_filter(exec, packing_of(g, false)) : nullptr;
    filter = packed ? packed : copy;
    if (reads && !packed) cast_cuda_impl().narrow(exec, cast_of_filter(g), w, copy);
    run();
    if (direction == ConvDirection::backward_weight)
      cast_cuda_impl().widen(exec, cast_of_filter(g), copy, const_cast<float*>(w));  // what it writes, by its direction
  }
  return true;
}

namespace {

template <class T>
const Conv2dImplOf<T>& ours() {
  static const Conv2dImplOf<T> row = conv2d_cuda_impl<T>();
  return row;
}
constexpr ConvDirection kDirections[] = {ConvDirection::forward, ConvDirection::backward_data,
                                         ConvDirection::backward_weight};

}  // namespace

template <class T>
Conv2dImplOf<T> conv2d_cudnn_impl() {
  return {.name = std::is_same_v<T, Bf16> ? "cudnn_bf16" : "cudnn",
          .device = Device::cuda,
          .supports =
              [](const Conv2dSpec& g) {
                return std::ranges::all_of(kDirections, [&](ConvDirection d) { return conv2d_cudnn_plan<T>(g, d); });
              },
          .workspace =
              [](const Conv2dSpec& g) {
                size_t bytes = ours<T>().workspace(g);
                for (const ConvDirection d : kDirections) bytes = std::max(bytes, conv2d_cudnn_workspace<T>(g, d));
                return bytes;
              },
          .forward =
              [](const Exec& exec, const Conv2dSpec& g, const T* x, const float* w, const float* b, T* y) {
                if (!conv2d_cudnn_run(exec, g, ConvDirection::forward, x, w, y))
                  return ours<T>().forward(exec, g, x, w, b, y);
                if (b) add_bias_cuda(exec, g.y_rows(), g.k, g.y_pitch(), b, y);
              },
          .backward_data =
              [](const Exec& exec, const Conv2dSpec& g, const T* dy, const float* w, T* dx) {
                if (!conv2d_cudnn_run(exec, g, ConvDirection::backward_data, dx, w, dy))
                  ours<T>().backward_data(exec, g, dy, w, dx);
              },
          .backward_weight =
              [](const Exec& exec, const Conv2dSpec& g, const T* dy, const T* x, float* dw) {
                if (!conv2d_cudnn_run(exec, g, ConvDirection::backward_weight, x, dw, dy))
                  ours<T>().backward_weight(exec, g, dy, x, dw);
              },
          .backward_bias = [](const Exec& exec, const Conv2dSpec& g, const T* dy,
                              float* db) { ours<T>().backward_bias(exec, g, dy, db); },
          .backward_data_plus =
              [](const Exec& exec, const Conv2dSpec& g, const T* dy, const float* w, const float* b, T* dx) {
                if (!conv2d_cudnn_run(exec, g, ConvDirection::backward_data, dx, w, dy))
                  return ours<T>().backward_data_plus(exec, g, dy, w, b, dx);
                add_bias_cuda(exec, g.x_rows(), g.c, g.dx_pitch(), b, dx);
              },
          .exact = std::is_same_v<T, float>,  // filters, and their gradients, are rounded to bf16
          .packing = std::is_same_v<T, Bf16> ? packing_of : nullptr};
}

template const CudnnPlan* conv2d_cudnn_plan<float>(const Conv2dSpec&, ConvDirection);
template const CudnnPlan* conv2d_cudnn_plan<Bf16>(const Conv2dSpec&, ConvDirection);
template size_t conv2d_cudnn_workspace<float>(const Conv2dSpec&, ConvDirection);
template size_t conv2d_cudnn_workspace<Bf16>(const Conv2dSpec&, ConvDirection);
template bool conv2d_cudnn_run<float>(const Exec&, const Conv2dSpec&, ConvDirection, const float*, const float*,
                                      const float*);
template bool conv2d_cudnn_run<Bf16>(const Exec&, const Conv2dSpec&, ConvDirection, const Bf16*, const float*,
                                     const Bf16*);
template Conv2dImpl conv2d_cudnn_impl<float>();
template Conv2dImplOf<Bf16> conv2d_cudnn_impl<Bf16>();

}  // namespace kern::kernels
