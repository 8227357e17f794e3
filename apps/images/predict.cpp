#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "apps/images/images_model.h"
#include "apps/images/verbs.h"
#include "data/image_draw.h"
#include "data/image_folder.h"
#include "engine/agreement.h"
#include "engine/atomic_file.h"
#include "kernels/common/log.h"
#include "training/shared_work.h"
#include "training/task_model.h"

namespace kern::apps {
namespace {
namespace fs = std::filesystem;

struct Job {
  fs::path from, to;  // to: without ending
  fs::path mask() const { return fs::path(to) += ".png"; }
  fs::path overlay() const { return fs::path(to) += "_overlay.png"; }
  fs::path probability() const { return fs::path(to) += "_probability.png"; }
  std::array<fs::path, 3> outputs() const { return {mask(), overlay(), probability()}; }
};

// What is written where. All that can be refused is refused here, before the work begins.
std::vector<Job> plan(const ImagesPredictConfig& c) {
  const data::FoundImages found = data::find_images(c.data);
  const fs::path out = c.out, root = found.root.empty() ? fs::path(".") : found.root;
  const fs::path inside = fs::weakly_canonical(out).lexically_relative(fs::canonical(root));
  const bool within = found.files.size() > 1 && !inside.empty() && *inside.begin() != "..";
  check(!within || !fs::is_directory(fs::path(c.data)), "out=", c.out, " lies in the folder of the data, ", c.data,
        ": predictions would mix with it; choose another folder");
  std::vector<Job> jobs;
  std::map<fs::path, int> wanted;  // by how many images
  for (const fs::path& from : found.files) {
    Job job{from, out / (found.root.empty() ? from.filename() : from.lexically_relative(root))};
    job.to.replace_extension();
    for (const fs::path& to : job.outputs()) ++wanted[to];
    jobs.push_back(std::move(job));
  }
  // a.png and a.jpg, or x.png and x_overlay.png: such images keep their whole name, a.jpg.png.
  std::map<fs::path, fs::path> taken;
  for (Job& job : jobs) {
    const auto outputs = job.outputs();
    if (std::any_of(outputs.begin(), outputs.end(), [&](const fs::path& to) { return wanted[to] > 1; }))
      job.to += job.from.extension();
    for (const fs::path& to : job.outputs()) {
      const auto [other, first] = taken.try_emplace(to, job.from);
      check(first, other->second.string(), " and ", job.from.string(), " would both be written to ", to.string(),
            "; rename one of them");
    }
  }
  for (const Job& job : jobs) {
    const fs::path& from = job.from;
    for (const fs::path& to : job.outputs()) {
      check(!fs::exists(to) || !fs::equivalent(data::file_of(from), to), "out=", c.out,
            " is the folder of the data: the prediction would replace ", from.string(), "; choose another");
      check(c.overwrite || !fs::exists(to), to.string(),
            " is there already; choose another out= folder, or set overwrite=true");
    }
  }
  return jobs;
}

struct Outputs {
  std::string mask, overlay, probability;  // as files
};

Outputs predict_file(const ImagesModel& model, const ImagesPredictConfig& c, const fs::path& from,
                     std::span<const data::Rgb> palette) {
  const data::Image image = data::read_image(from, model.network.in);
  const int64_t K = model.class_count();
  data::Image probability;
  if (c.probabilities) probability = data::make_raster(image.H, image.W, 1);
  const data::Labels labels = label_image(model, image, c.inference, c.threshold, from.string(),
                                          [&](int64_t row, int64_t rows, std::span<const float> p) {
                                            for (int64_t at = 0; c.probabilities && at < rows * image.W; ++at) {
                                              const auto of_pixel = p.subspan(size_t(at * K), size_t(K));
                                              const auto k = size_t(training::choose_class(of_pixel, c.threshold));
                                              const float shown = std::clamp(of_pixel[K == 2 ? 1 : k], 0.0f, 1.0f);
                                              probability.at(row, 0)[at] = uint8_t(std::lround(255 * shown));
                                            }
                                          });
  Outputs out;
  out.mask = data::encode_png(labels, palette);
  constexpr int kFast = 1;  // of zlib: the usual 6 takes as long as the network, for a tenth less
  if (c.overlay) out.overlay = data::encode_png(data::overlay(image, labels, palette, 0.5, K == 2), {}, kFast);
  if (c.probabilities) out.probability = data::encode_png(probability, {}, kFast);
  return out;
}

}  // namespace

void run_images_predict(const ImagesPredictConfig& c, Call& call) {
  c.machine.apply();
  const ImagesModel model = load_images_model(training::find_model_file(c.model));
  model.module.move_to(c.machine.where());
  const std::vector<data::Rgb> palette = palette_of(class_list(model.classes));
  std::vector<Job> jobs;
  together([&] { jobs = plan(c); });  // before any rank writes
  int64_t done = 0, skipped = 0;
  const auto predict = [&](int64_t i) {  // why it was skipped, or nothing
    const Job& job = jobs[size_t(i)];
    Outputs out;
    try {
      out = predict_file(model, c, job.from, palette);
    } catch (const InternalError&) {
      throw;
    } catch (const Error& e) {  // of the file's own making; what goes wrong in writing ends the command
      if (c.strict) throw;
      return e.sentence();
    }
    make_folder(job.to.has_parent_path() ? job.to.parent_path() : fs::path("."));
    write_file(job.mask(), out.mask);
    if (c.overlay) write_file(job.overlay(), out.overlay);
    if (c.probabilities) write_file(job.probability(), out.probability);
    return std::string();
  };
  together([&] {
    training::share_work(0, int64_t(jobs.size()), {.unit = predict, .told = [&](const training::UnitDone& file) {
                                                     file.said.empty() ? ++done : ++skipped;
                                                     if (!file.said.empty())
                                                       warn(training::of_rank(file), "skipped: ", file.said);
                                                   }});
  });
  check(done > 0, "none of the ", int64_t(jobs.size()), " images in ", c.data,
        " could be used; the reasons stand above");
  fmt::print("{} images predicted, {} skipped; written to {}\n", done, skipped, c.out);
  call.figures.add("images", done);
  call.figures.add("skipped", skipped);
  call.figures.add("out", c.out);
}

}  // namespace kern::apps
