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

void Padim::factorise(int64_t freedom) {
  const int64_t d = int64_t(selected_.size()), packed = d * (d + 1) / 2;
  factor_.assign(size_t(shape_.positions() * packed), 0.0f);
  kernels::parallel_for(shape_.positions(), kGrain, [&](int64_t begin, int64_t end) {
    Eigen::LLT<Eigen::MatrixXd> factor(d);
    for (int64_t p = begin; p < end; ++p) {
      const Eigen::Map<const Matrix> spread(spread_.data() + p * d * d, d, d);
      Eigen::MatrixXd covariance = spread.cast<double>() / double(freedom);
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
}

void Padim::prepare_without(int64_t group) {
  check(!fitted_, "PaDiM is fitted already: what images look like from the others is asked before fit()");
  check(group >= 1 && group <= count_ - 2, "a group of ", group, " images cannot be left out of ", count_,
        ": at least 2 must be left");
  factorise(count_ - group - 1);
  without_ = group;
}

Tensor Padim::distances_without(const Tensor& features) const {
  check_features(features);
  const int64_t d = int64_t(selected_.size()), positions = shape_.positions(), packed = d * (d + 1) / 2,
                g = features.dim(0), pitch = features.pitch();
  check(!fitted_ && without_ == g, "PaDiM is not prepared for a group of ", g, " images: call prepare_without(", g,
        ")");
  Tensor out = Tensor::empty({g, shape_.height, shape_.width});
  const float* values = features.data();
  float* to = out.mutate();
  const auto left = double(count_ - g), freedom = left - 1;
  kernels::parallel_for(positions, kGrain, [&](int64_t begin, int64_t end) {
    // With A = L L^T the prepared matrix, u_i what image i differs from the mean by and s the sum of u_i, the others'
    // covariance is A - W W^T, W = [u_1 .. u_g, s / sqrt(left)] / sqrt(freedom), and image i differs from their mean by
    // v_i = u_i + s / left. So d_i^2 = |y_i|^2 + b^T (I - W^T A^-1 W)^-1 b, y_i = L^-1 v_i, b = (L^-1 W)^T y_i.
    Eigen::MatrixXd y(d, g), w(d, g + 1);
    Eigen::LLT<Eigen::MatrixXd> small(g + 1);
    for (int64_t p = begin; p < end; ++p) {
      const float *mean = mean_.data() + p * d, *row = factor_.data() + p * packed;
      for (int64_t k = 0; k < d; row += ++k) {
        for (int64_t i = 0; i < g; ++i)
          y(k, i) = double(values[(i * positions + p) * pitch + selected_[size_t(k)]]) - double(mean[k]);
        if (k > 0) y.row(k) -= Eigen::Map<const Vector>(row, k).cast<double>().transpose() * y.topRows(k);
        y.row(k) /= double(row[k]);
      }
      const Eigen::VectorXd sum = y.rowwise().sum();
      w.leftCols(g) = y / std::sqrt(freedom);
      w.col(g) = sum / std::sqrt(left * freedom);
      y.colwise() += sum / left;
      small.compute(Eigen::MatrixXd::Identity(g + 1, g + 1) - w.transpose() * w);
      check(small.info() == Eigen::Success, "the covariance of the features at position ", p, " without ", g,
            " images is not positive definite: raise the regularisation");
      for (int64_t i = 0; i < g; ++i) {
        const Eigen::VectorXd b = w.transpose() * y.col(i);
        to[i * positions + p] = float(std::sqrt(std::max(0.0, y.col(i).squaredNorm() + b.dot(small.solve(b)))));
      }
    }
  });
  return out;
}

void Padim::fit() {
  check(!fitted_, "PaDiM is fitted already");
  check(count_ >= 2, "PaDiM needs at least 2 normal images to know how they vary, got ", count_);
  factorise(count_ - 1);
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
