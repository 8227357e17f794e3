// PaDiM (Defard et al. 2021, https://arxiv.org/abs/2011.08785): at every position of a frozen encoder's feature map a
// Gaussian of what normal images show there; how far an image lies from it is its anomaly score.
//
//   d(x)^2 = (x - mean)^T (covariance + regularisation I)^-1 (x - mean),  x: `channels` channels drawn by a seed
//
//   Padim padim({.height = 56, .width = 56, .channels = 136}, {});
//   for (...) padim.add(features);     // [N,56,56,136] of normal images
//   padim.fit();
//   padim.distances(features);         // [N,56,56]
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "engine/model_file.h"
#include "engine/tensor.h"

namespace kern::training {

struct FeatureShape {
  int64_t height = 0, width = 0, channels = 0;
  int64_t positions() const { return height * width; }
  bool operator==(const FeatureShape&) const = default;
};
struct PadimOptions {
  int64_t channels = 100;        // drawn from the features'; all of them if there are no more
  double regularisation = 0.01;  // added to every variance
  uint64_t seed = 0;
};

// Needs height x width x channels^2 floats while it is fitted, half of that afterwards.
class Padim {
 public:
  Padim(const FeatureShape& shape, const PadimOptions& options);
  // Normal images' features [N,height,width,channels], on the CPU, in any number of calls. The order of images does
  // not matter but for rounding; equal calls give equal bits on any number of threads.
  void add(const Tensor& features);
  int64_t images() const { return count_; }
  // Between the last add() and fit(): distances of images that were added from the model of all the others, to find a
  // threshold by all images though each is scored by a model that has not seen it. No refit: a group of g images is
  // taken out of the mean and the covariance in closed form (Sherman, Morrison and Woodbury, of rank g + 1).
  //   prepare_without(g)            factorises for groups of g; once for each size. Error: fewer than 2 images are left
  //   distances_without(features)   of one whole group [g,height,width,channels] -> [g,height,width]
  void prepare_without(int64_t group);
  Tensor distances_without(const Tensor& features) const;
  // After the last add(). Errors: fewer than 2 images; a covariance that is not positive definite (name the remedy).
  void fit();
  bool fitted() const { return fitted_; }
  // The distance d of every position, [N,height,width]. Error before fit().
  Tensor distances(const Tensor& features) const;

  // What a model file holds, under "<prefix>.".
  std::vector<FileTensor> state(const std::string& prefix) const;
  static Padim from(const TensorFile& file, const std::string& prefix, const FeatureShape& shape);
  const std::vector<int32_t>& selected() const { return selected_; }  // the channels drawn, rising
  // The same distance as a product: |(x - mean) W| of every position with d of the features' channels.
  Tensor mean() const;       // [positions, d]
  Tensor whitening() const;  // W, the transposed inverses of the factors [positions, d, d]

 private:
  void check_features(const Tensor& features) const;
  void factorise(int64_t freedom);  // of the covariance: sums of products / freedom + regularisation I
  FeatureShape shape_;
  double regularisation_ = 0;
  std::vector<int32_t> selected_;
  int64_t count_ = 0;
  int64_t without_ = 0;  // the size of the groups that factor_ is prepared for
  bool fitted_ = false;
  std::vector<float> mean_;    // [positions, d]
  std::vector<float> spread_;  // while fitting [positions, d, d], lower half: sums of products of deviations
  std::vector<float> factor_;  // [positions, d (d + 1) / 2]: rows of the Cholesky factor's lower half
};

}  // namespace kern::training
