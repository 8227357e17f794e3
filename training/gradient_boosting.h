// Gradient boosted trees for classes (Friedman 2001; Chen & Guestrin 2016, https://arxiv.org/abs/1603.02754), grown over
// histograms: what a table of a few thousand rows is best told by, and what a network has to beat.
//
//   score_k(x) = bias_k + sum of tree_{r,k}(x) over the rounds r,     p(k | x) = softmax_k(score(x))
//   A round grows a tree for each class on g = p(k | x) - [k = y] and h = p (1 - p): a leaf gives -rate G / (H + lambda)
//   with the sums G, H of its samples, and a split is worth G_l^2 / (H_l + lambda) + G_r^2 / (H_r + lambda) less the same
//   of both together.
//
// A feature that is missing is NaN: every split says which way such samples go, the way that is worth more where some
// are missing in the training, else the way of most. g and h are rounded to multiples of 2^-20 and summed as integers,
// so that no order of a sum can matter: equal data and seed give equal bits on any number of threads.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "engine/model_file.h"

namespace kern {
struct TreesSpec;  // engine/onnx_ops.h
}

namespace kern::training {

struct BoostingOptions {
  int rounds = 60;
  int leaves = 16;         // of a tree; the leaf whose split is worth most is split next
  double rate = 0.1;       // of every tree
  double lambda = 1;       // added to the sum of h
  int least_samples = 20;  // of a leaf
  double rows = 0.5;       // share of the samples that a round sees
  double features = 0.5;   // share of the features that a tree sees
  int bins = 64;           // of a feature's values, by quantiles; at most 255
  uint64_t seed = 0;
};

class GradientBoosting {
 public:
  int64_t features() const { return features_; }
  int64_t classes() const { return int64_t(bias_.size()); }
  // x [F] -> [K]: logarithms of probabilities but for a constant.
  void scores(std::span<const float> x, std::span<float> scores) const;
  int predict(std::span<const float> x) const;  // the class of the highest score; of equal ones the first

  // What a model file holds, under "<prefix>.". from(): nothing in the file is trusted; error where it does not fit.
  std::vector<FileTensor> state(const std::string& prefix) const;
  static GradientBoosting from(const TensorFile& file, const std::string& prefix, int64_t features, int64_t classes);
  TreesSpec spec() const;  // for an ONNX file

 private:
  friend class BoostingFit;
  // A node of a tree; a leaf has child 0. The right child follows the left one.
  struct Node {
    int32_t feature = 0, child = 0;  // child: the left one
    float value = 0;                 // x <= value goes left; of a leaf what it gives
    int32_t missing_left = 0;
  };
  int64_t features_ = 0;
  std::vector<float> bias_;     // [K]
  std::vector<Node> nodes_;     // of all trees; children stand behind their parent
  std::vector<int32_t> roots_;  // [rounds, K]
};

// x [n, F] with NaN where missing, labels [n] in 0 .. classes-1, n >= 1.
GradientBoosting fit_gradient_boosting(std::span<const float> x, std::span<const int> labels, int64_t classes,
                                       const BoostingOptions& options = {});

}  // namespace kern::training
