// The models of devices_test.cpp: each small enough for an emulated GPU.
#pragma once
#include <gtest/gtest.h>

#include "engine/random.h"
#include "layers/module.h"
#include "models/conv_autoencoder.h"
#include "models/high_resolution3d.h"
#include "models/lstm_tagger.h"
#include "models/unet1d.h"
#include "models/unet2d.h"
#include "models/unet3d.h"

namespace kern::testing {

struct SmallModel {
  const char* name;
  AnyModule (*make)();
  Shape input;
  int classes;  // 0: reconstructs its input
};
inline void PrintTo(const SmallModel& c, std::ostream* out) { *out << c.name; }
inline const SmallModel kSmallModels[] = {
    {"UNet1d",
     [] {
       return AnyModule(models::UNet1d({.in = 2, .out = 3, .channels = {1, 4, 8}, .strides = {1, 1}}));
     },
     {2, 21, 2},
     3},
    {"UNet2d",
     [] {
       return AnyModule(models::UNet2d({.in = 3, .out = 4, .channels = {4, 8}, .dropout = 0.3f}));
     },
     {2, 10, 12, 3},
     4},
    {"ConvAutoencoder",
     [] {
       return AnyModule(models::ConvAutoencoder({.in = 3, .channels = {4, 8}}));
     },
     {2, 8, 8, 3},
     0},
    {"LstmTagger",
     [] { return AnyModule(models::LstmTagger({.in = 2, .out = 3, .hidden = 6, .layers = 2})); },
     {2, 9, 2},
     3},
    {"UNet3d",
     [] {
       return AnyModule(models::UNet3d({.in = 1, .out = 3, .channels = {3, 4}, .dropout = 0.3f}));
     },
     {2, 4, 4, 6, 1},
     3},
    {"HighResolution3d",
     [] {
       return AnyModule(
           models::HighResolution3d({.out = 3, .channels = 2, .bottlenecks = 1, .modules = 1, .blocks_a_module = 1}));
     },
     {2, 8, 8, 8, 1},
     3},
};

struct SmallBatch {
  Tensor x, target;  // no target where the input is to be reconstructed
};
inline SmallBatch small_batch(const SmallModel& m, const Shape& shape, uint32_t number = 0) {
  RandomSequence random(3, RandomStream::noise, number);
  SmallBatch b;
  b.x = Tensor::empty(shape);
  for (int64_t i = 0; i < b.x.size(); ++i) b.x.mutate()[i] = random.normal();
  if (m.classes == 0) return b;
  Shape positions;
  for (int i = 0; i + 1 < shape.rank(); ++i) positions.push_back(shape[i]);
  b.target = Tensor::empty(positions, {.dtype = DType::i32});
  for (int64_t i = 0; i < b.target.size(); ++i)
    b.target.mutate<int32_t>()[i] = int32_t(random.below(uint32_t(m.classes)));
  return b;
}

inline std::string name_of(const ::testing::TestParamInfo<SmallModel>& info) { return info.param.name; }

}  // namespace kern::testing
