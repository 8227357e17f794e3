#include "apps/images/judge.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace kern::apps {

ImagesJudgement judge(const ImagesModel& model, const data::ImageStore& store, std::span<const int64_t> which,
                      const Passing& passing, double threshold) {
  const training::ClassList classes = class_list(model.classes);
  ImagesJudgement result{training::ConfusionMatrix(classes), 0, {}, {}};
  const int64_t K = model.class_count();
  double loss = 0;
  for (const int64_t i : which) {
    const auto loaded = store.get(i);
    training::ConfusionMatrix own(classes);
    predict_picture(model, loaded->image, passing, [&](int64_t row, int64_t rows, std::span<const float> p) {
      const uint8_t* truth = loaded->labels.at(row, 0);
      for (int64_t at = 0; at < rows * loaded->image.W; ++at) {
        if (truth[at] == data::kIgnoredPixel) continue;
        const auto of_pixel = p.subspan(size_t(at * K), size_t(K));
        loss -= std::log(std::max(1e-30, double(of_pixel[truth[at]])));
        own.add(truth[at], choose_class(of_pixel, threshold));
      }
    });
    constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
    const bool any = own.total() > 0;
    JudgedPicture judged{i, any ? own.accuracy() : kNone, any ? own.mean_iou() : kNone, own.total(), {}};
    for (int64_t k = 0; k < K; ++k)
      judged.iou.push_back(own.support(k) + own.predicted(k) > 0 ? own.iou(k) : kNone);
    result.pictures.push_back(std::move(judged));
    result.tallies.emplace_back(own);
    result.matrix.merge(own);
  }
  const int64_t counted = result.matrix.total();
  result.loss = counted > 0 ? loss / double(counted) : 0;
  return result;
}

data::Labels predict_labels(const ImagesModel& model, const data::Image& picture, const Passing& passing,
                            double threshold) {
  const int64_t K = model.class_count();
  data::Labels out = data::make_raster(picture.H, picture.W, 1);
  predict_picture(model, picture, passing, [&](int64_t row, int64_t rows, std::span<const float> p) {
    for (int64_t at = 0; at < rows * picture.W; ++at)
      out.at(row, 0)[at] = uint8_t(choose_class(p.subspan(size_t(at * K), size_t(K)), threshold));
  });
  return out;
}

}  // namespace kern::apps
