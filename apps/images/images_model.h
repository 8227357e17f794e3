// A trained network for images with everything prediction needs, and the model file that holds it.
#pragma once
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "apps/images/config.h"
#include "data/preprocess.h"
#include "layers/module.h"
#include "training/tiled_inference.h"

namespace kern::apps {

struct ImagesModel {
  std::string architecture;       // a row of models::image2d_models()
  models::Image2dConfig network;  // in: 1 grey, 3 colours; out: 1 (two classes by one logit) or the number of classes
  int H = 0, W = 0;               // what it was trained on
  bool own_size = false;          // the images' own size: nothing was scaled
  int seen_H = 0, seen_W = 0;     // the training images' median size before they were scaled to it; 0: not known
  data::Fit fit = data::Fit::scale;
  std::vector<data::ImageClass> classes;
  data::MaskKind masks = data::MaskKind::index;
  std::vector<int> ignore;
  std::vector<std::string> training_images, validation_images, test_images;
  std::string provenance;  // version, seed, data hash

  AnyModule module;  // made by build() or load_images_model()
  void build();
  int class_count() const { return int(classes.size()); }
};

void save_images_model(const std::filesystem::path& path, const ImagesModel& model);
// Error when the file is no model of this task, or damaged.
ImagesModel load_images_model(const std::filesystem::path& path);

// How an image goes through the network unless window= says it.
enum class Way {
  whole,         // at its own size, in one piece
  squeezed,      // scaled to the size that was trained on
  tiles,         // at its own size, in parts of the size that was trained on
  scaled_tiles,  // scaled as the training images were, and then in such parts: it is much larger than they were
};
Way way_of(const ImagesModel& model, data::ImageSize image, Window window);

// At the image's own size, whatever that is; the memory needed grows with its width, not with its height. The image
// has the channels that the network takes.
void predict_image(const ImagesModel& model, const data::Image& image, const InferenceOptions& inference,
                   const training::RowsOfProbabilities& give);

// The label of every pixel, with two classes the second one from `threshold` on. `give` is shown the probabilities too,
// where there is one. `name` is what messages about odd sizes call the image.
data::Labels label_image(const ImagesModel& model, const data::Image& image, const InferenceOptions& inference,
                         double threshold, const std::string& name, const training::RowsOfProbabilities& give = {});

// The size at which an image goes through the network in one piece and once; nothing where it is cut into tiles or
// passes mirrored or at other sizes too.
std::optional<data::ImageSize> whole_pass(const ImagesModel& model, data::ImageSize image,
                                          const InferenceOptions& inference);
// Such images of one size in one batch: probabilities [N,h,w,C] where the model is; C = 1 are those of class 1 of
// two.
Tensor pass_together(const ImagesModel& model, std::span<const data::Image* const> images, data::ImageSize size);

}  // namespace kern::apps
