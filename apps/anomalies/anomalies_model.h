// A trained anomaly detector with everything prediction needs, and the model file that holds it.
#pragma once
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "apps/anomalies/config.h"
#include "data/preprocess.h"
#include "models/encoder_features.h"
#include "training/padim.h"
#include "training/whole_image.h"

namespace kern::apps {

struct AnomaliesModel {
  std::string architecture;  // a row of models::autoencoder_models(), or kPadim
  data::Preprocess chain;
  double smoothing = 0;  // of maps, in prepared pixels
  double hot = 0;        // map values that are drawn red: twice what good images hardly reach

  // Of an auto-encoder.
  models::AutoencoderConfig network;
  models::Measure measure = models::Measure::sse;
  bool seed_compatible = false;
  int passes = 10;
  int64_t seed = 1;
  // Of PaDiM.
  models::EncoderFeaturesConfig features;
  training::FeatureShape shape;

  // Where the line is drawn; nothing as long as the training is not finished.
  std::string rule;
  std::optional<double> threshold;
  std::vector<training::RuleResult> rules;  // all that the validation allowed
  bool left_out = false;                    // the good images that found it trained too, each scored without itself
  std::vector<double> training_scores;      // of good images that trained it: 101 quantiles
  std::vector<std::string> training_images, validation_images, test_images;
  std::string provenance;  // version, seed, data hash

  models::AnyAutoencoder autoencoder;
  AnyModule module;  // the auto-encoder's, or the encoder's; made by build()
  std::optional<training::Padim> padim;
  AnyModule pooled;                  // the encoder's features of whole images
  std::vector<int> pooled_channels;  // of its levels
  std::optional<training::WholeImage> whole;
  double whole_weight = 0;  // score = the map's largest value + this x the whole's distance
  void build();
  bool is_padim() const { return architecture == kPadim; }
  data::ImageSize size() const { return {network.size.height, network.size.width}; }  // of prepared images
  // What the chosen rule promises; nothing where it promises nothing.
  std::optional<training::FalseAlarms> false_alarms() const;
  // The threshold by this rule of the training (empty: the chosen one). Error naming the rules there are.
  double threshold_of(const std::string& rule) const;
};

void save_anomalies_model(const std::filesystem::path& path, const AnomaliesModel& model);
// Error when the file is no model of this task, or damaged.
AnomaliesModel load_anomalies_model(const std::filesystem::path& path);

struct ScoredImage {
  double score = 0;                    // the mean over the passes
  double whole = 0;                    // how unusual the image is as a whole, where the model looks at that
  std::vector<double> passes;          // one, but for compat=seed
  std::vector<float> map;              // [H,W] of the prepared image, the larger the more unusual
  data::Raster<float> prepared;        // what the model saw
  data::Raster<float> reconstruction;  // of auto-encoders
};
// `drawn`: with the numbers that a model of compat=seed draws; they depend on its seed and on `first`, the number of
// the first image. Otherwise each image counts by itself. Error for an image that the chain does not bring to the
// model's size.
std::vector<ScoredImage> score_images(const AnomaliesModel& model, std::span<const data::Image> images,
                                      bool drawn = true, int64_t first = 0);
// The same for so many images that `prepare` makes by the model's chain: of their number among them, and the blur of
// prepare(). It is called from several threads.
using PreparedBy = std::function<data::Raster<float>(int64_t i, double blur)>;
std::vector<ScoredImage> score_prepared(const AnomaliesModel& model, int64_t images, const PreparedBy& prepare,
                                        bool drawn = true, int64_t first = 0);
// How many make a batch, where there are many.
inline int64_t scored_together(const AnomaliesModel& model) { return model.is_padim() ? 8 : 64; }

// Features of prepared images, for PaDiM: [N,h,w,K] on the CPU.
Tensor features_of(const AnomaliesModel& model, const Tensor& images);
// Features of images as wholes, each at its own aspect ratio: [N,K] on the CPU.
Tensor pooled_features_of(const AnomaliesModel& model, std::span<const data::Image> images);

// The image in colours with its map laid over the part that the model saw, from transparent at half of `hot` to red
// at `hot` and above.
data::Image heat_map(const AnomaliesModel& model, const data::Image& image, std::span<const float> map, double hot);

}  // namespace kern::apps
