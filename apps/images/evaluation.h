// Predictions of a model on images with masks, at the images' own size, and the figures over them.
#pragma once
#include <span>
#include <vector>

#include "apps/images/images_model.h"
#include "data/image_store.h"
#include "training/intervals.h"
#include "training/metrics.h"

namespace kern::apps {

struct EvaluatedImage {
  int64_t image;                      // of the store
  double accuracy = 0, mean_iou = 0;  // over its labelled pixels; NaN without one
  int64_t labelled = 0;               // pixels
  std::vector<double> iou;            // of each class; NaN where neither the mask nor the prediction has it
};
struct ImagesEvaluation {
  training::ConfusionMatrix matrix;  // over all pixels of all images, not a mean of images
  double loss = 0;                   // mean cross entropy of the labelled pixels, unweighted
  std::vector<EvaluatedImage> images;
  std::vector<training::ClassTally> tallies;  // of the images, for intervals_of()
};
// Ranks share the images, and all get the same bits (training/shared_scores.h).
ImagesEvaluation evaluate(const ImagesModel& model, const data::ImageStore& store, std::span<const int64_t> which,
                          const InferenceOptions& inference = {}, double threshold = 0.5);

// The classes chosen for an image.
data::Labels predict_labels(const ImagesModel& model, const data::Image& image, const InferenceOptions& inference = {},
                            double threshold = 0.5);

}  // namespace kern::apps
