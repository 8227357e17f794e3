#include <fmt/format.h>

#include "apps/images/report.h"
#include "apps/images/source.h"
#include "apps/images/verbs.h"
#include "apps/training_run.h"
#include "engine/communicator.h"
#include "kernels/common/log.h"
#include "training/task_model.h"

namespace kern::apps {

void run_images_evaluate(const ImagesEvaluateConfig& c, Call& call) {
  const training::RunFolder run = open_results(c.run, c.overwrite);
  c.machine.apply();
  const ImagesModel model = load_images_model(training::find_model_file(c.model));
  model.module.move_to(c.machine.where());
  ImagesData data;
  data.path = c.data;
  data.image_dir = c.image_dir, data.mask_dir = c.mask_dir, data.mask_suffix = c.mask_suffix;
  data.masks = model.masks;
  data.classes = model.classes;
  data.ignore = model.ignore;
  data.ignore_unmapped = c.ignore_unmapped;
  data.strict = c.strict;
  data.grey = model.network.in == 1;
  const ImagesSource source = read_source(data, {});
  warn_and_check(source, data);
  const data::ImageStore& store = *source.store;
  std::vector<int64_t> masked, which;
  std::vector<std::string> names;
  for (const int64_t i : source.usable)
    if (const data::ImageFile& p = store.images()[size_t(i)]; !p.mask.empty()) {
      masked.push_back(i);
      names.push_back(p.id);
    }
  check(!masked.empty(), "no image of ", c.data, " has a mask: set mask_dir= or mask_suffix=");
  for (const int64_t i :
       chosen(c.images, {model.training_images, model.validation_images, model.test_images}, names, {"images", c.data}))
    which.push_back(masked[size_t(i)]);
  const ImagesEvaluation j = evaluate(model, store, which, c.inference);
  if (!communicator().root()) return;
  call.figures.add("images", int64_t(which.size()));
  add_figures(call.figures, j);
  write_report(run, ImagesReport{.title = "Images: evaluation of " + c.model,
                                 .config = call.keys.to_yaml(),
                                 .method = {},
                                 .model = &model,
                                 .store = &store,
                                 .training = {},
                                 .unlabelled = {},
                                 .validation = which,
                                 .evaluation = &j,
                                 .history = {},
                                 .skipped = source.skipped,
                                 .inference = c.inference,
                                 .images = c.report_images});
  run.write_result(call.figures.to_json());
  fmt::print("{} images: {}\nreport: {}\n", which.size(), terminal_text(figures_in_words(j)),
             run.file("report.html").string());
}

}  // namespace kern::apps
