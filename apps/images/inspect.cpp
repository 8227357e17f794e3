#include <fmt/format.h>

#include <optional>

#include "apps/findings.h"
#include "apps/images/source.h"
#include "apps/images/verbs.h"
#include "data/image_draw.h"
#include "data/image_inspect.h"
#include "data/image_split.h"

namespace kern::apps {
namespace {

void write_sheet(const std::string& path, const ImagesSource& source) {
  constexpr int64_t kMax = 48;
  const std::vector<data::Rgb> palette =
      source.classes.empty() ? std::vector<data::Rgb>{} : palette_of(class_list(source.classes));
  std::vector<data::Image> cells;
  for (const int64_t i : data::spread(source.usable, kMax)) {
    const auto loaded = source.store->get(i);
    cells.push_back(loaded->labels.H ? data::overlay(loaded->image, loaded->labels, palette, 0.5, palette.size() == 2)
                                     : data::in_colours(loaded->image));
  }
  data::write_sheet(path, cells, 8);
  fmt::print("contact sheet: {}\n", path);
}

}  // namespace

void run_images_inspect(const ImagesTrainConfig& c, Call& call) {
  const ImagesSource source = read_source(c.data, c.split);
  const data::ImageStore& store = *source.store;
  int64_t labelled = 0, pixels = 0;
  std::vector<int64_t> all;
  for (const int64_t i : source.usable) {
    labelled += !store.images()[size_t(i)].mask.empty();
    pixels += store.images()[size_t(i)].H * store.images()[size_t(i)].W;
    all.push_back(i);
  }
  std::optional<data::ImageSplit> split;
  if (labelled >= 2) split = split_source(source, c.split);
  fmt::print("{} images ({} with masks), {} pixels", source.usable.size(), labelled, pixels);
  if (split) fmt::print("; {} train, {} validate", split->training.size(), split->validation.size());
  if (split && !split->test.empty()) fmt::print(", {} are kept for the test", split->test.size());
  fmt::print("\n");
  const std::vector<int64_t> counts = data::class_counts(store, all);
  int64_t total = 0, ignored = 0;
  for (const int64_t n : counts) total += n;
  for (const int64_t i : all) ignored += store.facts()[size_t(i)].ignored_pixels;
  if (!source.classes.empty()) fmt::print("\n{:<24} {:>14} {:>8}\n", "class", "pixels", "share");
  for (size_t k = 0; k < source.classes.size(); ++k)
    fmt::print("{:<24} {:>14} {:>7.2f}%\n", source.classes[k].name, counts[k],
               total > 0 ? 100 * double(counts[k]) / double(total) : 0.0);
  if (ignored > 0) fmt::print("{:<24} {:>14}\n", "takes no part", ignored);
  fmt::print("\n");
  call.figures.add("images", int64_t(source.usable.size()));
  call.figures.add("labelled", labelled);
  call.figures.add("class_pixels", counts);
  say_findings(inspect_images(store, source.classes, source.skipped, data::MaskReader(c.data.mask_options()),
                              split ? &*split : nullptr, c.data.ignore_unmapped),
               call);
  if (!c.sheet.empty()) write_sheet(c.sheet, source);
}

}  // namespace kern::apps
