// Networks and ops on volumes as ONNX: written for any size, and computed alike by whatever runtime is here.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "engine/autograd.h"
#include "engine/onnx_export.h"
#include "engine/onnx_weights.h"
#include "engine/ops/add.h"
#include "engine/ops/conv_transpose3d.h"
#include "engine/ops/max_pool.h"
#include "engine/ops/pad.h"
#include "engine/ops/upsample.h"
#include "engine/random.h"
#include "models/high_resolution3d.h"
#include "models/unet3d.h"
#include "tests/support/source_files.h"

namespace kern::models {
namespace {
namespace fs = std::filesystem;

Tensor drawn_voxels(const Shape& shape, uint32_t number) {
  RandomSequence random(9, RandomStream::noise, number);
  Tensor x = Tensor::empty(shape);
  for (int64_t i = 0; i < x.size(); ++i) x.mutate()[i] = random.normal();
  return x;
}

struct VolumeSource {
  const char* name;
  OnnxSource onnx;
};

OnnxSource of_network(const AnyModule& network, bool any_size) {
  for (NamedTensor t : network.tensors())  // statistics away from 0 and 1
    if (t.name.ends_with("running_mean") || t.name.ends_with("running_variance"))
      t.tensor.copy_from(t.name.ends_with("mean") ? init_normal(t.tensor.shape(), 0.3)
                                                  : Tensor::full(t.tensor.shape(), 1.7f));
  network.set_training(false);
  OnnxSource s{.name = "volume", .input = "x", .shape = {6, 8, 7, 1}, .any_size = any_size, .outputs = {"y"}};
  s.run = [network](const Tensor& x) { return std::vector<Tensor>{network(x)}; };
  for (const NamedTensor& t : network.tensors()) s.constants.push_back({t.name, t.tensor});
  return s;
}

// Every op on volumes that has a counterpart, with options of each direction its own.
OnnxSource of_ops() {
  const Tensor w = drawn_voxels({4, 2, 3, 1, 1}, 1), b = drawn_voxels({4}, 2), up = drawn_voxels({4, 3, 2, 2, 1}, 3),
               flat = drawn_voxels({2, 1, 3, 3, 2}, 4);
  OnnxSource s{.name = "ops", .input = "x", .shape = {6, 8, 7, 2}, .outputs = {"y"}};
  s.constants = {{"w", w}, {"b", b}, {"up", up}, {"flat", flat}};
  s.run = [=](const Tensor& x) {
    Tensor y =
        conv3d(x, w, b, {.stride = {1, 2, 1}, .padding = {1, 0, {0, 1, 2, 1}}, .dilation = {2, 1, 1}, .groups = 2});
    y = conv_transpose3d(y, up, {}, {.stride = {2, 1, 2}, .crop = {1, 0, 0}, .output_padding = {1, 0, 1}, .groups = 2});
    y = max_pool3d(y, {.window = {2, 3, 2}, .stride = {2, 1, 2}, .padding = Triple(0, 1, 0)});
    y = mirror_pad3d(pad3d(y, {1, 2, {0, 1, 3, 0}}), {2, 0, {1, 1, 0, 4}});
    y = crop3d(y, {1, 1, {2, 0, 0, 3}});
    y = conv3d(y, flat, {}, {.padding = Triple(0, 1, 1)});
    return std::vector<Tensor>{
        add(upsample3d(y, {2 * int(y.dim(1)), int(y.dim(2)), 3 * int(y.dim(3))}, {.how = Upsampling::linear}),
            upsample3d(y, {2 * int(y.dim(1)), int(y.dim(2)), 3 * int(y.dim(3))}))};
  };
  return s;
}

std::vector<VolumeSource> volume_sources() {
  set_seed(8);
  const AnyModule unet(UNet3d({.out = 2, .channels = {3, 4, 6}})),
      fine(HighResolution3d({.channels = 2, .bottlenecks = 2, .modules = 2, .blocks_a_module = 1}));
  return {{"unet3d", of_network(unet, true)},
          {"unet3d_of_one_size", of_network(unet, false)},
          {"high_resolution3d", of_network(fine, true)},
          {"ops", of_ops()}};
}

std::string python_of_tests() {
  if (const char* given = std::getenv("KERN_PYTHON")) return given;
  const std::string own = kern::testing::source_file(".venv/bin/python");
  return fs::exists(own) ? own : "";
}

TEST(VolumesOnnx, is_written_and_computes_the_same_elsewhere) {
  const fs::path folder = fs::temp_directory_path() / ("kern_volumes_onnx_" + std::to_string(::getpid()));
  fs::create_directories(folder);
  std::string command = "'" + python_of_tests() + "' '" + kern::testing::source_file("scripts/check_onnx") + "'";
  for (const VolumeSource& v : volume_sources()) {
    const std::string bytes = onnx_file(v.onnx, "test");
    EXPECT_EQ(parse_onnx(bytes, v.name).tensors.empty(), false) << v.name;
    const std::string file = folder / (std::string(v.name) + ".onnx"), samples = folder / (std::string(v.name) + ".st");
    std::ofstream(file, std::ios::binary) << bytes;
    std::vector<FileTensor> all;
    const NoGrad off;
    for (const int64_t more : {0, 3}) {
      if (more > 0 && !v.onnx.any_size) continue;
      const Shape& s = v.onnx.shape;
      const Tensor x = drawn_voxels({2, s[0] + more, s[1] + 2 * more, s[2] + more, s[3]}, uint32_t(10 + more));
      const std::string name = "of_" + std::to_string(more) + "_more/";
      all.push_back({name + "x", channels_second(x)});
      all.push_back({name + "y", channels_second(v.onnx.run(x)[0])});
    }
    save_tensors(samples, all, {});
    command += " '" + file + "' '" + samples + "'";
  }
  const std::string said = folder / "said.txt";
  const int status = python_of_tests().empty() ? -1 : std::system((command + " > '" + said + "' 2>&1").c_str());
  std::ifstream in(said);
  const std::string words((std::istreambuf_iterator<char>(in)), {});
  fs::remove_all(folder);
  if (status == -1) GTEST_SKIP() << "neither KERN_PYTHON nor .venv is there: the files were written, not run";
  if (WIFEXITED(status) && WEXITSTATUS(status) == 77) GTEST_SKIP() << python_of_tests() << ": " << words;
  EXPECT_EQ(status, 0) << words;
}

}  // namespace
}  // namespace kern::models
