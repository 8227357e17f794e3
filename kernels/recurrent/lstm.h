// lstm (Hochreiter and Schmidhuber 1997; gates and names as torch.nn.LSTM): one layer in one direction. With the time t
// running over 0 .. L-1 (over L-1 .. 0 where reverse), "before" the step before it, and h = c = 0 before the first:
//   a[n,t,:] = w_ih x[n,t,:] + b_ih + w_hh h[n,before,:] + b_hh           4H values: those of i, f, g, o in this order
//   i = sigmoid(a_i), f = sigmoid(a_f), g = tanh(a_g), o = sigmoid(a_o)
//   c[n,t,:] = f c[n,before,:] + i g,   h[n,t,:] = o tanh(c[n,t,:]),   y = h
// Backward, from the last step to the first, with "after" the step after t and da = 0 after the last:
//   dh = dy[n,t,:] + w_hh^T da[n,after,:],   dc = dh o (1 - tanh(c)^2) + (f dc)[n,after,:]
//   da_i = dc g i (1 - i),  da_f = dc c[n,before,:] f (1 - f),  da_g = dc i (1 - g^2),  da_o = dh tanh(c) o (1 - o)
//   dx = w_ih^T da,  dw_ih = sum_{n,t} da x^T,  dw_hh = sum_{n,t} da[n,t,:] h[n,before,:]^T,  db_ih = db_hh = sum da
// Layouts: x, dx [N,L,C]; y, dy [N,L,H]; w_ih, dw_ih [4H,C]; w_hh, dw_hh [4H,H]; b_ih, b_hh, db [4H]; gates [N,L,4H]
// (i, f, g, o) and cells [N,L,H] are what forward keeps for backward.
#pragma once
#include "kernels/common/dispatch.h"
#include "kernels/common/layout.h"
#include "kernels/common/scalar.h"
#include "kernels/common/simd.h"

