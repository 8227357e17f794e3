#include "training/whole_image.h"

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <numeric>

#include "kernels/common/error.h"

namespace kern::training {
namespace {
constexpr double kMostShared = 0.999;    // shrinkage: a covariance is left
constexpr double kLeastVariance = 1e-8;  // of a level whose features are equal in all images

std::string level_prefix(const std::string& prefix, size_t level) { return prefix + "." + std::to_string(level); }
}  // namespace

Shrinkage ledoit_wolf(std::span<const float> samples, int64_t d) {
  check(d >= 1 && !samples.empty() && int64_t(samples.size()) % d == 0, "ledoit_wolf: ", samples.size(),
        " values are no samples of ", d);
  const int64_t n = int64_t(samples.size()) / d;
  Eigen::MatrixXd x = Eigen::Map<const Eigen::MatrixXf>(samples.data(), d, n).transpose().cast<double>();
  x.rowwise() -= x.colwise().mean().eval();
  const Eigen::MatrixXd covariance = x.transpose() * x / double(n);
  const double mu = covariance.trace() / double(d), square = covariance.squaredNorm();
  // How far the covariance lies from mu I, and how much of that is chance; both over d.
  const double far = (square - mu * mu * double(d)) / double(d);
  const double chance = (x.rowwise().squaredNorm().array().square().sum() / double(n) - square) / double(n * d);
  return {far > 0 ? std::clamp(chance / far, 0.0, 1.0) : 1.0, mu};
}

WholeImage::WholeImage(const Tensor& normal, std::vector<int> channels) : channels_(std::move(channels)) {
  check(!channels_.empty() && normal.rank() == 2 && normal.dim(0) >= 2,
        "Gaussians of whole images need features [N,K] of at least 2 images, got ", normal.shape());
  for (size_t l = 0; l < channels_.size(); ++l) {
    const Tensor features = level_of(normal, l);
    const int64_t d = channels_[l];
    const Shrinkage shrinkage = ledoit_wolf(features.values(), d);
    const double rho = std::min(shrinkage.share, kMostShared);
    levels_.emplace_back(
        FeatureShape{1, 1, d},
        PadimOptions{.channels = d, .regularisation = std::max(rho * shrinkage.variance / (1 - rho), kLeastVariance)});
    levels_.back().add(features);
    scales_.push_back(float(1 / std::sqrt(1 - rho)));
  }
}

Tensor WholeImage::level_of(const Tensor& features, size_t level) const {
  const int64_t K = std::accumulate(channels_.begin(), channels_.end(), int64_t{0}), d = channels_[level],
                first = std::accumulate(channels_.begin(), channels_.begin() + int64_t(level), int64_t{0});
  check(features.rank() == 2 && features.dim(1) == K, "Gaussians of whole images take features [N,", K, "], got ",
        features.shape());
  const std::vector<float> all = features.values();
  std::vector<float> own;
  for (int64_t n = 0; n < features.dim(0); ++n)
    own.insert(own.end(), all.begin() + n * K + first, all.begin() + n * K + first + d);
  return Tensor::from({features.dim(0), 1, 1, d}, own);
}

void WholeImage::prepare_without(int64_t group) {
  for (Padim& level : levels_) level.prepare_without(group);
}

void WholeImage::fit() {
  for (Padim& level : levels_) level.fit();
}

std::vector<double> WholeImage::distances(const Tensor& features) const {
  std::vector<double> out(size_t(features.dim(0)), 0.0);
  for (size_t l = 0; l < levels_.size(); ++l) {
    const Tensor own = level_of(features, l);
    const std::vector<float> d = (fitted() ? levels_[l].distances(own) : levels_[l].distances_without(own)).values();
    for (size_t i = 0; i < out.size(); ++i) out[i] += double(scales_[l]) * double(d[i]);
  }
  return out;
}

std::vector<FileTensor> WholeImage::state(const std::string& prefix) const {
  std::vector<FileTensor> out;
  for (size_t l = 0; l < levels_.size(); ++l)
    for (FileTensor& t : levels_[l].state(level_prefix(prefix, l))) out.push_back(std::move(t));
  out.push_back({prefix + ".scales", Tensor::from({int64_t(scales_.size())}, scales_)});
  return out;
}

WholeImage WholeImage::from(const TensorFile& file, const std::string& prefix) {
  const Tensor* scales = file.find(prefix + ".scales");
  check(scales != nullptr && scales->dtype() == DType::f32 && scales->rank() == 1 && scales->size() >= 1,
        file.shown_name, " holds no Gaussians of whole images: '", prefix, ".scales' is missing or damaged");
  WholeImage out;
  out.scales_ = scales->values();
  for (size_t l = 0; l < out.scales_.size(); ++l) {
    const Tensor* mean = file.find(level_prefix(prefix, l) + ".mean");
    check(mean != nullptr && mean->rank() == 2 && mean->dim(1) >= 1, file.shown_name, " lacks level ", l,
          " of its Gaussians of whole images");
    out.channels_.push_back(int(mean->dim(1)));
    out.levels_.push_back(Padim::from(file, level_prefix(prefix, l), {1, 1, mean->dim(1)}));
  }
  return out;
}

}  // namespace kern::training
