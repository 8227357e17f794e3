#include "data/anomaly_inspect.h"

#include <algorithm>
#include <map>
#include <set>

#include "data/image.h"
#include "kernels/common/error.h"

namespace kern::data {
namespace {

constexpr int64_t kFewAnomalies = 20;
constexpr size_t kMaxTold = 20;  // of one kind

class Inspection {
 public:
  Inspection(const AnomalySet& set, const ImageStore& store) : set_(set), store_(store) {}

  void look_at_files() {
    for (const Problem& p : set_.skipped) add(Severity::warning, p.file, "left out: " + p.sentence, p.remedy);
    for (const std::string& note : set_.notes) add(Severity::note, "", note, "");
  }

  void look_at_counts(const AnomalySplit* split) {
    const int64_t normal = set_.count(Truth::normal), anomalous = set_.count(Truth::anomalous);
    if (normal < kLeastNormal)
      add(Severity::error, "", text("there is ", normal == 0 ? "no" : "only one", " image of good things"),
          "a model learns what is normal from good images alone: 50 or more show how they vary");
    else if (normal < kFewNormal)
      add(Severity::warning, "", text(normal, " good images show little of how good things vary"),
          "50 or more make a threshold that holds");
    if (anomalous == 0)
      add(Severity::note, "", "there are no anomalies: what share of them will be found cannot be known",
          "rule=quantile and rule=deviation work without them");
    else if (anomalous < kFewAnomalies)
      add(Severity::warning, "", text(anomalous, " anomalies are few to evaluate on"),
          "with fewer than 20 a found share of 1 means little");
    if (normal < kLeastNormal || !split) return;
    if (const std::string why = untrainable(store_, split->training); !why.empty())
      add(Severity::error, "", why, "look at the camera or the export of the images");
  }

  void look_at_masks() {
    int64_t with = 0, without = 0;
    for (size_t i = 0; i < set_.images.size(); ++i) {
      const AnomalyImage& p = set_.images[i];
      if (p.truth != Truth::anomalous || !store_.facts()[i].failure.empty()) continue;
      if (p.mask.empty()) {
        ++without;
        continue;
      }
      ++with;
      if (store_.facts()[i].class_pixels.size() > 1 && store_.facts()[i].class_pixels[1] == 0)
        add(Severity::warning, p.id, text("the mask of ", p.id, " marks nothing, though the image counts as a defect"),
            "correct the mask, or move the image to the good ones");
    }
    if (const std::string warning = masks_warning(set_, store_); !warning.empty())
      add(Severity::warning, "", warning, "if they are, set masks=zero");
    if (with > 0 && without > 0)
      add(Severity::note, "", text(without, " of ", with + without, " anomalies have no mask"),
          "they count for the images' figures, not for the pixels'");
  }

  void look_at_likeness(const AnomalySplit* split) {
    std::map<int64_t, const char*> part;
    if (split) {
      for (const int64_t i : split->training) part[i] = "training";
      for (const int64_t i : split->validation) part[i] = "validation";
      for (const int64_t i : split->test) part[i] = "test";
    }
    const std::vector<int64_t> group = group_equal(store_.facts());
    std::map<int64_t, size_t> first;
    size_t told = 0, more = 0;
    for (size_t i = 0; i < group.size(); ++i) {
      if (!store_.facts()[i].failure.empty()) continue;
      const auto [it, fresh] = first.emplace(group[i], i);
      if (fresh) continue;
      const AnomalyImage &a = set_.images[i], &b = set_.images[it->second];
      if (++told > kMaxTold) {
        ++more;
        continue;
      }
      if (a.truth != b.truth)
        add(Severity::warning, a.id,
            text(a.id, " is the same image as ", b.id, ", but one counts as ", to_string(a.truth), " and the other as ",
                 to_string(b.truth)),
            "keep the right one");
      else if (part.contains(int64_t(i)) && part.contains(int64_t(it->second)) &&
               part[int64_t(i)] != part[int64_t(it->second)])
        add(Severity::warning, a.id,
            text(a.id, " (", part[int64_t(i)], ") is the same image as ", b.id, " (", part[int64_t(it->second)],
                 "): the figures flatter"),
            "remove one of them");
      else add(Severity::note, a.id, text(a.id, " is the same image as ", b.id), "");
    }
    if (more > 0) add(Severity::note, "", text(more, " more images are copies of others"), "");
  }

