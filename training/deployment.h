// What stands before and behind a network in use, as functions of tensors: an exported model takes what was measured and
// gives what a person wants to know. The numbers are those of the functions named, but for roundings.
#pragma once
#include <vector>

#include "data/wells_normalise.h"
#include "engine/model_file.h"
#include "engine/tensor.h"
#include "models/reconstruction.h"
#include "training/gradient_boosting.h"
#include "training/padim.h"

namespace kern::training {

// data::network_inputs(): measured curves [N,L,C], NaN where missing -> scaled and clipped, 0 where missing, and with a
// mask as many channels behind them, 1 where measured [N,L,2C].
// for_trees: an ONNX file computes it in double precision then, as network_inputs() does.
class CurveScaling {
 public:
  explicit CurveScaling(const data::Normalisation& normalisation, bool for_trees = false);
  struct Scaled {
    Tensor inputs, gaps;  // gaps, for trees: the curves alone; with a mask NaN where missing
  };
  Scaled operator()(const Tensor& curves) const;
  std::vector<FileTensor> constants() const;

 private:
  data::Normalisation by_;
  bool for_trees_;
  Tensor zero_, missing_;  // [1]
};

// data::window_features() of every sample of a signal: [N,L,C] -> [N,L,C * data::kWindowFeatures]. No gradients.
Tensor windows_of(const Tensor& x);

// GradientBoosting::scores() of data::window_features_or_missing(): scaled curves with their gaps [N,L,C] -> [N,L,K].
// No gradients.
Tensor tree_scores(const GradientBoosting& trees, const Tensor& gaps);

// data::scale_amplitudes() of amplitudes that are divided already: clipped, NaN is 0.
class AmplitudeClip {
 public:
  AmplitudeClip();
  Tensor operator()(const Tensor& x) const;
  std::vector<FileTensor> constants() const { return {{"zero", zero_}}; }

 private:
  Tensor zero_;
};

// Logits [...,K] -> probabilities of K classes, or of two where K is 1.
Tensor class_probabilities(const Tensor& logits);

// anomaly_map(): [N,h,w,1] -> [N,H,W,1], linear between the middles, smoothed by a Gaussian of this deviation.
class MapSmoothing {
 public:
  MapSmoothing(int64_t H, int64_t W, double deviation);
  Tensor operator()(const Tensor& map) const;
  std::vector<FileTensor> constants() const;

 private:
  int64_t H_, W_;
  int reach_;
  Tensor across_, down_;  // filters; empty: nothing is smoothed
};

// models::reconstruction_scores() and models::error_map() of images x [N,H,W,C] and what was made of them.
class ReconstructionError {
 public:
  ReconstructionError(models::Measure measure, int64_t channels);
  Tensor score(const models::Reconstruction& reconstruction, const Tensor& x) const;  // [N]
  Tensor map(const Tensor& image, const Tensor& x) const;                             // [N,H,W,1]
  std::vector<FileTensor> constants() const;

 private:
  Tensor dissimilarity(const Tensor& a, const Tensor& b) const;  // 1 - SSIM, [N]
  models::Measure measure_;
  Tensor across_, down_;  // SSIM's window
};

// Padim::distances() of features [N,h,w,K] -> [N,h,w,1]. Holds a matrix for every position.
class PadimDistances {
 public:
  PadimDistances(const Padim& padim, const FeatureShape& shape);
  Tensor operator()(const Tensor& features) const;
  std::vector<FileTensor> constants() const;

 private:
  FeatureShape shape_;
  Tensor selected_, mean_, whitening_;
};

}  // namespace kern::training
