// The networks that label every sample of a signal: one row per model, found by name.
#pragma once
#include <span>
#include <string>
#include <vector>

#include "layers/module.h"
#include "models/unet1d.h"

namespace kern::models {

// What a person may choose about such a network; a model uses what concerns it.
struct Signal1dConfig {
  int in = 1, out = 2;        // channels in, classes out
  std::vector<int> channels;  // of the levels or layers; empty: the model's own
  std::vector<int> strides;   // empty: the model's own
  int kernel = 3;
  int residual_units = 3;
  int radius = 32;  // mlp: samples of its window to each side
  Norm norm = Norm::instance;
  bool on_base = false;  // the input has `out` further channels: logits, which the model corrects (models/on_base.h)
};

struct Signal1dModel {
  const char* name;
  const char* help;
  AnyModule (*make)(const Signal1dConfig&);
};
std::span<const Signal1dModel> signal1d_models();

// [N,L,in] -> logits [N,L,out]; [N,L,in + out] with on_base. Error naming the models there are when `name` is none of
// them.
AnyModule make_signal1d_model(const std::string& name, const Signal1dConfig& config);

}  // namespace kern::models
