// Predictions of a model on pictures with masks, at the pictures' own size, and the figures over them.
#pragma once
#include <span>
#include <vector>

#include "apps/images/images_model.h"
#include "data/image_store.h"
#include "training/intervals.h"
#include "training/metrics.h"

namespace kern::apps {

struct JudgedPicture {
  int64_t picture;                    // of the store
  double accuracy = 0, mean_iou = 0;  // over its labelled pixels; NaN without one
  int64_t labelled = 0;               // pixels
  std::vector<double> iou;            // of each class; NaN where neither the mask nor the prediction has it
};
struct ImagesJudgement {
  training::ConfusionMatrix matrix;  // over all pixels of all pictures, not a mean of pictures
  double loss = 0;                   // mean cross entropy of the labelled pixels, unweighted
  std::vector<JudgedPicture> pictures;
  std::vector<training::ClassTally> tallies;  // of the pictures, for intervals_of()
};
ImagesJudgement judge(const ImagesModel& model, const data::ImageStore& store, std::span<const int64_t> which,
                      const Passing& passing = {}, double threshold = 0.5);

// The classes chosen for a picture.
data::Labels predict_labels(const ImagesModel& model, const data::Image& picture, const Passing& passing = {},
                            double threshold = 0.5);

}  // namespace kern::apps
