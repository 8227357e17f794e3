#include "training/logistic_regression.h"

#include <Eigen/Core>
#include <cmath>
#include <deque>

#include "kernels/common/error.h"
#include "kernels/common/parallel.h"

namespace kern::training {
namespace {

using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Rows = Eigen::Map<const Matrix>;
using Vector = Eigen::VectorXd;

constexpr int64_t kChunk = 2048;  // samples; part of the result, for it sets the order of the sums
constexpr size_t kMemory = 10;    // pairs of steps that L-BFGS remembers

// Mean and deviation of every column; a column that never varies gets deviation 0.
struct Columns {
  std::vector<double> mean, deviation;
};
Columns columns_of(std::span<const float> x, int64_t features) {
  const int64_t n = int64_t(x.size()) / features;
  Columns c{std::vector<double>(size_t(features), 0), std::vector<double>(size_t(features), 0)};
  for (int64_t i = 0; i < n; ++i)
    for (int64_t f = 0; f < features; ++f) c.mean[size_t(f)] += x[size_t(i * features + f)];
  for (double& m : c.mean) m /= double(n);
  for (int64_t i = 0; i < n; ++i)
    for (int64_t f = 0; f < features; ++f) {
      const double d = x[size_t(i * features + f)] - c.mean[size_t(f)];
      c.deviation[size_t(f)] += d * d;
    }
  for (size_t f = 0; f < size_t(features); ++f) {
    c.deviation[f] = std::sqrt(c.deviation[f] / double(n));
    if (c.deviation[f] <= 1e-6 * std::abs(c.mean[f])) c.deviation[f] = 0;  // no more than rounding
  }
  return c;
}

// The last steps and the changes of slope along them: an approximation of the inverse of the second derivatives.
class Curvature {
 public:
  void add(const Vector& step, const Vector& change) {
    const double along = step.dot(change);
    if (along <= 1e-12 * change.squaredNorm()) return;  // no curvature to learn from
    pairs_.push_back({step, change, along});
    if (pairs_.size() > kMemory) pairs_.pop_front();
  }
  // The direction of descent at this slope.
  Vector direction(const Vector& slope) const {
    Vector q = slope;
    std::vector<double> a(pairs_.size());
    for (size_t i = pairs_.size(); i-- > 0;) {
      a[i] = pairs_[i].step.dot(q) / pairs_[i].along;
      q -= a[i] * pairs_[i].change;
    }
    q *= pairs_.empty() ? 1 / std::max(1.0, slope.norm()) : pairs_.back().along / pairs_.back().change.squaredNorm();
    for (size_t i = 0; i < pairs_.size(); ++i) q += (a[i] - pairs_[i].change.dot(q) / pairs_[i].along) * pairs_[i].step;
    return -q;
  }
  void forget() { pairs_.clear(); }
  bool empty() const { return pairs_.empty(); }

