// How unusual an image is as a whole: a Gaussian of normal images for each resolution of a frozen encoder, over features
// that are averaged over all positions (Rippel, Mertens and Merhof 2021, https://arxiv.org/abs/2005.14140).
//
//   d(x) = sum of sqrt((x_l - mean_l)^T ((1 - rho_l) S_l + rho_l mu_l I)^-1 (x_l - mean_l)) over the levels l
//
// S is the covariance, mu the mean of its diagonal and rho the shrinkage of Ledoit and Wolf 2004
// (https://doi.org/10.1016/S0047-259X(03)00096-4), which needs no choice and allows fewer images than channels.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "training/padim.h"

namespace kern::training {

// rho and mu of n samples of d values, one after the other. 1 and 0 where all are equal; for few samples rho is high.
struct Shrinkage {
  double share = 1, variance = 0;
};
Shrinkage ledoit_wolf(std::span<const float> samples, int64_t d);

class WholeImage {
 public:
  // Pooled features of all normal images [N,K] on the CPU, K the sum of the levels' channels, one level after the other.
  // The shrinkage is found by all of them, also where images are left out later. Errors: fewer than 2 images, channels
  // of another sum.
  WholeImage(const Tensor& normal, std::vector<int> channels);
  // As PaDiM's: before fit(), of a group of images that were given, by the model of all the others.
  void prepare_without(int64_t group);
  void fit();
  bool fitted() const { return levels_.front().fitted(); }
  // d of every image by its features [N,K]; before fit() of one whole group.
  std::vector<double> distances(const Tensor& features) const;

  // What a model file holds, under "<prefix>.".
  std::vector<FileTensor> state(const std::string& prefix) const;
  static WholeImage from(const TensorFile& file, const std::string& prefix);

 private:
  WholeImage() = default;
  // Features of a level as maps of one position [N,1,1,channels].
  Tensor level_of(const Tensor& features, size_t level) const;
  std::vector<int> channels_;
  std::vector<Padim> levels_;  // of one position: S + rho mu / (1 - rho) I ...
  std::vector<float> scales_;  // ... whose distances these make those of the shrunk covariance, 1 / sqrt(1 - rho)
};

}  // namespace kern::training
