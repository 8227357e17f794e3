// conv2d, with h = p*stride_h - pad_top + r*dil_h, w = q*stride_w - pad_left + s*dil_w, x outside its border 0, and
// g = k / (K/G) the group of output channel k:
//   y[n,p,q,k] = b[k] + sum_{r,s,c} w[k,r,s,c] * x[n, h, w, g*C/G + c]
// Backward, for a loss with dy = dL/dy:
//   dx[n,h,w,g*C/G + c] = sum_{k in g,r,s} w[k,r,s,c] * dy[n,p,q,k]  over the p, q, r, s that read (h, w)
//   dw[k,r,s,c]         = sum_{n,p,q} dy[n,p,q,k] * x[n, h, w, g*C/G + c]
//   db[k]               = sum_{n,p,q} dy[n,p,q,k]
// Letters: N batch, C in, K out, H W input, P Q output, R S filter, G groups. A signal [N,L,C] is an image of H = R = 1.
// Layouts: x, dx [N,H,W,C]; w, dw [K,R,S,C/G]; b, db [K]; y, dy [N,P,Q,K].
//
// A volume [N,D,H,W,C] is D images that a filter [K,T,R,S,C/G] sums over too: d = o*stride_d - pad_front + t*dil_d, and
//   y[n,o,p,q,k] = b[k] + sum_{t,r,s,c} w[k,t,r,s,c] * x[n, d, h, w, g*C/G + c]
// with O planes out. Where nothing reads a plane beside its own, the planes are a batch of images (flattened()).
#pragma once
#include <limits>

#include "kernels/common/bf16.h"
#include "kernels/common/dispatch.h"
#include "kernels/common/layout.h"
#include "kernels/common/limits.h"
#include "kernels/common/scalar.h"
#include "kernels/common/simd.h"
#include "kernels/conv/filter_packing.h"

namespace kern::kernels {

struct Conv2dSpec {
  int n = 1, c = 1, h = 1, w = 1, k = 1, r = 1, s = 1;
  int stride_h = 1, stride_w = 1, dil_h = 1, dil_w = 1, groups = 1;
  int pad_top = 0, pad_bottom = 0, pad_left = 0, pad_right = 0;
  int d = 1, t = 1, stride_d = 1, dil_d = 1, pad_front = 0, pad_back = 0;  // of a volume
  Pitches pitch;

