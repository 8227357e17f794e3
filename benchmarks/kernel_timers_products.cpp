#include "benchmarks/kernel_timers.h"
#include "kernels/conv2d.h"
#include "kernels/conv_transpose2d.h"
#include "kernels/linear.h"
#include "kernels/lstm.h"

namespace kern::benchmarks {
namespace {

std::string shape_of(const Conv2dSpec& g) {
  return text(g.n, "x", g.h, "x", g.w, " ", g.c, "->", g.k, " ", g.r, "x", g.s,
              g.stride_w > 1 ? text(" s", g.stride_w) : "", g.groups > 1 ? text(" g", g.groups) : "",
              g.x_pitch() != g.c ? text(" pitch ", g.x_pitch()) : "");
}
Directions directions(const Conv2dRow& row, const Conv2dSpec& g, const Exec& e, Arrays& a) {
  const int64_t xs = g.x_rows() * g.x_pitch(), ys = g.y_rows() * g.y_pitch();
  float *x = a.input(xs), *w = a.input(g.w_size()), *b = a.input(g.k), *dy = a.input(ys), *y = a.output(ys),
        *dx = a.output(xs), *dw = a.output(g.w_size()), *db = a.output(g.k);
  const double flops = 2 * double(g.macs()), bytes = floats(double(g.x_rows() * g.c + g.y_rows() * g.k + g.w_size()));
  const int64_t dxs = g.dx_pitch() == g.c ? g.x_rows() * g.c : 1;
  return {{"forward", flops, bytes, [=, &row] { row.forward(e, g, x, w, b, y); }, y, g.y_rows() * g.k},
          {"backward_data", flops, bytes, [=, &row] { row.backward_data(e, g, dy, w, dx); }, dx, dxs},
          {"backward_weight", flops, bytes, [=, &row] { row.backward_weight(e, g, dy, x, dw); }, dw, g.w_size()},
          {"backward_bias", double(g.y_rows() * g.k), floats(double(g.y_rows() * g.k)),
           [=, &row] { row.backward_bias(e, g, dy, db); }, db, g.k}};
}

std::string shape_of(const ConvTranspose2dSpec& g) {
  return text(g.n, "x", g.h, "x", g.w, " ", g.c, "->", g.k, " ", g.r, "x", g.s,
              g.stride_w > 1 ? text(" s", g.stride_w) : "");
}
Directions directions(const ConvTranspose2dRow& row, const ConvTranspose2dSpec& g, const Exec& e, Arrays& a) {
  const int64_t x_rows = int64_t{g.n} * g.h * g.w, weights = int64_t{g.c} * g.r * g.s * (g.k / g.groups);
  const int64_t xs = x_rows * g.x_pitch(), ys = g.y_rows() * g.k;
  float *x = a.input(xs), *w = a.input(weights), *b = a.input(g.k), *dy = a.input(ys), *y = a.output(ys),
        *dx = a.output(xs), *dw = a.output(weights);
  const double flops = 2 * double(x_rows) * double(weights),
               bytes = floats(double(x_rows * g.c + g.y_rows() * g.k + weights));
  return {{"forward", flops, bytes, [=, &row] { row.forward(e, g, x, w, b, y); }, y, ys},
          {"backward_data", flops, bytes, [=, &row] { row.backward_data(e, g, dy, w, dx); }, dx, x_rows * g.c},
          {"backward_weight", flops, bytes, [=, &row] { row.backward_weight(e, g, dy, x, dw); }, dw, weights}};
}

std::string shape_of(const LinearSpec& g) { return text(g.rows, " ", g.c, "->", g.k); }
Directions directions(const LinearRow& row, const LinearSpec& g, const Exec& e, Arrays& a) {
  const int64_t xs = g.rows * g.x_pitch(), ys = g.rows * g.k;
  float *x = a.input(xs), *w = a.input(g.w_size()), *b = a.input(g.k), *dy = a.input(ys), *y = a.output(ys),
        *dx = a.output(g.rows * g.c), *dw = a.output(g.w_size()), *db = a.output(g.k);
  const double flops = 2 * double(g.rows) * double(g.w_size()), bytes = floats(double(g.rows * g.c + ys + g.w_size()));
  return {{"forward", flops, bytes, [=, &row] { row.forward(e, g, x, w, b, y); }, y, ys},
          {"backward_data", flops, bytes, [=, &row] { row.backward_data(e, g, dy, w, dx); }, dx, g.rows * g.c},
          {"backward_weight", flops, bytes, [=, &row] { row.backward_weight(e, g, dy, x, dw); }, dw, g.w_size()},
          {"backward_bias", double(ys), floats(double(ys)), [=, &row] { row.backward_bias(e, g, dy, db); }, db, g.k}};
}

std::string shape_of(const LstmSpec& g) {
  return text(g.n, "x", g.l, " ", g.c, "->", g.h, g.reverse ? " reverse" : "");
}
Directions directions(const LstmRow& row, const LstmSpec& g, const Exec& e, Arrays& a) {
  const int64_t xs = g.rows() * g.x_pitch(), ys = g.rows() * g.h, weights = g.gates() * (g.c + g.h);
  float *x = a.input(xs), *w_ih = a.input(g.gates() * g.c), *w_hh = a.input(g.gates() * g.h, -0.1f, 0.1f),
        *b_ih = a.input(g.gates()), *b_hh = a.input(g.gates()), *dy = a.input(ys), *y = a.output(ys),
        *gates = a.output(g.rows() * g.gates()), *cells = a.output(ys), *dx = a.output(g.rows() * g.c),
        *dw_ih = a.output(g.gates() * g.c), *dw_hh = a.output(g.gates() * g.h), *db = a.output(g.gates());
  const double flops = 2 * double(g.rows()) * double(weights);
  const double n = double(g.rows()), kept = n * double(g.gates() + g.h);  // gates and cells, for backward
  const auto forward = [=, &row] { row.forward(e, g, x, w_ih, w_hh, b_ih, b_hh, y, gates, cells); };
  forward();
  return {{"forward", flops, floats(n * double(g.c + g.h) + kept), forward, y, ys},
          {"backward", 2 * flops, floats(2 * n * double(g.c + g.h) + kept),
           [=, &row] { row.backward(e, g, dy, x, w_ih, w_hh, y, gates, cells, dx, dw_ih, dw_hh, db); }, dx,
           g.rows() * g.c}};
}

struct Cases {
  static std::string name_of(const auto& spec) { return shape_of(spec); }
  static Directions directions_of(const auto& row, const auto& spec, const Exec& exec, Arrays& arrays) {
    return directions(row, spec, exec, arrays);
  }
};

}  // namespace

void add_product_timers(Timers& timers, int64_t values) {
  const int side = values >= 1 << 20 ? 64 : 8;
  const int64_t steps = values >= 1 << 20 ? 256 : 8;
  add_timer<Cases, Conv2dSpec>(timers, conv2d_table(),
                               {{.n = 4,
                                 .c = 64,
                                 .h = side,
                                 .w = side,
                                 .k = 64,
                                 .r = 3,
                                 .s = 3,
                                 .pad_top = 1,
                                 .pad_bottom = 1,
                                 .pad_left = 1,
                                 .pad_right = 1}});
  add_timer<Cases, ConvTranspose2dSpec>(
      timers, conv_transpose2d_table(),
      {{.n = 4, .c = 64, .h = side, .w = side, .k = 32, .r = 2, .s = 2, .stride_h = 2, .stride_w = 2},
       {.n = 4,
        .c = 64,
        .h = side,
        .w = side,
        .k = 32,
        .r = 4,
        .s = 4,
        .stride_h = 2,
        .stride_w = 2,
        .crop_top = 1,
        .crop_bottom = 1,
        .crop_left = 1,
        .crop_right = 1}});
  add_timer<Cases, LinearSpec>(timers, linear_table(), {{.rows = 16 * steps, .c = 512, .k = 512}});
  add_timer<Cases, LstmSpec>(timers, lstm_table(),
                             {{.n = 1, .l = steps, .c = 16, .h = 64},
                              {.n = 16, .l = steps, .c = 16, .h = 64},
                              {.n = 16, .l = steps, .c = 128, .h = 128}});
}

}  // namespace kern::benchmarks