namespace kern::kernels {

struct LstmSpec {
  int64_t n = 0, l = 0, c = 1, h = 1;
  bool reverse = false;
  Pitches pitch;
  constexpr int64_t rows() const { return n * l; }
  constexpr int64_t gates() const { return 4 * h; }
  constexpr int64_t x_pitch() const { return pitch_or(pitch.x, c); }
  constexpr int64_t dx_pitch() const { return pitch_or(pitch.dx, c); }
  constexpr int64_t y_pitch() const { return pitch_or(pitch.y, h); }
  constexpr int64_t dy_pitch() const { return pitch_or(pitch.dy, h); }
  // The position of step s of 0 .. L-1, and from a position to the one of the step before.
  constexpr int64_t position(int64_t s) const { return reverse ? l - 1 - s : s; }
  constexpr int64_t before() const { return reverse ? 1 : -1; }
  constexpr int64_t macs() const { return rows() * gates() * (c + h); }  // multiply-adds of forward
  bool operator==(const LstmSpec&) const = default;
};

// b_ih and b_hh may be null.
template <Scalar T>
void lstm_forward_reference(const LstmSpec& g, const T* x, const T* w_ih, const T* w_hh, const T* b_ih, const T* b_hh,
                            T* y, T* gates, T* cells) {
  auto sigmoid = [](const T& v) { return T(1) / (T(1) + std::exp(-v)); };
  for (int64_t n = 0; n < g.n; ++n)
    for (int64_t s = 0; s < g.l; ++s) {
      const int64_t at = n * g.l + g.position(s), before = at + g.before();
      T* a = gates + at * g.gates();
      for (int64_t k = 0; k < g.gates(); ++k) {
        a[k] = (b_ih ? b_ih[k] : T(0)) + (b_hh ? b_hh[k] : T(0));
        for (int64_t c = 0; c < g.c; ++c) a[k] += w_ih[k * g.c + c] * x[at * g.x_pitch() + c];
        for (int64_t h = 0; s > 0 && h < g.h; ++h) a[k] += w_hh[k * g.h + h] * y[before * g.y_pitch() + h];
      }
      for (int64_t h = 0; h < g.h; ++h) {
        T &i = a[h], &f = a[g.h + h], &z = a[2 * g.h + h], &o = a[3 * g.h + h];
        i = sigmoid(i), f = sigmoid(f), z = std::tanh(z), o = sigmoid(o);
        cells[at * g.h + h] = i * z + (s > 0 ? f * cells[before * g.h + h] : T(0));
        y[at * g.y_pitch() + h] = o * std::tanh(cells[at * g.h + h]);
      }
    }
}

// dx, dw_ih, dw_hh and db may each be null; scratch [6H].
template <Scalar T>
void lstm_backward_reference(const LstmSpec& g, const T* dy, const T* x, const T* w_ih, const T* w_hh, const T* y,
                             const T* gates, const T* cells, T* dx, T* dw_ih, T* dw_hh, T* db, T* scratch) {
  auto clear = [](T* p, int64_t count) {
    for (int64_t i = 0; p && i < count; ++i) p[i] = T(0);
  };
  clear(dw_ih, g.gates() * g.c), clear(dw_hh, g.gates() * g.h), clear(db, g.gates());
  T *da = scratch, *dh = da + g.gates(), *dc = dh + g.h;  // dh and dc: what comes from the step after
  for (int64_t n = 0; n < g.n; ++n) {
    clear(dh, 2 * g.h);
    for (int64_t s = g.l; s-- > 0;) {
      const int64_t at = n * g.l + g.position(s), before = at + g.before();
      for (int64_t h = 0; h < g.h; ++h) {
        const T* a = gates + at * g.gates() + h;
        const T i = a[0], f = a[g.h], z = a[2 * g.h], o = a[3 * g.h], squashed = std::tanh(cells[at * g.h + h]),
                dht = dy[at * g.dy_pitch() + h] + dh[h], dct = dht * o * (T(1) - squashed * squashed) + dc[h];
        da[h] = dct * z * i * (T(1) - i);
        da[g.h + h] = s > 0 ? dct * cells[before * g.h + h] * f * (T(1) - f) : T(0);
        da[2 * g.h + h] = dct * i * (T(1) - z * z);
        da[3 * g.h + h] = dht * squashed * o * (T(1) - o);
        dc[h] = dct * f;
      }
      clear(dh, g.h);
      if (dx) clear(dx + at * g.dx_pitch(), g.c);
      for (int64_t k = 0; k < g.gates(); ++k) {
        if (db) db[k] += da[k];
        for (int64_t c = 0; c < g.c; ++c) {
          if (dx) dx[at * g.dx_pitch() + c] += w_ih[k * g.c + c] * da[k];
          if (dw_ih) dw_ih[k * g.c + c] += x[at * g.x_pitch() + c] * da[k];
        }
        for (int64_t h = 0; h < g.h; ++h) {
          dh[h] += w_hh[k * g.h + h] * da[k];
          if (dw_hh && s > 0) dw_hh[k * g.h + h] += y[before * g.y_pitch() + h] * da[k];
        }
      }
    }
  }
}

struct LstmImpl {
  const char* name;
  Device device;
  bool (*supports)(const LstmSpec&);
  size_t (*forward_workspace)(const LstmSpec&);
  size_t (*workspace)(const LstmSpec&);  // enough for either direction
  void (*forward)(const Exec&, const LstmSpec&, const float* x, const float* w_ih, const float* w_hh, const float* b_ih,
                  const float* b_hh, float* y, float* gates, float* cells);
  // dx, dw_ih, dw_hh and db may each be null.
  void (*backward)(const Exec&, const LstmSpec&, const float* dy, const float* x, const float* w_ih, const float* w_hh,
                   const float* y, const float* gates, const float* cells, float* dx, float* dw_ih, float* dw_hh,
                   float* db);
};
LstmImpl lstm_cuda_impl();  // lstm.cu
const Registry<LstmImpl>& lstm_registry();

// What one instruction set brings to its row: the steps through time (lstm_simd.cpp). All else is products of matrices
// over all steps at once, which `linear` computes.
struct LstmSteps {
  size_t (*workspace)(const LstmSpec&);  // bytes, of either
  // gates: in, w_ih x and the biases; out, the gates.
  void (*forward)(const LstmSpec&, const float* w_hh, float* y, float* gates, float* cells, void* scratch);
  void (*backward)(const LstmSpec&, const float* dy, const float* w_hh, const float* gates, const float* cells,
                   float* da, void* scratch);
};
template <Isa isa>
LstmSteps lstm_steps();

}  // namespace kern::kernels
