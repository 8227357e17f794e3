#include "benchmarks/loader.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#ifdef __unix__
#include <unistd.h>
#endif

#include "data/anomaly_batches.h"
#include "data/data_loader.h"
#include "data/fault_sections.h"
#include "data/image_batches.h"
#include "data/spills_synthetic.h"
#include "data/wells_batches.h"
#include "data/wells_synthetic.h"
#include "engine/atomic_file.h"
#include "engine/random.h"
#include "models/section_models.h"
#include "models/table2d.h"
#include "models/table_autoencoder.h"
#include "models/unet1d.h"
#include "training/segmentation_loss.h"

namespace kern::benchmarks {
namespace {

// FNV-1a over the values' words.
template <class T>
void add_to(uint64_t& hash, const std::vector<T>& values) {
  for (const T v : values) {
    uint32_t word = 0;
    static_assert(sizeof(T) <= sizeof word);
    std::memcpy(&word, &v, sizeof v);
    hash = (hash ^ word) * 0x100000001b3;
  }
}
void add_to(uint64_t& hash, const data::ImageBatch& b) {
  add_to(hash, b.inputs), add_to(hash, b.labels), add_to(hash, b.present), add_to(hash, b.strong);
  add_to(hash, b.origin);
}
void add_to(uint64_t& hash, const data::WellBatch& b) {
  add_to(hash, b.inputs), add_to(hash, b.labels), add_to(hash, b.strong), add_to(hash, b.origin);
}
void add_to(uint64_t& hash, const data::SectionBatch& b) { add_to(hash, b.inputs), add_to(hash, b.labels); }
void add_to(uint64_t& hash, const data::AnomalyBatch& b) { add_to(hash, b.inputs); }

// What the source reads must be held by the batches themselves.
template <class Batches>
LoaderRun feed_of(Batches batches, int64_t samples) {
  const auto source = std::make_shared<data::DataLoader<Batches>>(std::move(batches));
  return {.begin = [source](int64_t epoch) { source->begin(epoch, 0); },
          .next = [source](uint64_t* hash) -> int64_t {
            const auto batch = source->next();
            if (!batch) return 0;
            if (hash) add_to(*hash, *batch);
            return batch->N;
          },
          .samples = samples};
}

constexpr uint64_t kSeed = 1;

// Street-like images: flat areas, edges and a grain, and masks of `classes` values.
std::shared_ptr<const data::ImageStore> image_files(const std::filesystem::path& folder, int count, int64_t H,
                                                    int64_t W, int classes, size_t budget) {
  make_folder(folder / "images");
  make_folder(folder / "masks");
  for (int i = 0; i < count; ++i) {
    RandomSequence random(kSeed, RandomStream::synthesize, 2, uint32_t(i));
    data::Image image = data::make_raster(H, W, 3), mask = data::make_raster(H, W, 1);
    for (int patch = 0; patch < 4 * classes; ++patch) {
      const int64_t y = random.below(uint32_t(H)), x = random.below(uint32_t(W)),
                    h = std::min(H - y, H / 8 + random.below(uint32_t(H / 2))),
                    w = std::min(W - x, W / 8 + random.below(uint32_t(W / 2)));
      const auto k = uint8_t(patch % classes);
      const int light = random.between(30, 220), red = random.between(-20, 20);
      for (int64_t a = y; a < y + h; ++a)
        for (int64_t b = x; b < x + w; ++b) {
          *mask.at(a, b) = k;
          for (int c = 0; c < 3; ++c) image.at(a, b)[c] = uint8_t(light + (c == 0 ? red : 0) + random.between(-9, 9));
        }
    }
    const std::string name = "image_" + std::to_string(100 + i) + ".png";
    write_file(folder / "images" / name, data::encode_png(image));
    write_file(folder / "masks" / name, data::encode_png(mask));
  }
  data::MaskOptions masks;
  for (int k = 0; k < classes; ++k)
    masks.classes.push_back({.name = "class " + std::to_string(k), .colour = "", .values = {}});
  return std::make_shared<const data::ImageStore>(data::load_image_folder({.path = folder}).images,
                                                  data::MaskReader(masks), 3, budget);
}

std::vector<int64_t> all_of(size_t n) {
  std::vector<int64_t> all(n);
  for (size_t i = 0; i < n; ++i) all[i] = int64_t(i);
  return all;
}

constexpr size_t kKeepAll = size_t{1} << 30;
constexpr int kImages = 24, kShown = 120;  // files, and images of an epoch: each five times
std::vector<int64_t> shown() {
  std::vector<int64_t> all(kShown);
  for (size_t i = 0; i < all.size(); ++i) all[i] = int64_t(i) % kImages;
  return all;
}

// As configs/images_binary.yaml has it.
LoaderRun binary(const std::filesystem::path& files) {
  const auto store = image_files(files, kImages, 375, 500, 2, kKeepAll);
  return feed_of(
      data::ImageBatches(store, shown(),
                         {.batch = 8, .H = 224, .W = 224, .seed = kSeed, .augmentation = {.flip_horizontal = true}}),
      kShown);
}
// As configs/images_road.yaml has it; without a budget every image is decoded anew.
LoaderRun road_of(const std::filesystem::path& files, size_t budget) {
  const auto store = image_files(files, kImages, 360, 480, 11, budget);
  return feed_of(
      data::ImageBatches(store, shown(),
                         {.batch = 6,
                          .H = 256,
                          .W = 480,
                          .seed = kSeed,
                          .augmentation = {.flip_horizontal = true, .crop = 0.5, .brightness = 0.2, .contrast = 0.2}}),
      kShown);
}
// Everything that may happen to an image, and the strong view of the semi-supervised methods.
LoaderRun strong(const std::filesystem::path& files) {
  const auto store = image_files(files, kImages, 375, 500, 2, kKeepAll);
  const data::ImageAugmentation changes{.flip_horizontal = true,
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
  return feed_of(
      data::ImageBatches(
          store, shown(),
          {.batch = 8, .H = 224, .W = 224, .seed = kSeed, .augmentation = changes, .present = true, .strong = changes}),
      kShown);
}

// As configs/anomalies.yaml has it; with a blur that is drawn anew nothing can be kept.
LoaderRun spills(const std::filesystem::path& files, bool random_blur) {
  constexpr int kCount = 256;
  for (int i = 0; i < kCount; ++i)
    write_file(files / ("image_" + std::to_string(1000 + i) + ".png"),
               data::encode_png(data::spill_image(i, false, {.height = 108, .width = 192, .seed = kSeed}).image));
  const auto store = std::make_shared<const data::ImageStore>(data::load_image_folder({.path = files}).images,
                                                              data::MaskReader({}), 3, kKeepAll);
  const auto prepared = std::make_shared<const data::PreparedImages>(
      store, data::Preprocess{.sharpen = 5, .height = 28, .width = 48, .crop_height = 28, .crop_width = 28, .blur = 1});
  return feed_of(
      data::AnomalyBatches(prepared, all_of(kCount), {.batch = 128, .seed = kSeed, .random_blur = random_blur}),
      kCount);
}

LoaderRun sections(const std::filesystem::path&) {
  constexpr int64_t kCount = 64;
  return feed_of(
      data::FaultSections(
          {.synthetic = {.throw_ = {5, 30}, .noise = {0.05, 0.4}, .label = {2, 2}, .least_throw = 2, .seed = kSeed},
           .windows = nullptr,
           .sections = kCount,
           .batch = 8}),
      kCount);
}

LoaderRun wells_of(const data::BatchOptions& options) {
  const std::vector<data::Well> wells = data::synthetic_wells({.wells = 200, .seed = kSeed});
  const std::vector<int64_t> all = all_of(wells.size());
  data::WellBatches batches(wells, all, data::fit_normalisation(wells, all, {}), options);
  const int64_t windows = batches.windows();
  return feed_of(std::move(batches), windows);
}

int64_t values_of(const Shape& shape) {
  int64_t n = 1;
  for (int i = 0; i < shape.rank(); ++i) n *= shape[i];
  return n;
}
Tensor random_inputs(const Shape& shape) {
  RandomSequence random(kSeed, RandomStream::synthesize, 3);
  std::vector<float> values(size_t(values_of(shape)));
  for (float& v : values) v = random.uniform();
  return Tensor::from(shape, values);
}
Tensor random_labels(Shape shape, int classes) {
  RandomSequence random(kSeed, RandomStream::synthesize, 4);
  std::vector<int32_t> values(size_t(values_of(shape)));
  for (int32_t& v : values) v = int32_t(random.below(uint32_t(classes)));
  return Tensor::from(shape, std::span<const int32_t>(values));
}
Case supervised(AnyModule network, const Shape& input, const training::LossOptions& loss, int classes) {
  Shape positions;
  for (int i = 0; i + 1 < input.rank(); ++i) positions.push_back(input[i]);
  return {std::move(network), random_inputs(input), random_labels(positions, classes),
          [loss, classes](const AnyModule& n, const Tensor& x, const Tensor& labels) {
            return training::SegmentationLoss(loss, classes, {}, x.device())(n, x, labels);
          }};
}
constexpr int64_t usual(int batch, int64_t otherwise) { return batch > 0 ? batch : otherwise; }
Case binary_step(Size size) {
  return supervised(models::make_image2d_model("unet", {.in = 3, .out = 1}), {usual(size.batch, 8), 224, 224, 3},
                    {.terms = {{"bce", 1}, {"dice", 1}}}, 2);
}
Case road_step(Size size) {
  return supervised(models::make_image2d_model("unet", {.in = 3, .out = 11}), {usual(size.batch, 6), 256, 480, 3}, {},
                    11);
}
Case wells_step(Size size) {
  return supervised(AnyModule(models::UNet1d(models::UNet1dConfig{})), {usual(size.batch, 16), 512, 1}, {}, 5);
}
Case sections_step(Size size) {
  return supervised(models::make_section_model("unet", {.channels = {16, 32, 64, 128}}).module,
                    {usual(size.batch, 8), 128, 128, 1}, {.terms = {{"bce", 1}, {"dice", 1}}}, 2);
}
Case anomalies_step(Size size) {
  const models::AnyAutoencoder network = models::make_autoencoder("conv_ae_fc", {});
  const Tensor x = random_inputs({usual(size.batch, 128), 28, 28, 3});
  return {network.module(), x, x, [network](const AnyModule&, const Tensor& in, const Tensor& target) {
            return models::reconstruction_loss(network(in), target, models::Measure::sse);
          }};
}

constexpr Model kBinaryStep{"images_binary", "", binary_step}, kRoadStep{"images_road", "", road_step},
    kAnomaliesStep{"anomalies", "", anomalies_step}, kSectionsStep{"faults", "", sections_step},
    kWellsStep{"wells", "", wells_step};

const LoaderCase kLoaders[] = {
    {"wells", "windows of 512 samples of 200 wells with gain, shift and noise", "window",
     [](const std::filesystem::path&) {
       return wells_of(
           {.batch = 16, .window = 512, .seed = kSeed, .augmentation = {.gain = 0.05, .shift = 0.05, .noise = 0.05}});
     },
     kWellsStep, 16},
    {"wells_strong", "the same with strong views, for the semi-supervised methods", "window",
     [](const std::filesystem::path&) {
       return wells_of(
           {.batch = 16,
            .window = 512,
            .seed = kSeed,
            .augmentation = {.gain = 0.05, .shift = 0.05, .noise = 0.05},
            .anywhere = true,
            .strong = data::StrongView{.gain = 0.1, .drift = 0.3, .noise = 0.2, .stretch = 0.15, .hide = 0.1}});
     },
     kWellsStep, 16},
    {"images_binary", "375x500 scaled to 224x224, flipped", "image", binary, kBinaryStep, 8},
    {"images_road", "parts of 360x480 scaled to 256x480, flipped, brightness, contrast", "image",
     [](const std::filesystem::path& files) { return road_of(files, kKeepAll); }, kRoadStep, 6},
    {"images_decoded", "the same, of PNG files that are decoded every time", "image",
     [](const std::filesystem::path& files) { return road_of(files, 0); }, kRoadStep, 6},
    {"images_strong", "375x500 to 224x224, every change of kern images, and a strong view", "image", strong,
     kBinaryStep, 8},
    {"anomalies", "108x192 sharpened, to 28x48, its middle, blurred: prepared once", "image",
     [](const std::filesystem::path& files) { return spills(files, false); }, kAnomaliesStep, 128},
    {"anomalies_blur", "the same with a blur drawn anew: prepared every time", "image",
     [](const std::filesystem::path& files) { return spills(files, true); }, kAnomaliesStep, 128},
    {"faults", "synthetic sections of 128x128", "section", sections, kSectionsStep, 8},
};

// A folder of its own that goes with everything in it.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    static std::atomic<int> number{0};
#ifdef __unix__
    const auto process = int64_t(getpid());
#else
    const auto process = int64_t(std::chrono::steady_clock::now().time_since_epoch().count());
#endif
    path_ = std::filesystem::temp_directory_path() /
            ("kern_bench_loader_" + std::to_string(process) + "_" + std::to_string(number++));
    make_folder(path_);
  }
  ~TemporaryFolder() {
    std::error_code none;
    std::filesystem::remove_all(path_, none);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

}  // namespace

std::span<const LoaderCase> loaders() { return kLoaders; }

const LoaderCase& loader_of(const std::string& id) {
  std::string known;
  for (const LoaderCase& l : kLoaders) {
    if (id == l.id) return l;
    known += (known.empty() ? "" : ", ") + std::string(l.id);
  }
  throw Error("there is no loader '" + id + "'; they are " + known);
}

LoaderResult time_loader(const LoaderCase& loader, const LoaderOptions& options) {
  const TemporaryFolder folder;
  const LoaderRun source = loader.make(folder.path());
  LoaderResult result{.hash = 0xcbf29ce484222325};
  source.begin(0);
  while (source.next(&result.hash) > 0) {
  }
  int64_t epoch = 1, samples = 0;
  source.begin(epoch);
  source.next(nullptr);
  const double begin = now();
  double took = 0;
  do {
    const int64_t n = source.next(nullptr);
    samples += n;
    if (n == 0) source.begin(++epoch);
    took = now() - begin;
  } while (took < options.seconds || samples == 0);
  result.samples_per_second = double(samples) / took;
  return result;
}

}  // namespace kern::benchmarks
