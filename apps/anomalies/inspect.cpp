#include <fmt/format.h>

#include <map>
#include <optional>

#include "apps/anomalies/source.h"
#include "apps/anomalies/verbs.h"
#include "apps/findings.h"
#include "data/anomaly_inspect.h"
#include "data/image_draw.h"
#include "data/image_split.h"
#include "kernels/common/log.h"

namespace kern::apps {
namespace {

void write_sheet(const std::string& path, const AnomaliesSource& source) {
  constexpr size_t kMax = 48;
  std::vector<int64_t> usable;
  for (size_t i = 0; i < source.set.images.size(); ++i)
    if (source.store->facts()[i].failure.empty()) usable.push_back(int64_t(i));
  constexpr data::Rgb kPalette[] = {{0, 0, 0}, {230, 60, 40}};
  std::vector<data::Image> cells;
  for (const int64_t i : data::spread(usable, kMax)) {
    const auto loaded = source.store->get(i);
    cells.push_back(loaded->labels.H ? data::overlay(loaded->image, loaded->labels, kPalette, 0.4, true)
                                     : data::in_colours(loaded->image));
  }
  data::write_sheet(path, cells, 8);
  fmt::print("contact sheet: {}\n", path);
}

}  // namespace

void run_anomalies_inspect(const AnomaliesTrainConfig& c, Call& call) {
  const AnomaliesSource source = read_source(c.data);
  std::optional<data::AnomalySplit> split;
  if (source.set.count(data::Truth::normal) > 0) split = data::split_anomalies(source.set, c.split_options());
  std::map<int64_t, int> part;  // 0 training, 1 validation, 2 test
  if (split) {
    for (const int64_t i : split->validation) part[i] = 1;
    for (const int64_t i : split->test) part[i] = 2;
  }
  struct Row {
    data::Truth truth = data::Truth::unknown;
    int64_t part[3] = {0, 0, 0}, masks = 0;
  };
  std::map<std::string, Row> kinds;
  for (size_t i = 0; i < source.set.images.size(); ++i) {
    const data::AnomalyImage& p = source.set.images[i];
    if (p.truth == data::Truth::unknown) continue;
    Row& row = kinds[p.kind];
    row.truth = p.truth;
    row.masks += !p.mask.empty();
    ++row.part[part.contains(int64_t(i)) ? part[int64_t(i)] : 0];
  }
  const int64_t normal = source.set.count(data::Truth::normal), anomalous = source.set.count(data::Truth::anomalous);
  fmt::print("{} images: {} good, {} anomalies\n\n{:<24} {:<10} {:>9} {:>11} {:>6} {:>6}\n", normal + anomalous, normal,
             anomalous, "kind", "", "training", "validation", "test", "masks");
  for (const auto& [name, row] : kinds)
    fmt::print("{:<24} {:<10} {:>9} {:>11} {:>6} {:>6}\n", terminal_text(name), data::to_string(row.truth), row.part[0],
               row.part[1], row.part[2], row.masks);
  fmt::print("\n");
  call.figures.add("normal", normal);
  call.figures.add("anomalous", anomalous);
  say_findings(data::inspect_anomalies(source.set, *source.store, split ? &*split : nullptr), call);
  if (!c.sheet.empty()) write_sheet(c.sheet, source);
}

}  // namespace kern::apps
