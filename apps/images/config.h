// The configurations of the verbs of `kern images`, and their keys.
#pragma once
#include <string>
#include <vector>

#include "apps/parts.h"
#include "data/image_augment.h"
#include "data/image_groups.h"
#include "data/image_split.h"
#include "data/masks.h"
#include "models/table2d.h"
#include "training/classes.h"
#include "training/epochs_to.h"
#include "training/machine.h"
#include "training/methods.h"
#include "training/monitor.h"
#include "training/recipe.h"
#include "training/segmentation.h"
#include "training/segmentation_loss.h"

namespace kern::apps {

struct ImagesData {
  std::string path, image_dir, mask_dir, mask_suffix;
  data::MaskKind masks = data::MaskKind::index;
  std::vector<data::ImageClass> classes;
  std::string classes_file;
  std::vector<int> ignore;
  bool ignore_unmapped = false, strict = false, grey = false;
  int64_t cache = 1024;    // MiB
  std::string unlabelled;  // a folder of further images, without masks

  data::ImageFolderOptions folder() const;
  data::MaskOptions mask_options() const;  // with the classes of the list or file; of masks=nonzero, two by default
};

struct ImagesSplit {
  double validation = 0.3;
  int folds = 0, fold = 0;
  std::string validation_list, test_list, validation_image_dir, validation_mask_dir;
  double test = 0;
  data::GroupOptions groups;
  int64_t seed =
      1;  // not that of the training: trainings that differ in their seed alone are validated on the same images
};

struct ImagesInitConfig {
  std::string data, weights, out = "images.yaml";
  bool overwrite = false;
};
void describe_images_init(training::Schema& keys, ImagesInitConfig& config);

// Of train, and of inspect and preview, which read the same file and look at what concerns the data.
struct ImagesTrainConfig {
  ImagesData data;
  ImagesSplit split;
  std::vector<int> size;  // height, width; empty: the images' own
  data::Fit fit = data::Fit::scale;
  data::ImageAugmentation augmentation;

  std::string model = "unet";
  std::vector<int> channels;
  double dropout = 0;
  std::string encoder_weights;
  int encoder_frozen = 0;
  double encoder_lr = 1;
  bool encoder_unfold = false;

  training::MethodRecipe method{.discriminator = "fcn"};
  double labelled_fraction = 1;
  data::ImageAugmentation strong{.flip_horizontal = true,
                                 .rotate = 15,
                                 .zoom = 0.2,
                                 .shift = 0.1,
                                 .brightness = 0.3,
                                 .contrast = 0.3,
                                 .saturation = 0.3,
                                 .hue = 0.05,
                                 .noise = 0.05,
                                 .blur = 1,
                                 .cutout = 0.3};

  training::Recipe recipe{.batch = 8};
  int min_updates = 0;
  training::LossOptions loss;
  training::ClassWeights class_weights = training::ClassWeights::none;
  training::Monitor monitor = training::Monitor::mean_iou;
  training::Aims reach;

  std::string run = "runs/images", resume;
  int panels = 4;  // images drawn after every epoch
  int report_images = 12;
  bool quiet = false;
  training::Machine machine;

  std::string out = "runs/images_preview.png";  // preview: the sheet
  std::string sheet;                            // inspect: the contact sheet
};
void describe_images_train(training::Schema& keys, ImagesTrainConfig& config);
void describe_images_inspect(training::Schema& keys, ImagesTrainConfig& config);
void describe_images_preview(training::Schema& keys, ImagesTrainConfig& config);

enum class Window { automatic, whole, tiles };
enum class TestTimeFlips { none, horizontal, both };

// How an image goes through the network, for evaluate and predict.
struct InferenceOptions {
  Window window = Window::automatic;
  double overlap = 0.25;
  TestTimeFlips flips = TestTimeFlips::none;
  std::vector<double> scales{1};  // of what goes through the network; the mean over all of them
  bool once() const { return flips == TestTimeFlips::none && scales == std::vector<double>{1}; }
};

struct ImagesEvaluateConfig {
  std::string model, run = "runs/images_evaluation";
  bool overwrite = false;
  std::string data, image_dir, mask_dir, mask_suffix;
  DataPart images = DataPart::unseen;
  bool ignore_unmapped = false, strict = false;
  InferenceOptions inference;
  int report_images = 12;
  training::Machine machine;
};
void describe_images_evaluate(training::Schema& keys, ImagesEvaluateConfig& config);

struct ImagesPredictConfig {
  std::string model, data, out = "runs/images_predictions";
  InferenceOptions inference;
  double threshold = 0.5;
  bool overlay = true, probabilities = false, overwrite = false, strict = false;
  training::Machine machine;
};
void describe_images_predict(training::Schema& keys, ImagesPredictConfig& config);

// Names, with colours of their own or from the palette.
training::ClassList class_list(const std::vector<data::ImageClass>& classes);
std::vector<data::Rgb> palette_of(const training::ClassList& classes);

}  // namespace kern::apps
