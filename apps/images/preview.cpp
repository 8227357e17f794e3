#include <fmt/format.h>

#include "apps/images/source.h"
#include "apps/images/verbs.h"
#include "data/image_draw.h"
#include "engine/atomic_file.h"

namespace kern::apps {

void run_images_preview(const ImagesTrainConfig& c, Call& call) {
  constexpr size_t kRows = 6;
  constexpr uint32_t kEpochs = 6;
  const ImagesSource source = read_source(c.data, c.split);
  warn_and_check(source, c.data);
  check(!source.classes.empty(), "no classes are given: list them in classes= or classes_file=, or set masks=nonzero");
  const data::ImageSplit split = split_source(source, c.split);
  const std::vector<data::Rgb> palette = palette_of(class_list(source.classes));
  data::ImageBatchOptions options = batch_options(c);
  const data::ImageBatches changed(source.store, split.training, options);
  options.shuffle = false;
  const data::ImageBatches plain(source.store, split.training, options);
  std::vector<data::Image> cells;
  const size_t rows = std::min(kRows, split.training.size());
  for (size_t r = 0; r < rows; ++r) {
    const int64_t image = split.training[r * split.training.size() / rows];
    for (uint32_t e = 0; e <= kEpochs; ++e) {
      const data::ImageSample s = e == 0 ? plain.sample(0, image) : changed.sample(e - 1, image);
      cells.push_back(data::overlay(to_image(s), labels_of(s), palette, 0.4, palette.size() == 2));
    }
  }
  const std::filesystem::path out = c.out;
  if (out.has_parent_path()) make_folder(out.parent_path());
  write_file(out, data::encode_png(data::sheet(cells, int(kEpochs) + 1, 200)));
  fmt::print("{} images as they are and in {} epochs: {}\n", rows, kEpochs, c.out);
  call.figures.add("out", c.out);
}

}  // namespace kern::apps
