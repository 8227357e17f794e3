// The networks that label every pixel of a picture: one row per model, found by name.
#pragma once
#include <span>
#include <string>
#include <vector>

#include "layers/module.h"

namespace kern::models {

// What a person may choose about such a network; a model uses what concerns it.
struct Image2dConfig {
  int in = 3, out = 2;        // channels in, classes out
  std::vector<int> channels;  // of the levels, the last is the bottom; empty: the model's own
  double dropout = 0;         // share of whole channels dropped after every activation
};

struct Image2dModel {
  const char* name;
  const char* help;
  AnyModule (*make)(const Image2dConfig&);
};
std::span<const Image2dModel> image2d_models();

// [N,H,W,in] -> logits [N,H,W,out], any H and W. Error naming the models there are when `name` is none of them.
AnyModule make_image2d_model(const std::string& name, const Image2dConfig& config);

}  // namespace kern::models
