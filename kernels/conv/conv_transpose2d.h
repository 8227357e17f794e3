// conv_transpose2d: the adjoint of a convolution that maps y's shape to x's. Every x[n,h,w,c] is spread by the filter:
//   y[n,p,q,k] = b[k] + sum_{h,w,r,s,c} w[c,r,s,k - g K/G] * x[n,h,w,c]
//     over the h, w, r, s with p = h*stride_h - crop_top + r*dil_h, q = w*stride_w - crop_left + s*dil_w,
//     and the c of group g = k / (K/G)
// Backward, for a loss with dy = dL/dy:
//   dx[n,h,w,c]         = sum_{r,s,k in g} w[c,r,s,k - g K/G] * dy[n,p,q,k]
//   dw[c,r,s,k - g K/G] = sum_{n,h,w} x[n,h,w,c] * dy[n,p,q,k]
//   db[k]               = sum_{n,p,q} dy[n,p,q,k]
// with these p and q, and dy outside its border 0. crop is what other libraries call the transposed convolution's
// padding; rows_added and columns_added their output_padding.
// Letters: N batch, C in, K out, H W input, P Q output, R S filter, G groups. A signal [N,L,C] is an image of H = R = 1.
// Layouts: x, dx [N,H,W,C]; w, dw [C,R,S,K/G]; b, db [K]; y, dy [N,P,Q,K].
// A volume [N,D,H,W,C] is spread by [C,T,R,S,K/G] over o = d*stride_d - crop_front + t*dil_d too.
#pragma once
#include "kernels/conv/conv2d.h"

namespace kern::kernels {

struct ConvTranspose2dSpec {
  int n = 1, c = 1, h = 1, w = 1, k = 1, r = 1, s = 1;
  int stride_h = 1, stride_w = 1, dil_h = 1, dil_w = 1, groups = 1;
  int crop_top = 0, crop_bottom = 0, crop_left = 0, crop_right = 0;
  int rows_added = 0, columns_added = 0;  // at the bottom and at the right
  int d = 1, t = 1, stride_d = 1, dil_d = 1, crop_front = 0, crop_back = 0, planes_added = 0;  // of a volume
  Pitches pitch;

  constexpr int o() const { return (d - 1) * stride_d + dil_d * (t - 1) + 1 - crop_front - crop_back + planes_added; }
  constexpr int p() const { return (h - 1) * stride_h + dil_h * (r - 1) + 1 - crop_top - crop_bottom + rows_added; }
  constexpr int q() const { return (w - 1) * stride_w + dil_w * (s - 1) + 1 - crop_left - crop_right + columns_added; }
  constexpr int cg() const { return c / groups; }  // channels of one group, in
  constexpr int kg() const { return k / groups; }  // and out
  // The same as a batch of images, if it can be that.
  constexpr ConvTranspose2dSpec flattened() const {
    ConvTranspose2dSpec flat = *this;
    if (t == 1 && stride_d == 1 && crop_front == 0 && crop_back == 0 && planes_added == 0) flat.n = n * d, flat.d = 1;
    return flat;
  }
  constexpr int64_t x_rows() const { return int64_t{n} * d * h * w; }
  constexpr int64_t y_rows() const { return int64_t{n} * o() * p() * q(); }
  constexpr int64_t w_size() const { return int64_t{c} * t * r * s * kg(); }
  constexpr int64_t x_pitch() const { return pitch_or(pitch.x, c); }
  constexpr int64_t dx_pitch() const { return pitch_or(pitch.dx, c); }
  constexpr int64_t y_pitch() const { return pitch_or(pitch.y, k); }
  constexpr int64_t dy_pitch() const { return pitch_or(pitch.dy, k); }
  constexpr int64_t macs() const { return x_rows() * c * t * r * s * kg(); }  // multiply-adds of one direction

