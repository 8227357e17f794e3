// What docs/tutorial.md shows, in one program: each part between [name] and [end] stands there.
#include <cmath>
#include <cstdio>
#include <filesystem>

// [headers]
#include <kern/data/image_batches.h>
#include <kern/data/image_folder.h>
#include <kern/data/image_split.h>
#include <kern/data/image_store.h>
#include <kern/kern.h>
using namespace kern;
// [end]

namespace {

// Dark images with a bright disc in each, and masks of the discs.
void invent_images(const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder / "images"), std::filesystem::create_directories(folder / "masks");
  RandomSequence random(7, RandomStream::synthesize);
  for (int n = 0; n < 24; ++n) {
    data::Image image = data::make_raster(48, 64, 3), mask = data::make_raster(48, 64, 1);
    const float y0 = 12 + 24 * random.uniform(), x0 = 12 + 40 * random.uniform(), r = 6 + 5 * random.uniform();
    for (int y = 0; y < 48; ++y)
      for (int x = 0; x < 64; ++x) {
        const bool inside = std::hypot(float(y) - y0, float(x) - x0) < r;
        for (int c = 0; c < 3; ++c) image.at(y, x)[c] = uint8_t((inside ? 120 : 60) + 60 * random.uniform());
        *mask.at(y, x) = inside;
      }
    const std::string name = "disc_" + std::to_string(n) + ".png";
    std::FILE* file = std::fopen((folder / "images" / name).c_str(), "wb");
    std::string png = data::encode_png(image);
    std::fwrite(png.data(), 1, png.size(), file), std::fclose(file);
    file = std::fopen((folder / "masks" / name).c_str(), "wb");
    png = data::encode_png(mask);
    std::fwrite(png.data(), 1, png.size(), file), std::fclose(file);
  }
}

void expect(bool holds, const char* what) {
  if (holds) return;
  std::printf("the tutorial does not hold: %s\n", what);
  std::exit(1);
}

// [loss]
// One less the soft Jaccard index of binary masks, image by image. logits, truth [N,H,W,1].
Tensor jaccard_loss(const Tensor& logits, const Tensor& truth) {
  const Tensor p = sigmoid(logits);
  const Tensor intersection = sum(p * truth, {1, 2, 3}), both = sum(p + truth, {1, 2, 3}) - intersection;  // [N]
  return 1 - mean((intersection + 1) / (both + 1));  // the 1 keeps empty masks from dividing by nothing
}
// [end]

// [layer]
// Squeeze and excitation (Hu et al. 2018): each channel is scaled by what the means of all channels say.
struct SqueezeExcite {
  Linear down, up;
  explicit SqueezeExcite(int channels, int inner = 4)
      : down({.in = channels, .out = inner}), up({.in = inner, .out = channels}) {}
  Tensor operator()(const Tensor& x) {                  // [1,H,W,C]: of one image
    const Tensor mean = global_avg_pool(x);             // [1,C]
    const Tensor gate = sigmoid(up(relu(down(mean))));  // [1,C]
    return x * reshape(gate, {x.channels()});           // a vector scales every row
  }
  template <class V>
  void visit(V&& v) {
    v("down", down), v("up", up);
  }
};
// [end]

// [op]
// y = x^3 as an op of one's own, on the CPU: the values by a loop, the gradient by a function that record() keeps.
Tensor cube(const Tensor& x) {
  Tensor y = Tensor::empty(x.shape());
  const Tensor dense = x.dense() ? x : x.clone();
  float* to = y.mutate();
  for (int64_t i = 0; i < x.size(); ++i) to[i] = std::pow(dense.data()[i], 3.0f);
  return record("cube", {x}, y, [x = Saved(dense)](const Tensor& dy, Grads& d) {
    if (d.want(0)) d.set(0, 3 * square(x.get("cube")) * dy);  // dx = 3 x^2 dy, by ops that exist
  });
}
// [end]

}  // namespace

