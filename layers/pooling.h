#pragma once
#include "engine/ops/avg_pool.h"
#include "engine/ops/global_avg_pool.h"
#include "engine/ops/max_pool.h"
#include "engine/ops/upsample.h"
#include "layers/module.h"

namespace kern {

// Largest value of every window, per channel: x [N,H,W,C] -> [N,P,Q,C].
struct MaxPool2d {
  MaxPool2dOptions options;
  explicit MaxPool2d(const MaxPool2dOptions& o = {}) : options(o) {}
  Tensor operator()(const Tensor& x) { return max_pool2d(x, options); }
  template <class V>
  void visit(V&&) {}
};

// x [N,L,C] -> [N,Q,C].
struct MaxPool1d {
  MaxPool1dOptions options;
  explicit MaxPool1d(const MaxPool1dOptions& o = {}) : options(o) {}
  Tensor operator()(const Tensor& x) { return max_pool1d(x, options); }
  template <class V>
  void visit(V&&) {}
};

// x [N,D,H,W,C] -> [N,O,P,Q,C].
struct MaxPool3d {
  MaxPool3dOptions options;
  explicit MaxPool3d(const MaxPool3dOptions& o = {}) : options(o) {}
  Tensor operator()(const Tensor& x) { return max_pool3d(x, options); }
  template <class V>
  void visit(V&&) {}
};

// Mean of every window, per channel: x [N,H,W,C] -> [N,P,Q,C].
struct AvgPool2d {
  AvgPool2dOptions options;
  explicit AvgPool2d(const AvgPool2dOptions& o = {}) : options(o) {}
  Tensor operator()(const Tensor& x, const Tensor& out = {}) { return avg_pool2d(x, options, out); }
  template <class V>
  void visit(V&&) {}
};

// x [N,L,C] -> [N,Q,C].
struct AvgPool1d {
  AvgPool1dOptions options;
  explicit AvgPool1d(const AvgPool1dOptions& o = {}) : options(o) {}
  Tensor operator()(const Tensor& x, const Tensor& out = {}) { return avg_pool1d(x, options, out); }
  template <class V>
  void visit(V&&) {}
};

// x [N,D,H,W,C] -> [N,O,P,Q,C].
struct AvgPool3d {
  AvgPool3dOptions options;
  explicit AvgPool3d(const AvgPool3dOptions& o = {}) : options(o) {}
  Tensor operator()(const Tensor& x, const Tensor& out = {}) { return avg_pool3d(x, options, out); }
  template <class V>
  void visit(V&&) {}
};

// Mean over all positions of a sample, per channel: x [N,positions...,C] -> [N,C].
struct GlobalAvgPool {
  Tensor operator()(const Tensor& x, const Tensor& out = {}) { return global_avg_pool(x, out); }
  template <class V>
  void visit(V&&) {}
};

// Every size but batch and channels times a factor: x [N,L,C], [N,H,W,C] or [N,D,H,W,C].
struct Upsample {
  double factor;
  UpsampleOptions options;
  explicit Upsample(double by, const UpsampleOptions& o = {}) : factor(by), options(o) {}
  Tensor operator()(const Tensor& x) { return upsample_by(x, factor, options); }
  template <class V>
  void visit(V&&) {}
};

}  // namespace kern