 private:
  struct Pair {
    Vector step, change;
    double along;
  };
  std::deque<Pair> pairs_;
};

}  // namespace

double logistic_objective(std::span<const double> z, std::span<const int> labels, int64_t classes, double penalty,
                          std::span<const double> parameters, std::span<double> gradient) {
  const int64_t n = int64_t(labels.size()), features = n > 0 ? int64_t(z.size()) / n : 0;
  internal_check(n > 0 && int64_t(parameters.size()) == classes * (features + 1) &&
                     gradient.size() == parameters.size() && int64_t(z.size()) == n * features,
                 "logistic_objective: ", z.size(), " values, ", n, " labels, ", parameters.size(), " parameters");
  const Rows p(parameters.data(), classes, features + 1);
  const int64_t chunks = (n + kChunk - 1) / kChunk;
  std::vector<double> losses(size_t(chunks), 0);
  std::vector<Matrix> slopes(static_cast<size_t>(chunks));
  kernels::parallel_for(n, kChunk, [&](int64_t begin, int64_t end) {
    const int64_t rows = end - begin;
    const Rows zs(z.data() + begin * features, rows, features);
    Matrix scores = zs * p.leftCols(features).transpose();
    scores.rowwise() += p.col(features).transpose();
    double loss = 0;
    for (int64_t i = 0; i < rows; ++i) {  // scores become p(k | x) - [k = y]
      auto row = scores.row(i);
      const int truth = labels[size_t(begin + i)];
      row.array() -= row.maxCoeff();
      const double own = row(truth);
      row = row.array().exp().matrix();
      const double sum = row.sum();
      loss += std::log(sum) - own;
      row /= sum;
      row(truth) -= 1;
    }
    Matrix slope(classes, features + 1);
    slope.leftCols(features).noalias() = scores.transpose() * zs;
    slope.col(features) = scores.colwise().sum().transpose();
    losses[size_t(begin / kChunk)] = loss;
    slopes[size_t(begin / kChunk)] = std::move(slope);
  });
  Eigen::Map<Matrix> g(gradient.data(), classes, features + 1);
  g.setZero();
  double loss = 0;
  for (int64_t c = 0; c < chunks; ++c) loss += losses[size_t(c)], g += slopes[size_t(c)];
  g /= double(n);
  g.leftCols(features) += penalty * p.leftCols(features);
  return loss / double(n) + 0.5 * penalty * p.leftCols(features).squaredNorm();
}

LogisticRegression fit_logistic_regression(std::span<const float> x, std::span<const int> labels, int64_t classes,
                                           const LogisticOptions& options) {
  const int64_t n = int64_t(labels.size()), features = n > 0 ? int64_t(x.size()) / n : 0;
  internal_check(features > 0 && int64_t(x.size()) == n * features, "fit_logistic_regression: ", x.size(),
                 " values for ", n, " labels");
  const Columns columns = columns_of(x, features);
  std::vector<double> z(x.size());
  for (size_t i = 0; i < x.size(); ++i) {
    const size_t f = i % size_t(features);
    z[i] = columns.deviation[f] > 0 ? (x[i] - columns.mean[f]) / columns.deviation[f] : 0;
  }
  const auto objective = [&](const Vector& at, Vector& slope) {
    return logistic_objective(z, labels, classes, options.penalty, {at.data(), size_t(at.size())},
                              {slope.data(), size_t(slope.size())});
  };
  Vector at = Vector::Zero(classes * (features + 1)), slope = at, next_slope = at;
  double value = objective(at, slope);
  Curvature curvature;
  for (int i = 0; i < options.iterations && slope.cwiseAbs().maxCoeff() > options.tolerance; ++i) {
    const Vector direction = curvature.direction(slope);
    const double descent = slope.dot(direction);
    double length = 1, next_value = 0;
    Vector next;
    bool lower = false;
    for (int halving = 0; halving < 40 && !lower; ++halving, length /= 2) {
      next = at + length * direction;
      next_value = objective(next, next_slope);
      lower = next_value <= value + 1e-4 * length * descent;
    }
    if (!lower) {  // rounding hides the descent: from the bare slope once more, or this is the minimum
      if (curvature.empty()) break;
      curvature.forget();
      continue;
    }
    curvature.add(next - at, next_slope - slope);
    at = next, slope = next_slope, value = next_value;
  }
  const Rows p(at.data(), classes, features + 1);
  LogisticRegression out{features, classes, std::vector<float>(size_t(classes * features), 0),
                         std::vector<float>(size_t(classes), 0)};
  for (int64_t k = 0; k < classes; ++k) {
    double bias = p(k, features);
    for (int64_t f = 0; f < features; ++f) {
      const double deviation = columns.deviation[size_t(f)], w = deviation > 0 ? p(k, f) / deviation : 0;
      out.weight[size_t(k * features + f)] = float(w);
      bias -= w * columns.mean[size_t(f)];
    }
    out.bias[size_t(k)] = float(bias);
  }
  return out;
}

double LogisticRegression::score(std::span<const float> x, int64_t k) const {
  internal_check(int64_t(x.size()) == features, "LogisticRegression: ", x.size(), " features, ", features, " expected");
  double score = bias[size_t(k)];
  for (int64_t f = 0; f < features; ++f) score += double(weight[size_t(k * features + f)]) * x[size_t(f)];
  return score;
}

void LogisticRegression::scores(std::span<const float> x, std::span<float> scores) const {
  for (int64_t k = 0; k < classes; ++k) scores[size_t(k)] = float(score(x, k));
}

int LogisticRegression::predict(std::span<const float> x) const {
  int best = 0;
  double highest = -HUGE_VAL;
  for (int64_t k = 0; k < classes; ++k)
    if (const double s = score(x, k); s > highest) highest = s, best = int(k);
  return best;
}

}  // namespace kern::training
