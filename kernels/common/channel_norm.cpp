#include "kernels/common/channel_norm.h"

#include "kernels/common/channels.h"

namespace kern::kernels {
namespace {

GroupChunks chunks_of(const ChannelNorm& g) { return {.groups = g.groups, .rows = g.rows, .c = g.c}; }

// Mean and sum of squared deviations of rows [begin, end) of a tile's channels, begin < end.
void chunk_moments(const Tile& t, const float* x, int64_t pitch, int64_t begin, int64_t end, double* mean,
                   double* squares) {
  // Sums of differences from a near value (the first row, then the mean) stay small, so that float lanes serve.
  auto near_row = [&](int64_t c) { return x[begin * pitch + c]; };
  LaneArray near;
  spread(t, near, near_row);
  double sums[1][kLanes];
  tile_sums(t, begin, end, sums, [&](int64_t row, int64_t count, LaneArray(&sum)[1]) {
    const float* v = x + row * pitch + t.column;
    for (int64_t l = 0; l < count; ++l) sum[0][l] += v[l] - near[l];
  });
  const double rows = double(end - begin);
  spread(t, near, [&](int64_t c) { return float(double(near_row(c)) + sums[0][c - t.column] / rows); });
  double deviations[2][kLanes];
  tile_sums(t, begin, end, deviations, [&](int64_t row, int64_t count, LaneArray(&sum)[2]) {
    const float* v = x + row * pitch + t.column;
    for (int64_t l = 0; l < count; ++l) {
      const float d = v[l] - near[l];
      sum[0][l] += d;
      sum[1][l] += d * d;
    }
  });
  for (int64_t j = 0; j < t.width; ++j) {  // near[j] is the mean but for its rounding
    const double rest = deviations[0][j] / rows;
    mean[j] = double(near[j]) + rest;
    squares[j] = std::max(0.0, deviations[1][j] - rest * deviations[0][j]);
    if (std::isnan(deviations[1][j])) squares[j] = deviations[1][j];
  }
}

}  // namespace

size_t channel_norm_workspace(const ChannelNorm& g) { return chunks_of(g).bytes(2); }

ChannelMoments channel_moments(const Exec& exec, const ChannelNorm& g, const float* x) {
  const GroupChunks chunks = chunks_of(g);
  double* scratch = static_cast<double*>(exec.scratch);
  const int64_t stride = chunks.group_stride(2), c = g.c;
  if (g.rows == 0) std::fill_n(scratch, chunks.doubles(2), 0.0);
  else
    chunks.for_each([&](int64_t group, int64_t chunk, int64_t begin, int64_t end) {
      double* to = scratch + group * stride + chunk * 2 * c;
      for_each_tile(c, g.x_pitch == c, [&](const Tile& t) {
        chunk_moments(t, x, g.x_pitch, begin, end, to + t.column, to + c + t.column);
      });
    });
  for (int64_t group = 0; group < g.groups; ++group) {
    double *mean = scratch + group * stride, *squares = mean + c;
    for (int64_t chunk = 1; chunk < chunks.chunks(); ++chunk) {
      const double before = double(chunk * chunks.grain()),
                   more = double(std::min(chunks.grain(), g.rows - chunk * chunks.grain()));
      const double *chunk_mean = mean + chunk * 2 * c, *chunk_squares = chunk_mean + c;
      for (int64_t i = 0; i < c; ++i) {
        const double step = chunk_mean[i] - mean[i];
        mean[i] += step * (more / (before + more));
        squares[i] += chunk_squares[i] + step * step * (before * more / (before + more));
      }
    }
  }
  return {scratch, stride, c};
}

void channel_norm_apply(const ChannelNorm& g, const float* x, const float* weight, const float* bias, const float* mean,
                        const float* inverse_deviation, float* y) {
  chunks_of(g).for_each([&](int64_t group, int64_t, int64_t begin, int64_t end) {
    const float *m = mean + group * g.c, *d = inverse_deviation + group * g.c;
    for_each_tile(g.c, g.x_pitch == g.c && g.y_pitch == g.c, [&](const Tile& t) {
      LaneArray shift, scale, offset;
      spread(t, shift, [&](int64_t c) { return m[c]; });
      spread(t, scale, [&](int64_t c) { return weight ? d[c] * weight[c] : d[c]; });
      spread(t, offset, [&](int64_t c) { return bias ? bias[c] : 0.0f; });
      for_each_stretch_of(t, begin, end, [&](int64_t row, int64_t count) {
        const float* from = x + row * g.x_pitch + t.column;
        float* to = y + row * g.y_pitch + t.column;
        for (int64_t l = 0; l < count; ++l) to[l] = (from[l] - shift[l]) * scale[l] + offset[l];
      });
    });
  });
}

void channel_norm_backward(const Exec& exec, const ChannelNorm& g, const float* dy, const float* x, const float* weight,
                           const float* mean, const float* inverse_deviation, float* dx, float* dweight, float* dbias) {
  const GroupChunks chunks = chunks_of(g);
  double* sums = static_cast<double*>(exec.scratch);  // per group: sum of dy (x - m), then sum of dy
  const int64_t stride = chunks.group_stride(2);
  struct Add {
    Tile t;
    const float *dy, *x;
    int64_t dyp, xp;
    LaneArray shift;
    void operator()(int64_t row, int64_t count, LaneArray (&sum)[2]) const {
      const float *d = dy + row * dyp + t.column, *v = x + row * xp + t.column;
      for (int64_t l = 0; l < count; ++l) {
        sum[0][l] += d[l] * (v[l] - shift[l]);
        sum[1][l] += d[l];
      }
    }
  };
  if (dweight || dbias || !g.frozen)
    group_sums<2>(chunks, g.x_pitch == g.c && g.dy_pitch == g.c, sums, [&](const Tile& t, int64_t group) {
      Add add{t, dy, x, g.dy_pitch, g.x_pitch, {}};
      spread(t, add.shift, [&](int64_t c) { return mean[group * g.c + c]; });
      return add;
    });
  if (dweight || dbias)
    for (int64_t c = 0; c < g.c; ++c) {
      double w = 0, b = 0;
      for (int64_t group = 0; group < g.groups; ++group) {
        w += sums[group * stride + c] * double(inverse_deviation[group * g.c + c]);
        b += sums[group * stride + g.c + c];
      }
      if (dweight) dweight[c] = float(w);
      if (dbias) dbias[c] = float(b);
    }
  if (!dx) return;
  const double rows = double(g.rows);
  chunks.for_each([&](int64_t group, int64_t, int64_t begin, int64_t end) {
    const float *m = mean + group * g.c, *d = inverse_deviation + group * g.c;
    const double* total = sums + group * stride;
    for_each_tile(g.c, g.x_pitch == g.c && g.dx_pitch == g.c && g.dy_pitch == g.c, [&](const Tile& t) {
      LaneArray scale, shift, average, slope;  // dx = scale (dy - average - slope (x - shift))
      spread(t, scale, [&](int64_t c) { return weight ? d[c] * weight[c] : d[c]; });
      if (g.frozen) {
        for_each_stretch_of(t, begin, end, [&](int64_t row, int64_t count) {
          const float* from = dy + row * g.dy_pitch + t.column;
          float* to = dx + row * g.dx_pitch + t.column;
          for (int64_t l = 0; l < count; ++l) to[l] = scale[l] * from[l];
        });
        return;
      }
      spread(t, shift, [&](int64_t c) { return m[c]; });
      spread(t, average, [&](int64_t c) { return float(total[g.c + c] / rows); });
      spread(t, slope, [&](int64_t c) { return float(total[c] / rows * double(d[c]) * double(d[c])); });
      for_each_stretch_of(t, begin, end, [&](int64_t row, int64_t count) {
        const float *from = dy + row * g.dy_pitch + t.column, *v = x + row * g.x_pitch + t.column;
        float* to = dx + row * g.dx_pitch + t.column;
        for (int64_t l = 0; l < count; ++l) to[l] = scale[l] * (from[l] - average[l] - slope[l] * (v[l] - shift[l]));
      });
    });
  });
}

}  // namespace kern::kernels
