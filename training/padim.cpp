#include "training/padim.h"

#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>
#include <numeric>

#include "engine/random.h"
#include "kernels/common/error.h"
#include "kernels/common/parallel.h"

namespace kern::training {
namespace {
using Vector = Eigen::VectorXf;
using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

constexpr int64_t kGrain = 8;  // positions of a chunk
}  // namespace

Padim::Padim(const FeatureShape& shape, const PadimOptions& o) : shape_(shape), regularisation_(o.regularisation) {
  check(shape.height >= 1 && shape.width >= 1 && shape.channels >= 1,
        "PaDiM needs feature maps of at least 1x1x1, got ", shape.height, "x", shape.width, "x", shape.channels);
  check(o.channels >= 1 && o.regularisation > 0, "PaDiM needs at least one channel and a regularisation above 0, got ",
        o.channels, " and ", o.regularisation);
  selected_.resize(size_t(shape.channels));
  std::iota(selected_.begin(), selected_.end(), 0);
  if (o.channels < shape.channels) {
    RandomSequence random(o.seed, RandomStream::init);
    random.shuffle(std::span(selected_));
    selected_.resize(size_t(o.channels));
    std::sort(selected_.begin(), selected_.end());
  }
  const int64_t d = int64_t(selected_.size());
  mean_.assign(size_t(shape.positions() * d), 0.0f);
  spread_.assign(size_t(shape.positions() * d * d), 0.0f);
}

void Padim::check_features(const Tensor& f) const {
  check(f.rank() == 4 && f.dim(1) == shape_.height && f.dim(2) == shape_.width && f.channels() == shape_.channels,
        "PaDiM takes features [N,", shape_.height, ",", shape_.width, ",", shape_.channels, "], got ", f.shape());
  check(f.device() == Device::cpu, "PaDiM computes on the CPU: bring the features there with to(Device::cpu)");
}

void Padim::add(const Tensor& features) {
  check_features(features);
  check(!fitted_, "PaDiM is fitted already: begin a new one to add images");
  const int64_t d = int64_t(selected_.size()), positions = shape_.positions(), pitch = features.pitch();
  const float* values = features.data();
  for (int64_t n = 0; n < features.dim(0); ++n) {
    const float share = 1.0f / float(++count_);
    kernels::parallel_for(positions, kGrain, [&](int64_t begin, int64_t end) {
      Vector off(d);
      for (int64_t p = begin; p < end; ++p) {
        const float* x = values + (n * positions + p) * pitch;
        Eigen::Map<Vector> mean(mean_.data() + p * d, d);
        for (int64_t k = 0; k < d; ++k) off[k] = x[selected_[size_t(k)]] - mean[k];
        mean += share * off;  // Welford: deviations from the old mean and the new one
        Eigen::Map<Matrix>(spread_.data() + p * d * d, d, d)
            .selfadjointView<Eigen::Lower>()
            .rankUpdate(off, 1.0f - share);
      }
    });
  }
}

void Padim::fit() {
  check(!fitted_, "PaDiM is fitted already");
  check(count_ >= 2, "PaDiM needs at least 2 normal images to know how they vary, got ", count_);
  const int64_t d = int64_t(selected_.size()), packed = d * (d + 1) / 2;
  factor_.assign(size_t(shape_.positions() * packed), 0.0f);
  kernels::parallel_for(shape_.positions(), kGrain, [&](int64_t begin, int64_t end) {
    Eigen::LLT<Eigen::MatrixXd> factor(d);
    for (int64_t p = begin; p < end; ++p) {
      const Eigen::Map<const Matrix> spread(spread_.data() + p * d * d, d, d);
      Eigen::MatrixXd covariance = spread.cast<double>() / double(count_ - 1);
      covariance.diagonal().array() += regularisation_;
      factor.compute(covariance);
      check(factor.info() == Eigen::Success && std::isfinite(factor.matrixLLT().diagonal().sum()),
            "the covariance of the features at position ", p,
            " is not positive definite: raise the regularisation, or look for features that are not finite");
      float* row = factor_.data() + p * packed;
      for (int64_t i = 0; i < d; ++i)
        for (int64_t j = 0; j <= i; ++j) *row++ = float(factor.matrixLLT()(i, j));
    }
  });
  spread_ = {};
  fitted_ = true;
}

Tensor Padim::distances(const Tensor& features) const {
  check_features(features);
  check(fitted_, "PaDiM knows no normal images yet: add() them and fit()");
  const int64_t d = int64_t(selected_.size()), positions = shape_.positions(), packed = d * (d + 1) / 2,
                N = features.dim(0), pitch = features.pitch();
  Tensor out = Tensor::empty({N, shape_.height, shape_.width});
  const float* values = features.data();
  float* to = out.mutate();
  kernels::parallel_for(N * positions, kGrain, [&](int64_t begin, int64_t end) {
    Vector y(d);
    for (int64_t i = begin; i < end; ++i) {
      const int64_t p = i % positions;
      const float *x = values + i * pitch, *mean = mean_.data() + p * d, *row = factor_.data() + p * packed;
      for (int64_t k = 0; k < d; row += ++k) {  // L y = x - mean, row by row
        const float known = Eigen::Map<const Vector>(row, k).dot(y.head(k));
        y[k] = (x[selected_[size_t(k)]] - mean[k] - known) / row[k];
      }
      to[i] = y.norm();
    }
  });
  return out;
}

Tensor Padim::mean() const { return Tensor::from({shape_.positions(), int64_t(selected_.size())}, mean_); }

Tensor Padim::whitening() const {
  check(fitted_, "PaDiM knows no normal images yet: add() them and fit()");
  const int64_t d = int64_t(selected_.size()), packed = d * (d + 1) / 2;
  Tensor out = Tensor::empty({shape_.positions(), d, d});
  float* to = out.mutate();
  kernels::parallel_for(shape_.positions(), kGrain, [&](int64_t begin, int64_t end) {
    Eigen::MatrixXd factor = Eigen::MatrixXd::Zero(d, d);
    for (int64_t p = begin; p < end; ++p) {
      const float* row = factor_.data() + p * packed;
      for (int64_t i = 0; i < d; ++i)
        for (int64_t j = 0; j <= i; ++j) factor(i, j) = double(*row++);
      const Eigen::MatrixXd inverse = factor.triangularView<Eigen::Lower>().solve(Eigen::MatrixXd::Identity(d, d));
      for (int64_t i = 0; i < d; ++i)  // transposed: W(i, j) = inverse(j, i)
        for (int64_t j = 0; j < d; ++j) to[(p * d + i) * d + j] = float(inverse(j, i));
    }
  });
  return out;
}

std::vector<FileTensor> Padim::state(const std::string& prefix) const {
  check(fitted_, "PaDiM has nothing to save before fit()");
  const int64_t d = int64_t(selected_.size());
  return {{prefix + ".channels", Tensor::from({d}, selected_)},
          {prefix + ".factor", Tensor::from({shape_.positions(), d * (d + 1) / 2}, factor_)},
          {prefix + ".mean", Tensor::from({shape_.positions(), d}, mean_)}};
}

Padim Padim::from(const TensorFile& file, const std::string& prefix, const FeatureShape& shape) {
  auto find = [&](const char* name) -> const Tensor& {
    const Tensor* t = file.find(prefix + name);
    check(t != nullptr, file.shown_name, " holds no PaDiM model: '", prefix, name, "' is missing");
    return *t;
  };
  const Tensor &channels = find(".channels"), &mean = find(".mean"), &factor = find(".factor");
  const int64_t d = channels.size();
  check(channels.dtype() == DType::i32 && d >= 1 && mean.shape() == Shape({shape.positions(), d}) &&
            factor.shape() == Shape({shape.positions(), d * (d + 1) / 2}),
        file.shown_name, " holds a PaDiM model of another shape: ", mean.shape(), " means, wanted ", shape.positions(),
        " positions");
  Padim padim({shape.height, shape.width, shape.channels}, {.channels = 1});
  padim.selected_ = channels.integers();
  for (const int32_t k : padim.selected_)
    check(k >= 0 && k < shape.channels, file.shown_name, " names channel ", k, " of ", shape.channels);
  padim.mean_ = mean.values();
  padim.factor_ = factor.values();
  padim.spread_ = {};
  padim.fitted_ = true;
  return padim;
}

}  // namespace kern::training