  constexpr int o() const { return (d + pad_front + pad_back - dil_d * (t - 1) - 1) / stride_d + 1; }
  constexpr int p() const { return (h + pad_top + pad_bottom - dil_h * (r - 1) - 1) / stride_h + 1; }
  constexpr int q() const { return (w + pad_left + pad_right - dil_w * (s - 1) - 1) / stride_w + 1; }
  constexpr int cg() const { return c / groups; }  // channels of one group, in
  constexpr int kg() const { return k / groups; }  // and out
  constexpr bool volume() const { return d > 1 || t > 1 || pad_front > 0 || pad_back > 0; }
  // The same as a batch of images, if it can be that.
  constexpr Conv2dSpec flattened() const {
    Conv2dSpec flat = *this;
    if (t == 1 && stride_d == 1 && pad_front == 0 && pad_back == 0) flat.n = n * d, flat.d = 1;
    return flat;
  }
  constexpr int64_t x_rows() const { return int64_t{n} * d * h * w; }
  constexpr int64_t y_rows() const { return int64_t{n} * o() * p() * q(); }
  constexpr int64_t w_size() const { return int64_t{k} * t * r * s * cg(); }
  constexpr int64_t x_pitch() const { return pitch_or(pitch.x, c); }
  constexpr int64_t dx_pitch() const { return pitch_or(pitch.dx, c); }
  constexpr int64_t y_pitch() const { return pitch_or(pitch.y, k); }
  constexpr int64_t dy_pitch() const { return pitch_or(pitch.dy, k); }
  constexpr int64_t macs() const { return y_rows() * k * t * r * s * cg(); }  // multiply-adds of one direction
  bool operator==(const Conv2dSpec&) const = default;
};

// --- reference: plain loops, any scalar ---

// f(x row, channel of x, w index, y row, k) for every product of the sum.
template <class F>
void conv2d_for_each(const Conv2dSpec& g, F&& f) {
  for (int n = 0; n < g.n; ++n)
    for (int o = 0; o < g.o(); ++o)
      for (int p = 0; p < g.p(); ++p)
        for (int q = 0; q < g.q(); ++q)
          for (int k = 0; k < g.k; ++k)
            for (int t = 0; t < g.t; ++t)
              for (int r = 0; r < g.r; ++r)
                for (int s = 0; s < g.s; ++s) {
                  const int d = o * g.stride_d - g.pad_front + t * g.dil_d,
                            h = p * g.stride_h - g.pad_top + r * g.dil_h, w = q * g.stride_w - g.pad_left + s * g.dil_w;
                  if (d < 0 || d >= g.d || h < 0 || h >= g.h || w < 0 || w >= g.w) continue;
                  const int64_t x_row = ((int64_t{n} * g.d + d) * g.h + h) * g.w + w,
                                y_row = ((int64_t{n} * g.o() + o) * g.p() + p) * g.q() + q;
                  const int64_t tap = (int64_t{t} * g.r + r) * g.s + s;
                  const int first = k / g.kg() * g.cg();
                  for (int c = 0; c < g.cg(); ++c)
                    f(x_row, first + c, (int64_t{k} * g.t * g.r * g.s + tap) * g.cg() + c, y_row, k);
                }
}

// b may be null.
template <Scalar T>
void conv2d_forward_reference(const Conv2dSpec& g, const T* x, const T* w, const T* b, T* y) {
  for (int64_t i = 0; i < g.y_rows(); ++i)
    for (int k = 0; k < g.k; ++k) y[i * g.y_pitch() + k] = b ? b[k] : T(0);
  conv2d_for_each(g, [&](int64_t xi, int c, int64_t wi, int64_t yi, int k) {
    y[yi * g.y_pitch() + k] += w[wi] * x[xi * g.x_pitch() + c];
  });
}
template <Scalar T>
void conv2d_backward_data_reference(const Conv2dSpec& g, const T* dy, const T* w, T* dx) {
  for (int64_t i = 0; i < g.x_rows(); ++i)
    for (int c = 0; c < g.c; ++c) dx[i * g.dx_pitch() + c] = T(0);
  conv2d_for_each(g, [&](int64_t xi, int c, int64_t wi, int64_t yi, int k) {
    dx[xi * g.dx_pitch() + c] += w[wi] * dy[yi * g.dy_pitch() + k];
  });
}
template <Scalar T>
void conv2d_backward_weight_reference(const Conv2dSpec& g, const T* dy, const T* x, T* dw) {
  for (int64_t i = 0; i < g.w_size(); ++i) dw[i] = T(0);
  conv2d_for_each(g, [&](int64_t xi, int c, int64_t wi, int64_t yi, int k) {
    dw[wi] += x[xi * g.x_pitch() + c] * dy[yi * g.dy_pitch() + k];
  });
}
template <Scalar T>
void conv2d_backward_bias_reference(const Conv2dSpec& g, const T* dy, T* db) {
  for (int k = 0; k < g.k; ++k) db[k] = T(0);
  for (int64_t i = 0; i < g.y_rows(); ++i)
    for (int k = 0; k < g.k; ++k) db[k] += dy[i * g.dy_pitch() + k];
}

// --- a filter that stays the same, as prediction has it ---

// How an implementation runs forward (or backward_data_plus, where so asked) with filter and bias brought into the form
// that it reads beforehand; the same bits as without limits. What is prepared serves every spec of the same channels,
// filter, strides, dilations, groups and paddings for which form() is the same. May be missing: then run is null.
struct PreparedConv2d {
  uint32_t (*form)(const Conv2dSpec&, bool backward_data) = nullptr;
  size_t (*bytes)(const Conv2dSpec&, bool backward_data) = nullptr;  // 0: this case cannot be prepared
  void (*prepare)(const Conv2dSpec&, bool backward_data, const float* w, const float* b, void* prepared) = nullptr;
  // in is x (dy), out is y (dx). Scratch as workspace() says.
  void (*run)(const Exec&, const Conv2dSpec&, bool backward_data, const float* in, const void* prepared, Limits,
              float* out) = nullptr;
};
namespace detail {
template <>
inline void empty_entry(PreparedConv2d& p) {  // of a meta twin (kernels/common/meta.h)
  empty_entry(p.prepare), empty_entry(p.run);
}
}  // namespace detail

// --- one row per implementation; order is preference ---

// T: what x, y and their gradients are in memory, float or Bf16. Parameters and sums are float.
template <class T>
struct Conv2dImplOf {
  const char* name;
  Device device;
  bool (*supports)(const Conv2dSpec&);
  size_t (*workspace)(const Conv2dSpec&);  // bytes of scratch that any one entry may need
  void (*forward)(const Exec&, const Conv2dSpec&, const T* x, const float* w, const float* b, T* y);
  void (*backward_data)(const Exec&, const Conv2dSpec&, const T* dy, const float* w, T* dx);
  void (*backward_weight)(const Exec&, const Conv2dSpec&, const T* dy, const T* x, float* dw);
  void (*backward_bias)(const Exec&, const Conv2dSpec&, const T* dy, float* db);
  // backward_data plus b[c] everywhere: the forward pass of a transposed convolution. May be missing.
  void (*backward_data_plus)(const Exec&, const Conv2dSpec&, const T* dy, const float* w, const float* b,
                             T* dx) = nullptr;
  // backward_data plus base [n h w, C], whose rows have a pitch: what other ops gave for x. May be missing.
  void (*backward_data_added)(const Exec&, const Conv2dSpec&, const T* dy, const float* w, const T* base,
                              int64_t base_pitch, T* dx) = nullptr;
  bool exact = true;  // sums of products of integers are exact, as long as float (and y's type) holds them
  // How forward, or backward_data, reads the filter where Exec has it packed so. Missing: as it stands.
  FilterPacking (*packing)(const Conv2dSpec&, bool backward_data) = nullptr;
  PreparedConv2d prepared = {};
};
using Conv2dImpl = Conv2dImplOf<float>;
template <class T = float>
const Registry<Conv2dImplOf<T>>& conv2d_registry();
template <Isa isa>
Conv2dImpl conv2d_simd_impl();  // conv2d_simd.cpp
template <Isa isa>
Conv2dImpl conv2d_winograd_impl();  // conv2d_winograd.cpp
template <class T>
Conv2dImplOf<T> conv2d_cuda_impl();  // conv2d.cu
template <class T>
Conv2dImplOf<T> conv2d_cuda_depthwise_impl();    // conv2d_cuda_depthwise.cu
Conv2dImpl conv2d_cuda_mma_impl();               // conv2d_cuda_mma.cu
Conv2dImpl conv2d_cuda_tf32_impl();              // the same
Conv2dImpl conv2d_cuda_bf16_impl();              // the same
Conv2dImplOf<Bf16> conv2d_cuda_mma_bf16_impl();  // the same: values kept as bf16
template <class T>
Conv2dImplOf<T> conv2d_cudnn_impl();  // conv2d_cudnn.cpp
// Its backward_weight with at most so many chunks of pixels, so that a test reaches long ones.
void conv2d_cuda_mma_weights(const Exec&, const Conv2dSpec&, int most_chunks, const float* dy, const float* x,
                             float* dw);

// Whether the Winograd implementations may serve: faster, but their rounding errors are a few times those of a direct sum.
// KERN_WINOGRAD=off in the environment, or this, turns them off. Not while work is running.
bool winograd_enabled();
void set_winograd(bool on);

}  // namespace kern::kernels
