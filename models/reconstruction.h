// What an auto-encoder makes of images, the loss it is trained with, and how far an image is from what it knows.
#pragma once
#include <optional>
#include <vector>

#include "engine/ops/kl_normal.h"

namespace kern::models {

struct Reconstruction {
  Tensor image;  // of the input's shape
  // Where the code is drawn from a normal distribution: its mean and width [N,code], else empty.
  Tensor mean, spread;
  Spread kind = Spread::log_variance;
  bool divergence = false;  // of that distribution from N(0, 1) is part of loss and score
};

// How a reconstruction is held against its image.
enum class Measure {
  sse,   // sum of squared errors over all values of an image
  mse,   // their mean
  l1,    // mean of absolute errors
  ssim,  // 1 - the mean structural similarity (engine/ops/ssim.h): images of at least 11x11
};

// Per image, averaged over the batch: the measure, plus the divergence where the model has one (Kingma and Welling
// 2014). -> [1]
Tensor reconstruction_loss(const Reconstruction& reconstruction, const Tensor& x, Measure measure = Measure::sse);
// The same for every image by itself: what anomalies are told by.
std::vector<double> reconstruction_scores(const Reconstruction& reconstruction, const Tensor& x,
                                          Measure measure = Measure::sse);
// Error of every pixel, summed over channels: x [N,H,W,C] -> [N,H,W,1] on the CPU. Squared, or absolute for l1.
Tensor error_map(const Tensor& reconstruction, const Tensor& x, Measure measure = Measure::sse);

// mean + e sigma with e of N(0, 1), drawn from the generator's noise for this step: the same for the same seed, step
// and number of calls. The numbers are made on the host.
Tensor draw_code(const Tensor& mean, const Tensor& spread, Spread kind);

}  // namespace kern::models