  void look_at_kinds() {
    std::map<std::pair<int64_t, int64_t>, int64_t> sizes;
    std::vector<std::string> grey;
    int64_t colour = 0;
    for (size_t i = 0; i < set_.images.size(); ++i) {
      if (!store_.facts()[i].failure.empty()) continue;
      const AnomalyImage& p = set_.images[i];
      ++sizes[{p.H, p.W}];
      const ImageInfo info = image_info(p.image);
      if (info.channels <= 2 && !info.palette) grey.push_back(p.id);
      else ++colour;
    }
    if (sizes.size() > 1) {
      const auto& [small, n] = *sizes.begin();
      const auto& [large, m] = *sizes.rbegin();
      add(Severity::note, "",
          text("the images have ", sizes.size(), " sizes, from ", small.second, " x ", small.first, " to ",
               large.second, " x ", large.first),
          "all are scaled to size=HEIGHT,WIDTH; crop them to the same part of the thing where that distorts");
    }
    if (!grey.empty() && colour > 0)
      add(Severity::warning, grey.front(),
          text(grey.size(), " of ", int64_t(grey.size()) + colour, " images are grey among colours, the first is ",
               grey.front()),
          "a grey image can stand out by that alone: set grey=true to take all as grey, or remove them");
    else if (colour == 0 && !grey.empty() && store_.channels() == 3)
      add(Severity::note, "", "all images are grey", "grey=true makes auto-encoders three times smaller");
  }

  std::vector<Finding> sorted() {
    std::stable_sort(out_.begin(), out_.end(),
                     [](const Finding& a, const Finding& b) { return int(a.severity) > int(b.severity); });
    return std::move(out_);
  }

 private:
  void add(Severity severity, std::string where, std::string sentence, std::string remedy) {
    out_.push_back({severity, std::move(where), std::move(sentence), std::move(remedy)});
  }
  const AnomalySet& set_;
  const ImageStore& store_;
  std::vector<Finding> out_;
};

}  // namespace

std::string masks_warning(const AnomalySet& set, const ImageStore& store) {
  int64_t masks = 0, large = 0;
  for (size_t i = 0; i < set.images.size(); ++i) {
    const auto& pixels = store.facts()[i].class_pixels;
    if (set.images[i].mask.empty() || !store.facts()[i].failure.empty() || pixels.size() < 2) continue;
    ++masks;
    large += pixels[1] > pixels[0];
  }
  if (2 * large <= masks) return {};
  return text(large, " of ", masks,
              " masks cover more than half of their image: are they white where the thing is good? Then every figure "
              "of where defects are is upside down");
}

std::string untrainable(const ImageStore& store, const std::vector<int64_t>& training) {
  if (int64_t(training.size()) < kLeastNormal)
    return text("a single image trains: it does not show how good things vary; give 50 or more");
  std::set<uint64_t> different;
  for (const int64_t i : training) different.insert(store.facts()[size_t(i)].hash);
  if (different.size() == 1)
    return text("all ", training.size(),
                " training images are identical, pixel for pixel: nothing can be learnt of how good things vary");
  return {};
}

std::vector<Finding> inspect_anomalies(const AnomalySet& set, const ImageStore& store, const AnomalySplit* split) {
  Inspection inspection(set, store);
  inspection.look_at_files();
  inspection.look_at_counts(split);
  inspection.look_at_masks();
  inspection.look_at_likeness(split);
  inspection.look_at_kinds();
  return inspection.sorted();
}

}  // namespace kern::data
