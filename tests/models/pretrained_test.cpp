// Weights of other programs: torchvision's and timm's names, folded norms, every mismatch in a sentence; and, where the
// shared data are, the published weights against their test vector.
#include "models/pretrained.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "engine/dry_run.h"
#include "engine/ops/softmax.h"
#include "models/mobilenet_v2.h"
#include "models/table2d.h"
#include "models/unfold_norms.h"
#include "models/vgg16.h"
#include "tests/support/golden.h"
#include "tests/support/source_files.h"

namespace kern::models {
namespace {
namespace fs = std::filesystem;
const fs::path kWeights = testing::source_file("../shared/data/weights");

MobileNetV2Config narrow(int classes = 0) { return {.classes = classes, .width = 0.1, .last = 8}; }

// What torchvision would save of a network, whose layers lie below `path`.
TensorFile exported(const AnyModule& network, const std::string& path = "") {
  TensorFile file{"made_up.safetensors", {}, {}};
  for (const NamedTensor& t : network.tensors()) {
    std::string name = t.name.substr(path.empty() ? 0 : path.size() + 1);
    if (name.starts_with("scaling.")) continue;
    if (name.ends_with("running_variance")) name = name.substr(0, name.size() - 8) + "var";
    file.tensors.push_back({name, to_torch_layout(t.tensor).clone()});
    if (name.ends_with("running_var"))
      file.tensors.push_back(
          {name.substr(0, name.size() - 11) + "num_batches_tracked", Tensor::zeros({}, {.dtype = DType::i32})});
  }
  return file;
}
TensorFile sorted(TensorFile file) {
  std::sort(file.tensors.begin(), file.tensors.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return file;
}
AnyModule random_network(uint64_t seed, int classes = 0) {
  set_seed(seed);
  const AnyModule net(MobileNetV2(narrow(classes)));
  RandomSequence random(seed, RandomStream::noise);
  for (NamedTensor t : net.tensors())
    if (t.name.find("scaling") == t.name.npos && t.tensor.rank() == 1)
      t.tensor.copy_from(init_uniform(t.tensor.shape(), 0.3, random));
  for (NamedTensor t : net.tensors())
    if (t.name.ends_with("running_variance")) t.tensor.fill(0.8f);
  net.set_training(false);
  return net;
}
Tensor image() {
  RandomSequence random(9, RandomStream::noise);
  Tensor x = Tensor::empty({1, 48, 40, 3});
  for (int64_t i = 0; i < x.size(); ++i) x.mutate()[i] = random.uniform();
  return x;
}
std::string error_of(const AnyModule& net, const TensorFile& file) {
  try {
    load_pretrained(kMobileNetV2, net, "", sorted(file), 1e-5);
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

TEST(Pretrained, filters_change_their_layout_and_back) {
  Tensor t = Tensor::empty({2, 3, 2, 2});
  for (int i = 0; i < 24; ++i) t.mutate()[i] = float(i);
  const Tensor here = from_torch_layout(t);
  EXPECT_EQ(here.shape(), (Shape{2, 2, 2, 3}));
  EXPECT_EQ(here.values()[1], 4);    // the second channel of the first place
  EXPECT_EQ(here.values()[12], 12);  // the second filter
  EXPECT_EQ(to_torch_layout(here).values(), t.values());
}

TEST(Pretrained, takes_torchvisions_names) {
  const AnyModule from = random_network(1, 7), to = random_network(2, 7);
  const Pretrained loaded = load_pretrained(kMobileNetV2, to, "", sorted(exported(from)), 1e-5);
  EXPECT_EQ(loaded.names, std::string("torchvision"));
  EXPECT_FALSE(loaded.folded);
  EXPECT_EQ(loaded.tensors, 262);
  EXPECT_EQ(to(image()).values(), from(image()).values());
}

TEST(Pretrained, takes_timms_names_and_leaves_the_classifier_aside) {
  const AnyModule from = random_network(1, 7);
  TensorFile file = exported(from);
  for (FileTensor& t : file.tensors) t.name = kMobileNetV2.timm(t.name);
  for (const char* name : {"conv_stem.weight", "bn1.running_var", "blocks.0.0.conv_dw.weight", "blocks.0.0.bn2.bias",
                           "blocks.1.1.conv_pwl.weight", "blocks.3.2.bn3.weight", "blocks.6.0.conv_pw.weight",
                           "conv_head.weight", "bn2.running_mean", "classifier.bias"})
    EXPECT_TRUE(sorted(file).find(name)) << name;
  const AnyModule whole = random_network(2, 7);
  EXPECT_EQ(load_pretrained(kMobileNetV2, whole, "", sorted(file), 1e-5).left, 0);
  EXPECT_EQ(whole(image()).values(), from(image()).values());
  const AnyModule encoder = random_network(3);
  const Pretrained loaded = load_pretrained(kMobileNetV2, encoder, "", sorted(file), 1e-5);
  EXPECT_EQ(loaded.names, std::string("timm"));
  EXPECT_EQ(loaded.left, 7);
  EXPECT_NE(loaded.note.find("7 beyond the encoder left aside"), std::string::npos) << loaded.note;
}

// Folds as converters do: weight times gain over deviation, bias minus mean times that.
TensorFile folded(const AnyModule& network, double eps) {
  TensorFile out{"folded.safetensors", {}, {}};
  const TensorFile file = sorted(exported(network));
  for (const FileTensor& t : file.tensors) {
    if (t.tensor.rank() == 2 || t.name.starts_with("classifier")) out.tensors.push_back(t);
    if (t.tensor.rank() != 4) continue;
    const std::string part = t.name.substr(0, t.name.size() - 7);
    const size_t dot = part.rfind('.');
    const std::string norm = part.substr(0, dot + 1) + std::to_string(std::stoi(part.substr(dot + 1)) + 1);
    auto of = [&](const char* what) { return file.find(norm + what)->values(); };
    const auto gain = of(".weight"), shift = of(".bias"), mean = of(".running_mean"), variance = of(".running_var");
    Tensor w = t.tensor.clone(), b = Tensor::empty({w.dim(0)});
    const int64_t per = w.size() / w.dim(0);
    for (int64_t k = 0; k < w.dim(0); ++k) {
      const double scale = gain[size_t(k)] / std::sqrt(variance[size_t(k)] + eps);
      for (int64_t i = 0; i < per; ++i) w.mutate()[k * per + i] = float(w.mutate()[k * per + i] * scale);
      b.mutate()[k] = float(shift[size_t(k)] - mean[size_t(k)] * scale);
    }
    out.tensors.push_back({t.name, w});
    out.tensors.push_back({part + ".bias", b});
  }
  return sorted(out);
}

TEST(Pretrained, a_folded_norm_becomes_the_identity_and_stays_so) {
  const AnyModule from = random_network(1, 5), to = random_network(2, 5);
  const Pretrained loaded = load_pretrained(kMobileNetV2, to, "", folded(from, 1e-5), 1e-5);
  EXPECT_TRUE(loaded.folded);
  EXPECT_NE(loaded.note.find("without normalisation"), std::string::npos);
  const Tensor want = from(image());
  EXPECT_LE(kern::testing::distance(to(image()), want), 1e-5);
  to.set_training(true);
  const Tensor x = image(), y = to(x);  // norms are held; the dropout before the classifier too
  EXPECT_LE(kern::testing::distance(y, want), 1e-5);
  backward(y, Tensor::full(y.shape(), 1));
  for (const NamedTensor& p : to.parameters()) EXPECT_TRUE(p.tensor.grad()) << p.name;
}

Tensor images(int64_t count, uint64_t seed) {
  RandomSequence random(seed, RandomStream::noise);
  Tensor x = Tensor::empty({count, 48, 40, 3});
  for (int64_t i = 0; i < x.size(); ++i) x.mutate()[i] = random.uniform();
  return x;
}
Tensor tensor_of(const AnyModule& net, const std::string& name) {
  for (const NamedTensor& t : net.tensors())
    if (t.name == name) return t.tensor;
  ADD_FAILURE() << "no " << name;
  return {};
}

TEST(Pretrained, norms_put_back_change_nothing_at_first_and_follow_from_then_on) {
  const AnyModule from = random_network(1, 5), held = random_network(2, 5), net = random_network(3, 5);
  const TensorFile file = folded(from, 1e-5);
  load_pretrained(kMobileNetV2, held, "", file, 1e-5);
  const Pretrained loaded = load_pretrained(kMobileNetV2, net, "", file, 1e-5, FoldedNorms::put_back);
  EXPECT_TRUE(loaded.folded);
  EXPECT_EQ(loaded.note.find("without normalisation"), std::string::npos) << loaded.note;
  const std::vector<Tensor> seen{images(2, 5), images(3, 6)};
  const auto batch = [&](int i) { return seen[size_t(i)]; };

  const UnfoldedNorms one = unfold_norms(net, "", 1, batch, 1e-5);
  EXPECT_EQ(one.norms, 52);
  EXPECT_EQ(one.samples, 2);
  held.set_training(false), net.set_training(false);
  const NoGrad off;
  const Tensor other = images(2, 7);
  EXPECT_LE(kern::testing::distance(net(other), held(other)), 1e-5);
  net.hold_in_evaluation("classifier");  // its dropout
  net.set_training(true);                // by the statistics of the batch, which are those it was given
  EXPECT_LE(kern::testing::distance(net(seen[0]), held(seen[0])), 1e-4);
  const Tensor mean = tensor_of(net, "features.17.conv.3.running_mean");
  const std::vector<float> before = mean.values();
  net(other);
  EXPECT_NE(mean.values(), before) << "held in evaluation";
}

// Statistics over batches of unlike size are those over all their images.
TEST(Pretrained, statistics_of_norms_put_back_are_over_all_images) {
  const TensorFile file = folded(random_network(1, 5), 1e-5);
  const AnyModule parts = random_network(2, 5), whole = random_network(3, 5);
  for (const AnyModule& net : {parts, whole}) load_pretrained(kMobileNetV2, net, "", file, 1e-5, FoldedNorms::put_back);
  const Tensor all = images(5, 5);
  const std::vector<Tensor> seen{all.batch_slice(0, 2), all.batch_slice(2, 5)};
  unfold_norms(
      parts, "", 2, [&](int i) { return seen[size_t(i)]; }, 1e-5);
  unfold_norms(
      whole, "", 1, [&](int) { return all; }, 1e-5);
  for (size_t i = 0; i < parts.tensors().size(); ++i)
    EXPECT_LE(kern::testing::distance(parts.tensors()[i].tensor, whole.tensors()[i].tensor), 1e-4)
        << parts.tensors()[i].name;
  EXPECT_THROW(unfold_norms(
                   parts, "decoder", 1, [&](int) { return all; }, 1e-5),
               Error);
}

TEST(Pretrained, every_mismatch_is_a_sentence_with_both_names) {
  const AnyModule net = random_network(1);
  const TensorFile whole = exported(net);
  TensorFile file = whole;
  file.tensors[0].name = "features.0.0.wait";
  EXPECT_TRUE(error_of(net, file).starts_with(
      "made_up.safetensors does not hold the weights of this MobileNetV2. 'features.0.0.weight' [8,3,3,3] is missing, "
      "which features.0.0.weight here takes. 'features.0.0.wait' [8,3,3,3] has no place here. It takes files with the "
      "names of torchvision or timm; scripts/convert_weights.py makes them"))
      << error_of(net, file);
  file = whole;
  file.tensors[0].tensor = Tensor::zeros({8, 1, 3, 3});
  EXPECT_NE(error_of(net, file).find("'features.0.0.weight' is [8,1,3,3] f32, features.0.0.weight here takes "
                                     "[8,3,3,3] f32"),
            std::string::npos)
      << error_of(net, file);
  EXPECT_NE(error_of(net, {"empty.safetensors", {}, {}}).find("And 243 more like these."), std::string::npos)
      << error_of(net, {"empty.safetensors", {}, {}});
  const float before = net.tensors()[2].tensor.values()[0];
  error_of(net, file);
  EXPECT_EQ(net.tensors()[2].tensor.values()[0], before) << "a file that does not fit must leave the network alone";
}

TEST(Pretrained, vgg16_through_the_table) {
  const Image2dConfig config{.out = 2, .channels = {3, 4, 5, 6}};
  set_seed(1);
  const AnyModule from(Vgg16({.channels = {3, 4, 5, 6, 7}}));  // five blocks: the last is beyond
  const AnyModule unet = make_image2d_model("vgg16_unet", config);
  const Pretrained loaded = load_encoder("vgg16_unet", config, unet, sorted(exported(from)));
  EXPECT_EQ(loaded.tensors, 20);
  EXPECT_EQ(loaded.left, 6);
  EXPECT_EQ(freeze_levels(kVgg16, unet, "encoder", 2), (27 + 1) * 3 + (27 + 1) * 3 + (27 + 1) * 4 + (36 + 1) * 4);
  for (const NamedTensor& p : unet.parameters()) {
    const bool frozen = p.name.starts_with("encoder.") && std::stoi(p.name.substr(17)) <= 7;
    EXPECT_EQ(p.tensor.requires_grad(), !frozen) << p.name;
  }
  EXPECT_THROW(freeze_levels(kVgg16, unet, "encoder", 6), Error);
  EXPECT_THROW(load_encoder("unet", {}, AnyModule(), {}), Error);
}

TEST(Pretrained, levels_of_mobilenet_end_before_the_size_is_halved) {
  const DryRun without_values;
  const AnyModule net = make_image2d_model("mobilenet_unet", {});
  EXPECT_EQ(freeze_levels(kMobileNetV2, net, "encoder", 0), 0);
  EXPECT_EQ(freeze_levels(kMobileNetV2, net, "encoder", 5), 1811712);
}

TEST(Pretrained, metadata_say_how_the_weights_want_to_be_used) {
  TensorFile file{"f", {{"padding", "TensorFlow SAME"}, {"input", "RGB x/127.5-1"}, {"norm_eps", "0.001"}}, {}};
  const WeightsOrigin origin = origin_of(file);
  EXPECT_EQ(origin.padding, PaddingConvention::tensorflow);
  EXPECT_EQ(origin.scaling, InputScaling::symmetric);
  EXPECT_EQ(origin.norm_eps, 0.001);
  EXPECT_EQ(origin_of({"f", {}, {}}).padding, PaddingConvention::torch);
  file.metadata["norm_eps"] = "small";
  EXPECT_THROW(origin_of(file), Error);
}

// A .npy file of f32 in C order.
std::vector<float> read_npy(const fs::path& path, size_t count) {
  std::ifstream in(path, std::ios::binary);
  std::string header;
  std::getline(in, header);
  std::vector<float> values(count);
  in.read(reinterpret_cast<char*>(values.data()), std::streamsize(count * sizeof(float)));
  EXPECT_TRUE(in.good()) << path;
  return values;
}

TEST(Pretrained, the_published_mobilenet_reproduces_its_test_vector) {
  if (!fs::exists(kWeights)) GTEST_SKIP() << "the shared weights are not there";
  const TensorFile file = load_tensors(kWeights / "mobilenetv2_imagenet.safetensors");
  const WeightsOrigin origin = origin_of(file);
  ASSERT_EQ(origin.padding, PaddingConvention::tensorflow);
  // The vector goes into the network as it is, 0 to 255: what scales images was not part of that graph.
  const AnyModule net(MobileNetV2({.classes = 1001, .padding = origin.padding, .scaling = InputScaling::none}));
  const Pretrained loaded = load_pretrained(kMobileNetV2, net, "", file, 1e-3);
  EXPECT_TRUE(loaded.folded);
  EXPECT_EQ(loaded.left, 0);
  EXPECT_EQ(origin.scaling, InputScaling::symmetric);
  const std::vector<float> input = read_npy(kWeights / "mobilenetv2_test_vector/input_0.npy", 224 * 224 * 3);
  net.set_training(false);
  const auto got = softmax(net(Tensor::from({1, 224, 224, 3}, input))).values(),
             want = read_npy(kWeights / "mobilenetv2_test_vector/output_0.npy", 1001);
  for (size_t i = 0; i < want.size(); ++i) EXPECT_NEAR(got[i], want[i], 0.003) << "class " << i;
}

}  // namespace
}  // namespace kern::models
