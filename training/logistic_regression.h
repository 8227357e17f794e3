// Multinomial logistic regression: the plain classifier that a network has to beat.
//
//   p(k | x) = softmax_k(W z + b),  z = (x - mean) / deviation, both over the samples it is fitted to
//   F(W, b)  = -1/n sum_i log p(y_i | x_i) + penalty / 2 * sum W^2          (b is free)
//
// F is convex; it is minimised from zero by L-BFGS (Nocedal and Wright, Numerical Optimization, 2006, algorithms 7.4
// and 7.5) with backtracking, in double and by fixed chunks of samples: the same bits for any number of threads.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

namespace kern::training {

struct LogisticOptions {
  double penalty = 1e-4;
  int iterations = 200;
  double tolerance = 1e-5;  // the largest slope of F at which the fit is good enough
};

struct LogisticRegression {
  int64_t features = 0, classes = 0;
  std::vector<float> weight, bias;  // [K, F], [K]: of x as it is, the standardisation folded in
  // b + W x of one sample, x [F] -> scores [K]: logits.
  void scores(std::span<const float> x, std::span<float> scores) const;
  // The most probable class of one sample, x [F]. A NaN among its features gives class 0.
  int predict(std::span<const float> x) const;

 private:
  double score(std::span<const float> x, int64_t k) const;
};

// x [n, F], labels [n] in 0 .. classes-1, n >= 1. A feature that never varies takes no part.
LogisticRegression fit_logistic_regression(std::span<const float> x, std::span<const int> labels, int64_t classes,
                                           const LogisticOptions& options = {});

// F and its gradient at `parameters`, [K, F + 1], the last column b, for z [n, F] already standardised.
double logistic_objective(std::span<const double> z, std::span<const int> labels, int64_t classes, double penalty,
                          std::span<const double> parameters, std::span<double> gradient);

}  // namespace kern::training
