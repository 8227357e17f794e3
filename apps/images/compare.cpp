#include "apps/images/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>

#include "apps/build_info.h"
#include "apps/images/report.h"
#include "apps/images/source.h"
#include "apps/images/verbs.h"
#include "training/report/segmentation_report.h"
#include "training/task_model.h"

namespace kern::apps {
namespace {
using namespace training;

ComparisonRules rules() { return comparison_rules("images", {"panels", "cache", "epochs_to"}); }

// A run, evaluated again by its model on the images that validated it.
struct Evaluated {
  ComparedRun run;
  ImagesModel model;
  ImagesEvaluation evaluation;
  std::shared_ptr<const data::ImageStore> store;

  const EvaluatedImage* find(const std::string& id) const {
    const auto at = std::ranges::find(evaluation.images, id, [&](const EvaluatedImage& p) { return id_of(p); });
    return at == evaluation.images.end() ? nullptr : &*at;
  }
  const std::string& id_of(const EvaluatedImage& p) const { return store->images()[size_t(p.image)].id; }
};

// Images as a run read them; read once for all runs that read them equally.
class Sources {
 public:
  std::shared_ptr<const data::ImageStore> of(const ImagesTrainConfig& c, const Settings& settings) {
    std::string key = c.data.path;
    for (const auto& [name, value] : settings)
      for (const char* reading : {"image_dir", "mask_dir", "mask_suffix", "masks", "classes", "classes_file", "ignore",
                                  "ignore_unmapped", "grey", "validation_image_dir", "validation_mask_dir"})
        if (name == reading) key += '|' + value;
    auto& store = read_[key];
    if (!store) store = read_source(c.data, c.split).store;
    return store;
  }

 private:
  std::map<std::string, std::shared_ptr<const data::ImageStore>> read_;
};

Evaluated evaluate_run(const std::string& folder, const std::string& data, Sources& sources) {
  ImagesTrainConfig c;
  Schema keys("images train");
  describe_images_train(keys, c);
  ComparedRun run = read_finished_run(folder, "images", keys);
  if (!data.empty()) c.data.path = data;
  c.data.unlabelled.clear();
  ImagesModel model = load_images_model(find_model_file(folder));
  auto store = sources.of(c, run.settings);
  std::map<std::string, int64_t> place;
  for (size_t i = 0; i < store->images().size(); ++i)
    if (store->facts()[i].failure.empty() && !store->images()[i].mask.empty())
      place.emplace(store->images()[i].id, int64_t(i));
  std::vector<int64_t> which;
  for (const std::string& id : model.validation_images) {
    check(place.count(id), "the image ", id, ", which validated ", folder, ", is not in ", c.data.path,
          " any more, or has no mask there: give the data of the runs as data=");
    which.push_back(place.at(id));
  }
  ImagesEvaluation j = evaluate(model, *store, which);
  set_evaluation(run, j.matrix, model.validation_images, "labelled_images", int64_t(model.training_images.size()));
  return {std::move(run), std::move(model), std::move(j), std::move(store)};
}

// Images that the last method changed most for the worse and for the better, and some between.
void add_images(Comparison& c, const std::vector<Evaluated>& all, int wanted) {
  constexpr size_t kMaxMethods = 6;
  const Evaluated& first = all[c.methods[0].runs[0]];
  const Evaluated& last = all[c.methods.back().runs[0]];
  std::vector<double> change;
  for (const EvaluatedImage& p : first.evaluation.images) {
    const EvaluatedImage* other = last.find(first.id_of(p));
    change.push_back(!other ? NAN : c.methods.size() > 1 ? other->mean_iou - p.mean_iou : p.mean_iou);
  }
  const size_t drawn = size_t(std::max(0, wanted)), third = drawn / 3;
  for (const auto& [i, why] : choose_wells(change, third, drawn - 2 * third, third)) {
    if (std::isnan(change[i])) continue;
    const std::string& id = first.id_of(first.evaluation.images[i]);
    std::vector<Opinion> opinions;
    std::string caption = "From left to right: image, truth";
    for (size_t m = 0; m < std::min(kMaxMethods, c.methods.size()); ++m) {
      const Evaluated& run = all[c.methods[m].runs[0]];
      const EvaluatedImage* own = run.find(id);
      if (!own) continue;  // another fold
      opinions.push_back({&run.model, run.store.get(), own->image});
      caption += fmt::format(", {} (mean IoU {:.3f})", m + 1, own->mean_iou);
    }
    const std::string name = c.methods.size() > 1 ? fmt::format("{}, {:+.3f}", id, change[i]) : id;
    c.panels.push_back({name, image_of(opinions_png(opinions), name), caption + "."});
  }
}

Comparison compare(const CompareConfig& config) {
  Sources sources;
  std::vector<Evaluated> all;
  Comparison c;
  c.item = "images";
  c.reach = config.reach;
  for (const std::string& folder : config.runs) {
    all.push_back(evaluate_run(folder, config.data, sources));
    c.runs.push_back(all.back().run);
  }
  group(c, rules());
  if (c.runs[0].matrix->class_count() == 2) c.curves.insert(c.curves.begin(), "binary_iou");
  add_images(c, all, config.shown);
  c.facts = {{"Kern", fmt::format("{} ({}, {})", build_info::kVersion, build_info::kBuildType, build_info::kCompiler)},
             {"Evaluated", "the best model of each run, again, on the images that validated it"},
             {"Data", "hash " + hash_text(all[0].store->hash())}};
  return c;
}

}  // namespace

void describe_images_compare(Schema& keys, CompareConfig& c) { describe_comparison(keys, c, "images"); }

void run_images_compare(const CompareConfig& config, Call& call) {
  config.machine.apply();
  finish_comparison(compare(config), config.out, call);
}

void run_images_study(const StudyConfig& config, Call& call) {
  run_study(config,
            {.command = "images train",
             .train = verb<ImagesTrainConfig>("train", "", describe_images_train, run_images_train),
             .rules = rules(),
             .figures = {"accuracy", "macro_f1", "mean_iou"},
             .compare = [](const std::vector<std::string>& runs,
                           const RunFolder& out) { report_comparison(compare({.runs = runs}), out); }},
            call);
}

}  // namespace kern::apps