int main(int, char** argv) {
  const std::filesystem::path folder = std::filesystem::path(argv[0]).parent_path() / "tutorial_images";
  invent_images(folder);
  {
    // [tensors]
    const Tensor x = Tensor::from({2, 3}, std::vector<float>{1, 2, 3, 4, 5, 6});  // two rows of three channels
    const Tensor y = relu(x - 3) * 10;
    for (const float v : y.values()) std::printf("%g ", v);  // 0 0 0 10 20 30
    // [end]
    std::puts("");
    expect(y.values() == std::vector<float>{0, 0, 0, 10, 20, 30}, "tensors");
  }
  {
    const Tensor x = Tensor::from({2, 3}, std::vector<float>{1, 2, 3, 4, 5, 6});
    // [gradients]
    Tensor w = Tensor::full({3}, 0.5f);
    w.require_grad();
    sum(x * w).backward();
    for (const float v : w.grad().values()) std::printf("%g ", v);  // 5 7 9: the sums of x's columns
    // [end]
    std::puts("");
    expect(w.grad().values() == std::vector<float>{5, 7, 9}, "gradients");
  }

  // [data]
  // folder/images/*.png and folder/masks/*.png of the same names; a mask is 0 or something else.
  const auto set = data::load_image_folder({.path = folder});
  const auto split = data::split_images(set.images, {.validation = 0.25, .seed = 1});
  const auto store = std::make_shared<const data::ImageStore>(
      set.images, data::MaskReader({.kind = data::MaskKind::nonzero}), /*channels=*/3, /*budget=*/size_t{1} << 30);
  const data::ImageBatches training_batches(store, split.training, {.batch = 6, .seed = 1});
  const data::ImageBatches validation_batches(store, split.validation, {.batch = 6, .shuffle = false});
  // [end]

  // [network]
  const Device device = device_of(DeviceChoice::automatic);  // a GPU where there is one
  set_seed(1);
  models::UNet2d net({.in = 3, .out = 2, .channels = {8, 16, 32}});
  to(net, device);
  std::printf("%lld parameters\n", static_cast<long long>(parameter_count(net)));
  // [end]

  // [training]
  training::Optimiser optimiser(net, AdamOptions{}, /*lr=*/3e-3);
  for (int epoch = 0; epoch < 12; ++epoch) {
    const auto order = training_batches.epoch(epoch);
    double total = 0;
    for (int64_t i = 0; i < training_batches.size(); ++i) {
      const data::ImageBatch batch = training_batches.batch(order, i);
      const Tensor x = Tensor::from({batch.N, batch.H, batch.W, batch.C}, batch.inputs).to(device);
      const Tensor labels = Tensor::from({batch.N, batch.H, batch.W}, batch.labels).to(device);
      const Tensor loss = cross_entropy(net(x), labels);
      loss.backward();
      optimiser.step();
      total += loss.item();
    }
    std::printf("epoch %2d  loss %.3f\n", epoch + 1, total / double(training_batches.size()));
  }
  // [end]

  // [validation]
  set_training(net, false);  // batch norms use what they have learnt
  int64_t found = 0, wrong = 0, missed = 0;
  {
    const NoGrad off;
    for (int64_t i = 0; i < validation_batches.size(); ++i) {
      const data::ImageBatch batch = validation_batches.batch(validation_batches.epoch(0), i);
      const Tensor x = Tensor::from({batch.N, batch.H, batch.W, batch.C}, batch.inputs).to(device);
      const std::vector<float> logits = net(x).values();  // [N,H,W,2]
      for (size_t p = 0; p < batch.labels.size(); ++p) {
        const bool said = logits[2 * p + 1] > logits[2 * p], is = batch.labels[p] == 1;
        found += said && is, wrong += said && !is, missed += !said && is;
      }
    }
  }
  const double iou = double(found) / double(found + wrong + missed);
  std::printf("IoU of images that were not trained on: %.3f\n", iou);
  // [end]
  expect(iou > 0.85, "the U-Net finds the discs");

  // [saving]
  save(net, "discs.safetensors", {{"task", "discs"}});
  models::UNet2d again({.in = 3, .out = 2, .channels = {8, 16, 32}});
  load(again, "discs.safetensors");
  // [end]
  expect(named_parameters(again)[0].tensor.values() == named_parameters(net)[0].tensor.values(), "saving");

  {
    // [check]
    // Is a gradient right? Move one value a little, both ways, and compare.
    Tensor logits = Tensor::from({1, 1, 4, 1}, std::vector<float>{0.3f, -1.2f, 0.8f, 2});
    const Tensor truth = Tensor::from({1, 1, 4, 1}, std::vector<float>{1, 0, 0, 1});
    logits.require_grad();
    jaccard_loss(logits, truth).backward();
    const float h = 1e-2f, by_hand = logits.grad().values()[2];
    std::vector<float> more{0.3f, -1.2f, 0.8f + h, 2}, less{0.3f, -1.2f, 0.8f - h, 2};
    const float by_difference = (jaccard_loss(Tensor::from({1, 1, 4, 1}, more), truth).item() -
                                 jaccard_loss(Tensor::from({1, 1, 4, 1}, less), truth).item()) /
                                (2 * h);
    std::printf("gradient %.4f, by differences %.4f\n", by_hand, by_difference);
    // [end]
    expect(std::abs(by_hand - by_difference) < 1e-3, "the loss's gradient");
  }
  {
    SqueezeExcite layer(8);
    RandomSequence random(3, RandomStream::synthesize);
    std::vector<float> values(1 * 5 * 6 * 8);
    for (float& v : values) v = random.uniform();
    const Tensor x = Tensor::from({1, 5, 6, 8}, values), y = layer(x);
    expect(y.shape() == x.shape() && parameter_count(layer) == 8 * 4 + 4 + 4 * 8 + 8, "the layer");
    sum(y).backward();
    for (const auto& p : named_parameters(layer)) expect(bool(p.tensor.grad()), p.name.c_str());
  }
  {
    Tensor x = Tensor::from({3}, std::vector<float>{1, -2, 3});
    x.require_grad();
    const Tensor y = cube(x);
    sum(y).backward();
    expect(y.values() == std::vector<float>{1, -8, 27} && x.grad().values() == std::vector<float>{3, 12, 27}, "the op");
  }
  std::puts("the tutorial holds");
}
