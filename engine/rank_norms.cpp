#include "engine/rank_norms.h"

#include <algorithm>
#include <utility>

#include "engine/communicator.h"
#include "engine/dry_run.h"
#include "kernels/norm/channel_sums.h"

namespace kern {
namespace {
thread_local const RankNorms* innermost = nullptr;
}  // namespace

RankNorms::RankNorms(bool counts) : counts_(counts), outer_(std::exchange(innermost, this)) {}
RankNorms::~RankNorms() { innermost = outer_; }
const RankNorms* RankNorms::current() { return communicator().alone() ? nullptr : innermost; }

RankMoments moments_over_ranks(const Tensor& x, bool counts, SourceLocation at) {
  const int64_t c = x.channels();
  RankMoments m{.mean = Tensor::empty({c}), .variance = Tensor::empty({c}), .counts = counts};
  if (in_dry_run()) return m;
  std::vector<double> sums(size_t(2 * c + 1), 0.0);  // one message: of x, of x^2, and the rows
  if (counts) {
    kernels::channel_sums(x.rows(), c, x.pitch(), x.data(), sums.data());
    sums.back() = double(x.rows());
  }
  communicator().sum(std::span(sums));
  m.rows = sums.back();
  check({m.rows > 1, at}, "batch norm over ranks: statistics over ", int64_t(m.rows),
        " values per channel are meaningless; use a larger input or batch");
  for (int64_t j = 0; j < c; ++j) {
    const double mean = sums[size_t(j)] / m.rows;
    m.mean.mutate()[j] = float(mean);
    m.variance.mutate()[j] = float(std::max(0.0, sums[size_t(c + j)] / m.rows - mean * mean));
  }
  return m;
}

void RankMoments::move_running(Tensor& running_mean, Tensor& running_variance, float momentum) const {
  if (!running_mean || in_dry_run()) return;
  float *const to_mean = running_mean.mutate(), *const to_variance = running_variance.mutate();
  for (int64_t j = 0; j < mean.size(); ++j) {
    to_mean[j] = (1 - momentum) * to_mean[j] + momentum * mean.data()[j];
    to_variance[j] = (1 - momentum) * to_variance[j] + momentum * float(double(variance.data()[j]) * rows / (rows - 1));
  }
}

void RankMoments::add_to_gradient(const Tensor& x, const Tensor& weight, const float* inverse_deviation,
                                  const Tensor& dweight, const Tensor& dbias, Tensor& dx) const {
  if (in_dry_run()) return;
  const int64_t c = mean.size();
  std::vector<double> sums(size_t(2 * c), 0.0);
  for (int64_t j = 0; j < c && counts; ++j) {
    sums[size_t(j)] = double(dbias.data()[j]);
    sums[size_t(c + j)] = double(dweight.data()[j]);
  }
  communicator().sum(std::span(sums));
  if (!counts) return;  // nothing of the batch's loss depends on these rows
  std::vector<float> mean_part(static_cast<size_t>(c)), variance_part(static_cast<size_t>(c));
  for (int64_t j = 0; j < c; ++j) {
    const double inverse = double(inverse_deviation[j]), scale = (weight ? double(weight.data()[j]) : 1.0) * inverse;
    mean_part[size_t(j)] = float(scale * sums[size_t(j)] / rows);
    variance_part[size_t(j)] = float(scale * inverse * sums[size_t(c + j)] / rows);
  }
  kernels::subtract_statistics_gradient(x.rows(), c, x.pitch(), dx.pitch(), x.data(), mean.data(), mean_part.data(),
                                        variance_part.data(), dx.mutate());
}

}  // namespace kern
