// The networks that find faults in seismic data: one row per model, found by name. They are compared with one another, so
// all take sections or volumes of any size and give one logit for every sample.
#pragma once
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "layers/conv_norm_act.h"
#include "layers/module.h"
#include "models/reconstruction.h"

namespace kern::models {

struct SectionConfig {
  // Of the levels (dense_ae: hidden widths), the last is the bottom; high_resolution3d: one number, that of the finer
  // stream; empty: the model's own.
  std::vector<int> channels;
  double dropout = 0;      // unet, unet_2_5d, unet3d: of channels after every activation
  double drop_path = 0.1;  // high_resolution3d: of the last residual branch
};

// A convolutional auto-encoder that answers with faults instead of its input: 3x3 convolutions of stride 2 down, 4x4
// transposed ones of stride 2 up, each with batch norm and ReLU, no skips. Variational: at the bottom a code is drawn
// in training, its mean taken otherwise (Kingma and Welling 2014).
class SectionAutoencoder {
 public:
  // Errors: fewer than 1 or more than 8 levels, channels below 1.
  SectionAutoencoder(const std::vector<int>& channels, bool variational, SourceLocation at = SourceLocation::current());
  Tensor operator()(const Tensor& x);  // [N,H,W,1] -> [N,H,W,1], any H and W
  // Of the codes of the last pass in training from N(0, 1), summed over the code, averaged over the batch; empty
  // before one.
  const Tensor& divergence() const { return divergence_; }
  template <class V>
  void visit(V&& v) {
    v("down", down_), v("mean", mean_), v("spread", spread_), v("up", up_), v("head", head_), v("mode", mode_);
  }

 private:
  std::vector<ConvNormAct2d> down_;
  std::optional<Conv2d> mean_, spread_;
  std::vector<ConvTransposeNormAct2d> up_;
  std::vector<Conv2d> head_;  // one
  Mode mode_;
  Tensor divergence_;
};

// An auto-encoder of fully connected layers over patches of kPatch x kPatch samples, each by itself: the layers are
// convolutions that are as large as a patch and step as far.
class PatchAutoencoder {
 public:
  static constexpr int kPatch = 32;
  explicit PatchAutoencoder(const std::vector<int>& hidden, SourceLocation at = SourceLocation::current());
  Tensor operator()(const Tensor& x);
  template <class V>
  void visit(V&& v) {
    v("layers", layers_), v("last", last_);
  }

 private:
  std::vector<Conv2d> layers_;
  std::vector<ConvTranspose2d> last_;  // one
};

struct SectionNetwork {
  AnyModule module;
  std::function<Tensor()> divergence;  // as SectionAutoencoder says; empty where the network draws nothing
  int reach = 0;                       // samples to either side that an answer may depend on
};

struct SectionModel {
  const char* name;
  const char* help;
  SectionNetwork (*make)(const SectionConfig&);
  // 2: the network takes sections [N,H,W,lines], 3: volumes [N,D,H,W,lines]. It gives one channel, the logits.
  int dimensions = 2;
  // Neighbouring lines of a survey as channels; the answer is that of the middle one.
  int lines = 1;
  bool takes_single_sections() const { return dimensions == 2 && lines == 1; }
};
std::span<const SectionModel> section_models();
// Error naming the models there are when `name` is none of them.
const SectionModel& section_model(const std::string& name);
// Error naming the models there are when `name` is none of them.
SectionNetwork make_section_model(const std::string& name, const SectionConfig& config);

}  // namespace kern::models
