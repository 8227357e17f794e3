#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "apps/anomalies/source.h"
#include "apps/anomalies/verbs.h"
#include "apps/new_config.h"
#include "data/anomaly_inspect.h"

namespace kern::apps {
namespace {

constexpr int64_t kFewToEvaluate = 19;  // good images that a quantile of 0.95 needs at least

int64_t masked(const data::AnomalySet& set) {
  return std::count_if(set.images.begin(), set.images.end(), [](const auto& p) { return !p.mask.empty(); });
}

// How a mask's name is made from its image's, where it is neither equal nor that with "_mask".
std::pair<std::string, std::string> mask_names(const AnomaliesData& d, const data::AnomalySet& set) {
  std::pair<std::string, std::string> best;
  int64_t most = masked(set);
  for (const auto& [from, to] : std::initializer_list<std::pair<const char*, const char*>>{{"_D_", "_GT_"},
                                                                                           {"_D", "_GT"},
                                                                                           {"_img", "_mask"},
                                                                                           {"_image", "_mask"},
                                                                                           {"_rgb", "_label"},
                                                                                           {"img", "mask"}}) {
    AnomaliesData other = d;
    other.mask_from = from, other.mask_to = to;
    if (const int64_t n = masked(data::load_anomaly_set(other.set())); n > most) most = n, best = {from, to};
  }
  return best;
}

}  // namespace

void run_anomalies_init(const AnomaliesInitConfig& c, Call& call) {
  NewConfig out(c.out, c.overwrite);
  AnomaliesData d{.path = c.data};
  const bool padim = !c.weights.empty();
  check(!padim || std::filesystem::exists(c.weights), "encoder.weights=", c.weights, " does not exist");
  std::tie(d.mask_from, d.mask_to) = mask_names(d, data::load_anomaly_set(d.set()));
  AnomaliesSource source = read_source(d);
  const std::string warning = data::masks_warning(source.set, *source.store);
  if (!warning.empty()) d.masks = data::MaskKind::zero;

  const data::AnomalySet& set = source.set;
  const int64_t good = set.count(data::Truth::normal), bad = set.count(data::Truth::anomalous), masks = masked(set);
  check(good >= data::kLeastNormal, good == 0 ? "no image" : "one image alone", " of ", c.data,
        " is good: put good images into a folder good/; a model learns from them alone");
  std::map<std::string, int64_t> kinds;
  std::vector<int64_t> heights, widths;
  bool grey = true;
  for (size_t i = 0; i < set.images.size(); ++i) {
    const data::AnomalyImage& p = set.images[i];
    if (p.truth == data::Truth::unknown) continue;
    if (p.truth == data::Truth::anomalous) ++kinds[p.kind];
    heights.push_back(p.H), widths.push_back(p.W);
    if (i % std::max<size_t>(1, set.images.size() / 12) != 0 || !grey) continue;
    const auto loaded = source.store->get(int64_t(i));
    const data::Image& image = loaded->image;
    for (int64_t at = 0; at < image.H * image.W && grey && image.C == 3; ++at)
      grey = image.pixels[size_t(3 * at)] == image.pixels[size_t(3 * at + 1)] &&
             image.pixels[size_t(3 * at)] == image.pixels[size_t(3 * at + 2)];
  }
  std::string words;
  for (const auto& [kind, n] : kinds) words += fmt::format("{}{} {}", words.empty() ? "" : ", ", n, kind);
  const bool split_given =
      std::any_of(set.images.begin(), set.images.end(), [](const auto& p) { return p.part == "train"; });

  out.comment(
      fmt::format("Made by kern anomalies init from {}: {} good images, {} defective{}; {} x {} to {} x {} pixels.",
                  c.data, good, bad, words.empty() ? "" : " (" + words + ")",
                  *std::min_element(widths.begin(), widths.end()), *std::min_element(heights.begin(), heights.end()),
                  *std::max_element(widths.begin(), widths.end()), *std::max_element(heights.begin(), heights.end())));
  for (size_t i = 0; i < std::min<size_t>(5, set.skipped.size()); ++i)
    out.comment("Left out: " + set.skipped[i].sentence);
  out.key("data", c.data);
  if (!d.mask_from.empty()) {
    out.key("mask_from", d.mask_from, "a mask has its image's name with this");
    out.key("mask_to", d.mask_to, "replaced by this");
  }
  if (masks > 0) {
    if (!warning.empty()) out.comment(warning);
    out.key("masks", std::string(d.masks == data::MaskKind::zero ? "zero" : "nonzero"),
            fmt::format("what of a mask is the defect; {} images have one", masks));
  }
  if (grey && !padim) out.key("grey", true, "no image has colours");
  out.blank();
  const double validation = 0.2, test = 0.2;
  if (split_given) {
    out.comment("The folders train/, validation/ and test/ say what trains, finds the threshold and evaluates it.");
  } else {
    out.key("validation", validation,
            padim ? "of the good images; with padim they train as well, and half of the defects validates"
                  : "of the good images, with half of the defects: finds the threshold");
    out.key("test", test, "and as many test it");
  }
  const auto validating = int64_t((padim && !split_given ? 1 - test : validation) * double(good));
  out.comment(
      bad == 0 ? "Without defects only the rules quantile and deviation can find a threshold, and nobody knows what "
                 "share of defects it finds."
      : bad < 20
          ? fmt::format("{} defects are too few for the rules that look at them (youden, f1, cost, recall): their "
                        "thresholds would move with every image.",
                        bad)
          : fmt::format("{} defects allow all rules: recall where none may be missed, cost where both errors have "
                        "a price. quantile is the one that lasts when new kinds of defects come.",
                        bad));
  if (!split_given && validating < kFewToEvaluate)
    out.comment(
        fmt::format("About {} good images find the threshold, and a quantile of 0.95 wants {}: it promises less.",
                    validating, kFewToEvaluate));
  out.key("rule", std::string("quantile"));
  out.key("quantile", 0.95, "expects no more than 5 % false alarms among good images to come");
  out.comment(
      "Several images of one thing (pieces of a sheet, exposures of a part)? Keep them together: group: name, or "
      "group: number with group.gap.");
  out.blank();
  if (padim) {
    out.key("model", std::string("padim"), "statistics of a pretrained encoder's features; no epochs");
    out.key("encoder.weights", c.weights);
    const auto side = std::clamp<int64_t>(
        std::max(*std::max_element(heights.begin(), heights.end()), *std::max_element(widths.begin(), widths.end())) /
            32 * 32,
        64, 224);
    out.key("size", std::vector<int>{int(side), int(side)});
  } else {
    out.comment(
        "An auto-encoder of small images. With weights of a pretrained MobileNetV2 (encoder.weights=) model: padim "
        "finds more, above all on surfaces with a texture: see docs/anomalies.md.");
    out.key("model", std::string("conv_ae_fc"));
    out.key("size", std::vector<int>{28, 28}, "height, width: what it was made for");
    const int batch = good >= 1000 ? 64 : 16;
    const int64_t training = std::max<int64_t>(1, int64_t((1 - validation - test) * double(good))),
                  updates = std::max<int64_t>(1, training / batch);
    out.key("batch", batch);
    out.key("epochs", std::clamp<int64_t>((1000 + updates - 1) / updates, 20, 300),
            fmt::format("of about {} updates", updates));
    out.key("lr", 0.001);
  }
  out.key("run", std::string("runs/") + std::filesystem::path(c.out).stem().string());

  AnomaliesTrainConfig check_it;
  training::Schema keys("kern anomalies train");
  describe_anomalies_train(keys, check_it);
  out.write(keys, "kern anomalies train " + c.out);
  call.figures.add("out", c.out);
  call.figures.add("good", good);
  call.figures.add("defective", bad);
  call.figures.add("masks", masks);
}

}  // namespace kern::apps
