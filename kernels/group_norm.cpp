#include "kernels/group_norm.h"

#include "kernels/common/channels.h"

namespace kern::kernels {
namespace {

// Scratch: what the channels' sums need, and behind it four values of every channel of every sample.
struct Scratch {
  float *mean, *inverse_deviation, *sum_dyz, *sum_dy;
  Scratch(const Exec& exec, const GroupNormSpec& g) {
    float* next = static_cast<float*>(exec.scratch) + channel_norm_workspace(g.norm(g.n)) / sizeof(float);
    for (float** part : {&mean, &inverse_deviation, &sum_dyz, &sum_dy}) *part = next, next += g.n * g.c;
  }
  static size_t bytes(const GroupNormSpec& g) {
    return channel_norm_workspace(g.norm(g.n)) + size_t(4 * g.n * g.c) * sizeof(float);
  }
};

// to[n,c] = from[n, the group of c]
void spread_groups(const GroupNormSpec& g, const float* from, float* to) {
  for (int64_t k = 0; k < g.n * g.groups; ++k) std::fill_n(to + k * g.width(), g.width(), from[k]);
}

// The moments of a group are those of its channels, merged exactly (Chan, Golub, LeVeque 1983): all have L values.
void forward(const Exec& exec, const GroupNormSpec& g, const float* x, const float* weight, const float* bias, float* y,
             float* mean, float* inverse_deviation) {
  const ChannelMoments moments = channel_moments(exec, g.norm(g.n), x);
  const int64_t width = g.width();
  for (int64_t n = 0; n < g.n; ++n)
    for (int64_t k = 0; k < g.groups; ++k) {
      const double *means = moments.mean(n) + k * width, *squares = moments.squares(n) + k * width;
      double m = 0, sum = 0;
      for (int64_t c = 0; c < width; ++c) m += means[c];
      m /= double(width);
      for (int64_t c = 0; c < width; ++c) sum += squares[c] + double(g.l) * (means[c] - m) * (means[c] - m);
      mean[n * g.groups + k] = float(m);
      inverse_deviation[n * g.groups + k] =
          float(1 / std::sqrt(sum / double(std::max<int64_t>(1, g.values())) + double(g.eps)));
    }
  const Scratch s(exec, g);
  spread_groups(g, mean, s.mean);
  spread_groups(g, inverse_deviation, s.inverse_deviation);
  channel_norm_apply(g.norm(g.n), x, weight, bias, s.mean, s.inverse_deviation, y);
}

// dx = scale dy - average - slope (x - m), with a scale per channel, and an average and a slope per group, which end in
// the places of sum_dy and sum_dyz.
void apply_backward(const GroupNormSpec& g, const float* dy, const float* x, const float* weight, const Scratch& s,
                    float* dx) {
  const int64_t xp = g.x_pitch(), dyp = g.dy_pitch(), dxp = g.dx_pitch();
  const bool dense = xp == g.c && dyp == g.c && dxp == g.c;
  GroupChunks{.groups = g.n, .rows = g.l, .c = g.c}.for_each([&](int64_t n, int64_t, int64_t begin, int64_t end) {
    for_each_tile(g.c, dense, [&](const Tile& t) {
      LaneArray scale, shift, average, slope;
      const int64_t first = n * g.c;
      spread(t, scale, [&](int64_t c) { return s.inverse_deviation[first + c] * (weight ? weight[c] : 1.0f); });
      spread(t, shift, [&](int64_t c) { return s.mean[first + c]; });
      spread(t, average, [&](int64_t c) { return s.sum_dy[first + c]; });
      spread(t, slope, [&](int64_t c) { return s.sum_dyz[first + c]; });
      for_each_stretch_of(t, begin, end, [&](int64_t row, int64_t count) {
        const float *from = dy + row * dyp + t.column, *v = x + row * xp + t.column;
        float* to = dx + row * dxp + t.column;
        for (int64_t l = 0; l < count; ++l) to[l] = scale[l] * from[l] - average[l] - slope[l] * (v[l] - shift[l]);
      });
    });
  });
}

void backward(const Exec& exec, const GroupNormSpec& g, const float* dy, const float* x, const float* weight,
              const float* mean, const float* inverse_deviation, float* dx, float* dweight, float* dbias) {
  const Scratch s(exec, g);
  spread_groups(g, mean, s.mean);
  spread_groups(g, inverse_deviation, s.inverse_deviation);
  // The sums of every sample are what a norm of that sample alone has for gradients of weight and bias.
  for (int64_t n = 0; n < g.n; ++n)
    channel_norm_backward(exec, g.norm(1), dy + n * g.l * g.dy_pitch(), x + n * g.l * g.x_pitch(), weight,
                          s.mean + n * g.c, s.inverse_deviation + n * g.c, nullptr, s.sum_dyz + n * g.c,
                          s.sum_dy + n * g.c);
  auto total = [&](const float* sums, int64_t c) {
    double sum = 0;
    for (int64_t n = 0; n < g.n; ++n) sum += double(sums[n * g.c + c]);
    return float(sum);
  };
  for (int64_t c = 0; c < g.c; ++c) {
    if (dweight) dweight[c] = total(s.sum_dyz, c);
    if (dbias) dbias[c] = total(s.sum_dy, c);
  }
  if (!dx) return;
  for (int64_t k = 0; k < g.n * g.groups; ++k) {
    double average = 0, slope = 0;
    float *sum_dy = s.sum_dy + k * g.width(), *sum_dyz = s.sum_dyz + k * g.width();
    for (int64_t j = 0; j < g.width(); ++j) {
      const double w = weight ? double(weight[k % g.groups * g.width() + j]) : 1;
      average += w * double(sum_dy[j]);
      slope += w * double(sum_dyz[j]);
    }
    const double d = double(inverse_deviation[k]), count = double(std::max<int64_t>(1, g.values()));
    std::fill_n(sum_dy, g.width(), float(d * average / count));
    std::fill_n(sum_dyz, g.width(), float(d * d * slope / count));
  }
  apply_backward(g, dy, x, weight, s, dx);
}

constexpr GroupNormRow kRows[] = {
    {.name = "cpu",
     .device = Device::cpu,
     .supports = supports_all,
     .workspace = Scratch::bytes,
     .forward = forward,
     .backward = backward},
    {.name = "reference",
     .device = Device::cpu,
     .supports = supports_all,
     .workspace = no_workspace,
     .forward =
         [](const Exec&, const GroupNormSpec& g, const float* x, const float* weight, const float* bias, float* y,
            float* mean,
            float* inverse_deviation) { group_norm_forward_reference(g, x, weight, bias, y, mean, inverse_deviation); },
     .backward =
         [](const Exec&, const GroupNormSpec& g, const float* dy, const float* x, const float* weight,
            const float* mean, const float* inverse_deviation, float* dx, float* dweight, float* dbias) {
           group_norm_backward_reference(g, dy, x, weight, mean, inverse_deviation, dx, dweight, dbias);
         }},
};
constexpr Table<GroupNormRow> kTable{"group_norm", kRows};

}  // namespace

const Table<GroupNormRow>& group_norm_table() { return kTable; }
OpInfo group_norm_info() { return info_of(kTable); }

}  // namespace kern::kernels