  // The convolution whose adjoint this is: it reads an image of y's shape and gives one of x's, by the same filter
  // array. Our forward is its backward_data, our backward_data its forward, and the weight gradients are the same sum.
  // `pitches` are those of its arrays: what it writes to is our dx or y, what it reads our dy or x.
  constexpr Conv2dSpec as_conv(Pitches pitches = {}) const {
    return {.n = n,
            .c = k,
            .h = p(),
            .w = q(),
            .k = c,
            .r = r,
            .s = s,
            .stride_h = stride_h,
            .stride_w = stride_w,
            .dil_h = dil_h,
            .dil_w = dil_w,
            .groups = groups,
            .pad_top = crop_top,
            .pad_bottom = crop_bottom,
            .pad_left = crop_left,
            .pad_right = crop_right,
            .d = o(),
            .t = t,
            .stride_d = stride_d,
            .dil_d = dil_d,
            .pad_front = crop_front,
            .pad_back = crop_back,
            .pitch = pitches};
  }
  constexpr Conv2dSpec conv_of_forward() const { return as_conv({.dx = y_pitch(), .dy = x_pitch()}); }
  constexpr Conv2dSpec conv_of_backward_data() const { return as_conv({.x = dy_pitch(), .y = dx_pitch()}); }
  constexpr Conv2dSpec conv_of_backward_weight() const { return as_conv({.x = dy_pitch(), .dy = x_pitch()}); }
  // Whether it gives exactly x's shape: not if more is added than a stride.
  constexpr bool is_adjoint() const { return as_conv().o() == d && as_conv().p() == h && as_conv().q() == w; }
  bool operator==(const ConvTranspose2dSpec&) const = default;
};

// --- reference: plain loops, any scalar ---

// f(x row, c, w index, y row, channel of y) for every product of the sum.
template <class F>
void conv_transpose2d_for_each(const ConvTranspose2dSpec& g, F&& f) {
  for (int n = 0; n < g.n; ++n)
    for (int d = 0; d < g.d; ++d)
      for (int h = 0; h < g.h; ++h)
        for (int w = 0; w < g.w; ++w)
          for (int t = 0; t < g.t; ++t)
            for (int r = 0; r < g.r; ++r)
              for (int s = 0; s < g.s; ++s) {
                const int o = d * g.stride_d - g.crop_front + t * g.dil_d,
                          p = h * g.stride_h - g.crop_top + r * g.dil_h, q = w * g.stride_w - g.crop_left + s * g.dil_w;
                if (o < 0 || o >= g.o() || p < 0 || p >= g.p() || q < 0 || q >= g.q()) continue;
                const int64_t x_row = ((int64_t{n} * g.d + d) * g.h + h) * g.w + w,
                              y_row = ((int64_t{n} * g.o() + o) * g.p() + p) * g.q() + q;
                const int64_t tap = (int64_t{t} * g.r + r) * g.s + s;
                for (int c = 0; c < g.c; ++c)
                  for (int k = 0; k < g.kg(); ++k)
                    f(x_row, c, (int64_t{c} * g.t * g.r * g.s + tap) * g.kg() + k, y_row, c / g.cg() * g.kg() + k);
              }
}

// b may be null.
template <Scalar T>
void conv_transpose2d_forward_reference(const ConvTranspose2dSpec& g, const T* x, const T* w, const T* b, T* y) {
  for (int64_t i = 0; i < g.y_rows(); ++i)
    for (int k = 0; k < g.k; ++k) y[i * g.y_pitch() + k] = b ? b[k] : T(0);
  conv_transpose2d_for_each(g, [&](int64_t xi, int c, int64_t wi, int64_t yi, int k) {
    y[yi * g.y_pitch() + k] += w[wi] * x[xi * g.x_pitch() + c];
  });
}
template <Scalar T>
void conv_transpose2d_backward_data_reference(const ConvTranspose2dSpec& g, const T* dy, const T* w, T* dx) {
  for (int64_t i = 0; i < g.x_rows(); ++i)
    for (int c = 0; c < g.c; ++c) dx[i * g.dx_pitch() + c] = T(0);
  conv_transpose2d_for_each(g, [&](int64_t xi, int c, int64_t wi, int64_t yi, int k) {
    dx[xi * g.dx_pitch() + c] += w[wi] * dy[yi * g.dy_pitch() + k];
  });
}
template <Scalar T>
void conv_transpose2d_backward_weight_reference(const ConvTranspose2dSpec& g, const T* dy, const T* x, T* dw) {
  for (int64_t i = 0; i < g.w_size(); ++i) dw[i] = T(0);
  conv_transpose2d_for_each(g, [&](int64_t xi, int c, int64_t wi, int64_t yi, int k) {
    dw[wi] += x[xi * g.x_pitch() + c] * dy[yi * g.dy_pitch() + k];
  });
}
template <Scalar T>
void conv_transpose2d_backward_bias_reference(const ConvTranspose2dSpec& g, const T* dy, T* db) {
  for (int k = 0; k < g.k; ++k) db[k] = T(0);
  for (int64_t i = 0; i < g.y_rows(); ++i)
    for (int k = 0; k < g.k; ++k) db[k] += dy[i * g.dy_pitch() + k];
}

// --- one row per implementation; order is preference ---

// T: what x, y and their gradients are in memory, float or Bf16. Parameters and sums are float.
template <class T>
struct ConvTranspose2dImplOf {
  const char* name;
  Device device;
  bool (*supports)(const ConvTranspose2dSpec&);
  size_t (*workspace)(const ConvTranspose2dSpec&);  // bytes of scratch that any one entry may need
  void (*forward)(const Exec&, const ConvTranspose2dSpec&, const T* x, const float* w, const float* b, T* y);
  void (*backward_data)(const Exec&, const ConvTranspose2dSpec&, const T* dy, const float* w, T* dx);
  void (*backward_weight)(const Exec&, const ConvTranspose2dSpec&, const T* dy, const T* x, float* dw);
  void (*backward_bias)(const Exec&, const ConvTranspose2dSpec&, const T* dy, float* db);
  FilterPacking (*packing)(const ConvTranspose2dSpec&, bool backward_data) = nullptr;  // as in Conv2dImplOf
  bool by_conv2d = false;  // forward is backward_data_plus of the conv2d implementation for conv_of_forward()
};
using ConvTranspose2dImpl = ConvTranspose2dImplOf<float>;
template <class T = float>
const Registry<ConvTranspose2dImplOf<T>>& conv_transpose2d_registry();
template <class T>
ConvTranspose2dImplOf<T> conv_transpose2d_cuda_impl();  // conv_transpose2d.cu
template <class T>
ConvTranspose2dImplOf<T> conv_transpose2d_cudnn_impl();  // conv_transpose2d_cudnn.cpp

}  // namespace kern::kernels
