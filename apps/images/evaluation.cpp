#include "apps/images/evaluation.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/ops/segmentation_score.h"
#include "training/shared_scores.h"

namespace kern::apps {

namespace {

constexpr size_t kTogether = 8;

using Loaded = std::shared_ptr<const data::LoadedImage>;

// What one image is worth: its own matrix, and the loss of its labelled pixels.
struct ImageScore {
  training::ConfusionMatrix matrix;
  double loss = 0;
};

// Row by row, as an image is predicted that goes through the network in parts.
ImageScore score_in_parts(const ImagesModel& model, const data::LoadedImage& p, const InferenceOptions& inference,
                          double threshold, const training::ClassList& classes) {
  ImageScore score{training::ConfusionMatrix(classes)};
  const int64_t K = model.class_count();
  predict_image(model, p.image, inference, [&](int64_t row, int64_t rows, std::span<const float> probabilities) {
    const uint8_t* truth = p.labels.at(row, 0);
    for (int64_t at = 0; at < rows * p.image.W; ++at) {
      if (truth[at] == data::kIgnoredPixel) continue;
      const auto of_pixel = probabilities.subspan(size_t(at * K), size_t(K));
      score.loss -= std::log(std::max(1e-30, double(of_pixel[truth[at]])));
      score.matrix.add(truth[at], training::choose_class(of_pixel, threshold));
    }
  });
  return score;
}

// In one batch, and counted where the network computes: a few numbers of each come back.
std::vector<ImageScore> score_together(const ImagesModel& model, std::span<const Loaded> images, data::ImageSize size,
                                       double threshold, const training::ClassList& classes) {
  std::vector<const data::Image*> rasters;
  for (const Loaded& p : images) rasters.push_back(&p->image);
  const Tensor probabilities = pass_together(model, rasters, size);
  std::vector<SegmentationScore> scores;
  for (size_t n = 0; n < images.size(); ++n) {
    const data::Labels& labels = images[n]->labels;
    std::vector<int32_t> truth(labels.pixels.size());
    std::transform(labels.pixels.begin(), labels.pixels.end(), truth.begin(),
                   [](uint8_t v) { return v == data::kIgnoredPixel ? -1 : int32_t(v); });
    const Tensor on_device = Tensor::from({1, labels.H, labels.W}, truth).to(probabilities.device());
    scores.push_back(segmentation_score(probabilities.batch_slice(int64_t(n), int64_t(n) + 1), on_device, threshold));
  }
  std::vector<ImageScore> out;
  for (const SegmentationScore& s : scores) {
    out.push_back({training::ConfusionMatrix(classes), double(s.loss.item())});
    const Tensor counts = s.counts.to(Device::cpu);
    out.back().matrix.add_counts({counts.data<int32_t>(), size_t(counts.size())});
  }
  return out;
}

// Images that go through the network at once, at that size; without one: a single image in parts.
struct Batch {
  std::vector<int64_t> images;
  std::optional<data::ImageSize> size;
};
std::vector<Batch> batches_of(const ImagesModel& model, const data::ImageStore& store, std::span<const int64_t> which,
                              const InferenceOptions& inference) {
  // No more pixels than so many of the training's images: what is validated may be larger.
  const int64_t most = int64_t(kTogether) * model.H * model.W;
  std::vector<Batch> batches;
  for (const int64_t i : which) {
    const data::ImageFacts& facts = store.facts()[size_t(i)];
    const auto size = whole_pass(model, {facts.H, facts.W}, inference);
    if (!batches.empty() && size && batches.back().size == size) {
      Batch& last = batches.back();
      if (last.images.size() < kTogether && int64_t(last.images.size() + 1) * size->H * size->W <= most) {
        last.images.push_back(i);
        continue;
      }
    }
    batches.push_back({{i}, size});
  }
  return batches;
}

}  // namespace

ImagesEvaluation evaluate(const ImagesModel& model, const data::ImageStore& store, std::span<const int64_t> which,
                          const InferenceOptions& inference, double threshold) {
  const training::ClassList classes = class_list(model.classes);
  ImagesEvaluation result{training::ConfusionMatrix(classes), 0, {}, {}};
  const std::vector<Batch> batches = batches_of(model, store, which, inference);
  const auto score = [&](int64_t b) {
    const auto& [images, size] = batches[size_t(b)];
    std::vector<Loaded> loaded;
    for (const int64_t i : images) loaded.push_back(store.get(i));
    std::vector<ImageScore> scores;
    if (size) scores = score_together(model, loaded, *size, threshold, classes);
    else scores.push_back(score_in_parts(model, *loaded[0], inference, threshold, classes));
    training::Parcel p;
    for (const ImageScore& s : scores) p.put(s.loss).put(s.matrix);
    return p;
  };
  double loss = 0;
  const auto take = [&](int64_t b, training::Parcel found) {
    for (const int64_t image : batches[size_t(b)].images) {
      loss += found.one<double>();
      const training::ConfusionMatrix own = found.matrix(classes);
      constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
      const bool any = own.total() > 0;
      EvaluatedImage evaluated{image, any ? own.accuracy() : kNone, any ? own.mean_iou() : kNone, own.total(), {}};
      for (int64_t k = 0; k < own.class_count(); ++k)
        evaluated.iou.push_back(own.support(k) + own.predicted(k) > 0 ? own.iou(k) : kNone);
      result.images.push_back(std::move(evaluated));
      result.tallies.emplace_back(own);
      result.matrix.merge(own);
    }
  };
  training::score_together(int64_t(batches.size()), score, take);
  const int64_t counted = result.matrix.total();
  result.loss = counted > 0 ? loss / double(counted) : 0;
  return result;
}

data::Labels predict_labels(const ImagesModel& model, const data::Image& image, const InferenceOptions& inference,
                            double threshold) {
  const int64_t K = model.class_count();
  data::Labels out = data::make_raster(image.H, image.W, 1);
  predict_image(model, image, inference, [&](int64_t row, int64_t rows, std::span<const float> p) {
    for (int64_t at = 0; at < rows * image.W; ++at)
      out.at(row, 0)[at] = uint8_t(training::choose_class(p.subspan(size_t(at * K), size_t(K)), threshold));
  });
  return out;
}

}  // namespace kern::apps
