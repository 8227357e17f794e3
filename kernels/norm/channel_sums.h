// Sums over rows for a batch norm whose statistics are of more rows than one process holds: what each process adds, and
// what the statistics give its gradient.
#pragma once
#include <cstdint>

namespace kern::kernels {

// sums [2, C]: over the rows of x [rows, C], row by row `pitch` apart, of x and of x^2; in double, the same for any
// number of threads.
void channel_sums(int64_t rows, int64_t c, int64_t pitch, const float* x, double* sums);

// dx[i,c] -= mean_part[c] + variance_part[c] (x[i,c] - mean[c]) for rows [rows, C].
void subtract_statistics_gradient(int64_t rows, int64_t c, int64_t x_pitch, int64_t dx_pitch, const float* x,
                                  const float* mean, const float* mean_part, const float* variance_part, float* dx);

}  // namespace kern::kernels
