#include <fmt/format.h>

#include "apps/anomalies/verbs.h"
#include "data/image_draw.h"
#include "data/spills_synthetic.h"
#include "engine/atomic_file.h"

namespace kern::apps {

void run_anomalies_synthesize(const AnomaliesSynthesizeConfig& c, Call& call) {
  namespace fs = std::filesystem;
  const fs::path out = c.out;
  data::SpillOptions stronger{.height = c.height, .width = c.width, .strength = c.strength, .seed = uint64_t(c.seed)};
  data::SpillOptions weaker = stronger;
  weaker.strength = c.test_strength, weaker.drift = c.drift;
  struct Part {
    const char* name;
    bool spill;
    int64_t count;
    const data::SpillOptions& options;
  };
  const Part parts[] = {{"train", false, c.training, stronger},
                        {"validation", false, c.validation, stronger},
                        {"validation", true, c.validation_spills, stronger},
                        {"test", false, c.test, weaker},
                        {"test", true, c.test_spills, weaker}};
  constexpr int64_t kDrawn = 8;  // of each part, on the sheet
  std::vector<data::Image> cells;
  int64_t number = 0, spills = 0;
  for (const Part& part : parts) {
    const char* kind = part.spill ? "spill" : "good";
    const fs::path folder = out / part.name / kind, masks = out / "ground_truth" / part.name / kind;
    if (part.count > 0) make_folder(folder);
    if (part.count > 0 && part.spill) make_folder(masks);
    for (int64_t i = 0; i < part.count; ++i, ++number) {
      const data::SpillImage p = data::spill_image(number, part.spill, part.options);
      const std::string name = fmt::format("{}_{:06}.png", kind, number);
      write_file(folder / name, data::encode_png(p.image));
      if (part.spill) write_file(masks / name, data::encode_png(p.mask));
      if (i < kDrawn) cells.push_back(p.image);
    }
    spills += part.spill ? part.count : 0;
  }
  const fs::path sheet = c.sheet;
  if (sheet.has_parent_path()) make_folder(sheet.parent_path());
  if (!c.sheet.empty()) write_file(sheet, data::encode_png(data::sheet(cells, int(kDrawn))));
  fmt::print("{} images of {} x {} in {}: {} train; validation {} good, {} spills; test {} good, {} spills\n", number,
             c.width, c.height, c.out, c.training, c.validation, c.validation_spills, c.test, c.test_spills);
  if (!c.sheet.empty()) fmt::print("look at {}\n", c.sheet);
  call.figures.add("images", number);
  call.figures.add("spills", spills);
  call.figures.add("out", c.out);
}

}  // namespace kern::apps
