#include "kernels/norm/channel_sums.h"

#include <algorithm>
#include <vector>

#include "kernels/common/layout.h"
#include "kernels/common/parallel.h"

namespace kern::kernels {
namespace {
constexpr int64_t kValues = 1 << 15;  // of a chunk
int64_t rows_of_chunk(int64_t c) { return std::max<int64_t>(1, kValues / std::max<int64_t>(c, 1)); }
}  // namespace

void channel_sums(int64_t rows, int64_t c, int64_t pitch, const float* x, double* sums) {
  const int64_t step = rows_of_chunk(c), chunks = ceil_div(rows, step);
  std::vector<double> parts(size_t(chunks * 2 * c), 0.0);
  parallel_for(chunks, 1, [&](int64_t begin, int64_t end) {
    for (int64_t k = begin; k < end; ++k) {
      double *const sum = parts.data() + k * 2 * c, *const squares = sum + c;
      for (int64_t i = k * step; i < std::min(rows, (k + 1) * step); ++i) {
        const float* const row = x + i * pitch;
        for (int64_t j = 0; j < c; ++j) {
          const double value = double(row[j]);
          sum[j] += value;
          squares[j] += value * value;
        }
      }
    }
  });
  std::fill(sums, sums + 2 * c, 0.0);
  for (int64_t k = 0; k < chunks; ++k)
    for (int64_t j = 0; j < 2 * c; ++j) sums[j] += parts[size_t(k * 2 * c + j)];
}

void subtract_statistics_gradient(int64_t rows, int64_t c, int64_t x_pitch, int64_t dx_pitch, const float* x,
                                  const float* mean, const float* mean_part, const float* variance_part, float* dx) {
  parallel_for(rows, rows_of_chunk(c), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const float* const row = x + i * x_pitch;
      float* const to = dx + i * dx_pitch;
      for (int64_t j = 0; j < c; ++j) to[j] -= mean_part[j] + variance_part[j] * (row[j] - mean[j]);
    }
  });
}

}  // namespace kern::kernels
