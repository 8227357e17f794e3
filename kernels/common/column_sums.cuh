// Sums of the columns of one array on the GPU: the gradient of a bias. Reads 4 bytes a value, bound by memory.
#pragma once
#include "kernels/common/channel_sums.cuh"

namespace kern::kernels {

struct Columns {
  static constexpr int kTerms = 1;
  const float* x;
  int64_t pitch;
  template <int W>
  __device__ ColumnsOfThread<W> of(int64_t, int64_t column) const {
    return {x + column, pitch};
  }
};
constexpr size_t device_column_sums_workspace(int64_t rows, int64_t c) { return ChannelGrid(1, rows, c).sums_bytes(1); }
// out[c] = sum over rows of x[row, c]. exec.scratch as device_column_sums_workspace says.
inline void device_column_sums(const Exec& exec, int64_t rows, int64_t c, const float* x, int64_t pitch, float* out) {
  const ChannelGrid grid(1, rows, c);
  double* sums = static_cast<double*>(exec.scratch);
  channel_sums("column sums", exec, grid, {{x, pitch}}, Columns{x, pitch}, sums);
  channel_totals<1>("totals of column sums", exec, grid, sums, {{out}}, c);
}

}  // namespace kern::kernels
