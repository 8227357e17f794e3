#include "apps/anomalies/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "apps/build_info.h"
#include "data/image_draw.h"
#include "kernels/common/dispatch.h"
#include "kernels/common/parallel.h"
#include "training/intervals.h"
#include "training/progress.h"
#include "training/report/threshold_explorer.h"

namespace kern::apps {
namespace {
using namespace training;

constexpr int64_t kPanelCell = 224, kLeastCell = 112;

data::Image of_values(const data::Raster<float>& v) {
  data::Image out = data::make_raster(v.H, v.W, v.C);
  for (size_t i = 0; i < v.pixels.size(); ++i)
    out.pixels[i] = uint8_t(std::lround(255 * std::clamp(double(v.pixels[i]), 0.0, 1.0)));
  return data::in_colours(out);
}

// Small images magnified pixel by pixel, large ones scaled down.
data::Image in_cell(const data::Image& image) {
  const int64_t factor = std::max<int64_t>(1, kLeastCell / std::max<int64_t>(1, std::max(image.H, image.W)));
  if (factor > 1) return data::resize_nearest(image, image.H * factor, image.W * factor);
  return data::at_most(image, kPanelCell);
}

// Black, red, yellow, white.
data::Image of_map(std::span<const float> map, data::ImageSize size, double hot) {
  data::Image out = data::make_raster(size.H, size.W, 3);
  for (size_t i = 0; i < map.size(); ++i) {
    const double v = hot > 0 ? std::clamp(double(map[i]) / hot, 0.0, 1.0) : 0.0;
    for (int c = 0; c < 3; ++c)
      out.pixels[3 * i + size_t(c)] = uint8_t(std::lround(255 * std::clamp(3 * v - c, 0.0, 1.0)));
  }
  return out;
}

// The edge of what the mask marks, a pixel wide.
void draw_outline(data::Image& image, const data::Image& mask) {
  const uint8_t colour[] = {0, 255, 120};
  const auto marked = [&](int64_t y, int64_t x) {
    return y >= 0 && x >= 0 && y < mask.H && x < mask.W && *mask.at(y, x);
  };
  for (int64_t y = 0; y < mask.H; ++y)
    for (int64_t x = 0; x < mask.W; ++x)
      if (marked(y, x) && !(marked(y - 1, x) && marked(y + 1, x) && marked(y, x - 1) && marked(y, x + 1)))
        std::copy_n(colour, 3, image.at(y, x));
}

std::string interval_text(const Interval& i) { return fmt::format("{:.3f} to {:.3f}", i.low, i.high); }

void add_rules(Report& report, const AnomaliesReport& in) {
  if (in.model->rules.empty()) return;
  const Scores s = in.evaluation->scores();
  HtmlTable table;
  table.columns = {{"rule"},
                   {"threshold", true},
                   {"validation TPR", true},
                   {"unseen", true},
                   {"validation TNR", true},
                   {"unseen", true},
                   {in.evaluated + " TPR", true},
                   {in.evaluated + " TNR", true}};
  for (const RuleResult& r : in.model->rules) {
    const Rates rates = rates_at(s, r.threshold);
    table.rows.push_back({{r.rule + (r.rule == in.model->rule ? " (chosen)" : ""), {}, {}},
                          {readable(r.threshold), {}, {}},
                          figure_cell(r.rates.true_positive),
                          {interval_text(r.true_positive), {}, {}},
                          figure_cell(r.rates.true_negative),
                          {interval_text(r.true_negative), {}, {}},
                          figure_cell(rates.true_positive),
                          figure_cell(rates.true_negative)});
  }
  table.caption =
      (in.model->left_out
           ? std::string("Each rule found its threshold on the validation's anomalies and on all good images that "
                         "trained, each scored by the model without it. Unseen: ")
           : std::string("Each rule found its threshold on the validation images alone. Unseen: ")) +
      "95 % of what it gave on validation images that a resample had left out (bootstrap).";
  report.document().table(table);
  std::vector<std::pair<std::string, std::string>> words;
  for (const ThresholdRule& r : threshold_rules()) words.emplace_back(std::string(r.name), std::string(r.help));
  report.document().facts(words);
}

void add_kinds(Report& report, const AnomaliesReport& in) {
  struct Row {
    data::Truth truth = data::Truth::unknown;
    std::vector<double> scores;
  };
  std::map<std::string, Row> kinds;
  for (const EvaluatedAnomaly& j : in.evaluation->images) {
    const data::AnomalyImage& p = in.source->set.images[size_t(j.image)];
    kinds[p.kind].truth = p.truth;
    kinds[p.kind].scores.push_back(j.score);
  }
  const std::vector<double> normal = in.evaluation->scores().normal;
  HtmlTable table;
  table.columns = {{"kind"}, {"images", true}, {"called anomaly", true}, {"share", true}, {"AUROC against good", true}};
  for (const auto& [name, row] : kinds) {
    const auto called = std::count_if(row.scores.begin(), row.scores.end(),
                                      [&](double s) { return s > in.model->threshold.value_or(INFINITY); });
    table.rows.push_back({{name, {}, {}},
                          count_cell(int64_t(row.scores.size())),
                          count_cell(called),
                          figure_cell(double(called) / double(row.scores.size())),
                          row.truth == data::Truth::anomalous ? figure_cell(area_under_roc({normal, row.scores}))
                                                              : HtmlTable::Cell{"", {}, {}}});
  }
  report.document().section("Kinds");
  report.document().table(table);
}

// The false alarms of the highest scores, the missed anomalies of the lowest, then good ones and anomalies found.
void add_images(Report& report, const AnomaliesReport& in) {
  const double line = in.model->threshold.value_or(INFINITY);
  std::vector<const EvaluatedAnomaly*> by_score;
  for (const EvaluatedAnomaly& j : in.evaluation->images)
    if (j.truth != data::Truth::unknown) by_score.push_back(&j);
  std::stable_sort(by_score.begin(), by_score.end(), [](auto* a, auto* b) { return a->score > b->score; });
  std::vector<const EvaluatedAnomaly*> wrong[2], right[2];  // of good ones, of anomalies
  for (const EvaluatedAnomaly* j : by_score) {
    const bool anomaly = j->truth == data::Truth::anomalous, called = j->score > line;
    (anomaly == called ? right : wrong)[anomaly].push_back(j);
  }
  std::reverse(wrong[1].begin(), wrong[1].end());
  const size_t share = size_t(std::max(0, in.images)) / 4;
  if (by_score.empty() || share == 0) return;
  report.document().section("Images");
  report.document().paragraph(
      in.model->is_padim()
          ? fmt::format(
                "From left to right: what the model sees, and how unusual each place is; one scale for all. "
                "Green: the outline of the defect's mask.{}",
                in.model->whole ? " The score adds to the largest value how unusual the image is as a whole." : "")
          : "From left to right: what the model sees, its reconstruction, and the error of every place; "
            "one scale for all. Green: the outline of the defect's mask.");
  auto add = [&](const char* title, const std::vector<const EvaluatedAnomaly*>& which) {
    std::vector<HtmlDocument::Panel> panels;
    for (size_t i = 0; i < std::min(share, which.size()); ++i) {
      const data::AnomalyImage& p = in.source->set.images[size_t(which[i]->image)];
      const int64_t one[] = {which[i]->image};
      panels.push_back({p.id, image_of(panel_png(*in.model, *in.source, one, in.model->hot), p.id),
                        fmt::format("{}: score {}, threshold {}", p.id, readable(which[i]->score), readable(line))});
    }
    if (panels.empty()) return;
    report.document().subsection(fmt::format("{} ({})", title, which.size()));
    for (const auto& panel : panels) report.document().figure(panel.image, panel.caption);
  };
  add("Worst false alarms", wrong[0]);
  add("Missed anomalies", wrong[1]);
  add("Anomalies found", right[1]);
  add("Good images left in peace, the highest scores first", right[0]);
}

// Those next to the threshold, where it decides, with their sizes; scores.csv has all.
void add_table(Report& report, const AnomaliesReport& in) {
  constexpr size_t kMaxRows = 50;
  const double line = in.model->threshold.value_or(0);
  std::vector<const EvaluatedAnomaly*> order;
  for (const EvaluatedAnomaly& j : in.evaluation->images) order.push_back(&j);
  if (order.empty()) return;
  std::stable_sort(order.begin(), order.end(),
                   [&](auto* a, auto* b) { return std::abs(a->score - line) < std::abs(b->score - line); });
  HtmlTable table;
  table.columns = {{"image"}, {"kind"}, {"width x height"}, {"score", true}, {"called"}};
  for (size_t i = 0; i < std::min(kMaxRows, order.size()); ++i) {
    const data::AnomalyImage& p = in.source->set.images[size_t(order[i]->image)];
    table.rows.push_back({{p.id, {}, {}},
                          {p.kind, {}, {}},
                          {fmt::format("{} x {}", p.W, p.H), {}, {}},
                          {readable(order[i]->score), {}, {}},
                          {in.model->threshold && order[i]->score > line ? "anomaly" : "good", {}, {}}});
  }
  table.caption =
      order.size() > kMaxRows
          ? fmt::format("The {} of {} that score next to the threshold; scores.csv has all.", kMaxRows, order.size())
          : "Those next to the threshold first; scores.csv has the same.";
  report.document().subsection("Image by image");
  report.document().table(table);
}

std::vector<std::pair<std::string, std::string>> facts_of(const AnomaliesReport& in) {
  std::string rows;
  for (const auto& [op, row] : kernels::impls_used()) rows += (rows.empty() ? "" : ", ") + op + "=" + row;
  const AnomaliesModel& m = *in.model;
  const data::Preprocess& p = m.chain;
  std::vector<std::pair<std::string, std::string>> facts{
      {"Kern", fmt::format("{} ({}, {})", build_info::kVersion, build_info::kBuildType, build_info::kCompiler)},
      {"Device", m.module.device() == Device::cpu ? fmt::format("cpu, {} threads", thread_count()) : "cuda"},
      {"Kernel rows that served", rows},
      {"Model", fmt::format("{}, {} parameters", m.architecture, m.module.parameter_count())},
      {"Input",
       fmt::format("{} channels, sharpened by {:g}, resized to {} x {}, the middle {} x {} of it, blurred by {:g}",
                   p.channels, p.sharpen, p.height, p.width, m.size().H, m.size().W, p.blur)},
      {"Made by", m.provenance},
      {"Data", fmt::format("hash {:016x}", in.source->store->hash())},
      {"Scored", fmt::format("{} images a second", format_rate(double(in.evaluation->images.size()) /
                                                               std::max(1e-9, in.evaluation->seconds)))}};
  if (in.seconds > 0) facts.emplace_back("Time in training", format_duration(in.seconds));
  return facts;
}

}  // namespace

std::string anomalies_panel_name(int epoch) { return training::panel_file(epoch); }

std::string panel_png(const AnomaliesModel& model, const AnomaliesSource& source, std::span<const int64_t> which,
                      double hot) {
  std::vector<data::Image> images, cells;
  for (const int64_t i : which) images.push_back(source.store->get(i)->image);
  const std::vector<ScoredImage> scored = score_images(model, images, false);
  if (hot <= 0)
    for (const ScoredImage& p : scored)
      for (const float v : p.map) hot = std::max(hot, double(v));
  for (size_t k = 0; k < scored.size(); ++k) {
    const ScoredImage& p = scored[k];
    cells.push_back(in_cell(of_values(p.prepared)));
    if (p.reconstruction.H > 0) cells.push_back(in_cell(of_values(p.reconstruction)));
    data::Image map = of_map(p.map, model.size(), hot);
    if (!source.set.images[size_t(which[k])].mask.empty())
      draw_outline(map, data::prepare_mask(source.store->get(which[k])->labels, model.chain));
    cells.push_back(in_cell(map));
  }
  return data::encode_png(data::sheet(cells, model.is_padim() ? 2 : 3, kPanelCell));
}

void write_report(const RunFolder& run, const AnomaliesReport& in) {
  const Scores s = in.evaluation->scores();
  Report report(run.path(), in.title, in.model->architecture);
  auto& document = report.document();
  document.section("Summary");
  std::vector<std::pair<std::string, std::string>> key;
  const double auroc = area_under_roc(s);
  if (!std::isnan(auroc))
    key.emplace_back(with_interval("AUROC, " + in.evaluated, auroc_interval(s)), fmt::format("{:.3f}", auroc));
  if (in.model->threshold) {
    const Rates r = rates_at(s, *in.model->threshold);
    const auto share = [](double rate, size_t n) { return share_interval(std::lround(rate * double(n)), int64_t(n)); };
    if (!std::isnan(r.true_positive))
      key.emplace_back(with_interval("TPR: anomalies found", share(r.true_positive, s.anomalous.size())),
                       fmt::format("{:.3f}", r.true_positive));
    if (!std::isnan(r.true_negative))
      key.emplace_back(with_interval("TNR: good left in peace", share(r.true_negative, s.normal.size())),
                       fmt::format("{:.3f}", r.true_negative));
    key.emplace_back("threshold, rule " + in.model->rule, readable(*in.model->threshold));
  }
  if (const auto alarms = in.model->false_alarms())
    key.emplace_back(fmt::format("expected false alarms (90 % range {:.1f} to {:.1f} %)", 100 * alarms->range.low,
                                 100 * alarms->range.high),
                     fmt::format("{:.1f} %", 100 * alarms->expected));
  if (!std::isnan(in.evaluation->pixel_auroc)) {
    key.emplace_back("pixel AUROC", fmt::format("{:.3f}", in.evaluation->pixel_auroc));
    key.emplace_back("PRO", fmt::format("{:.3f}", in.evaluation->region_overlap));
  }
  document.key_figures(key);
  if (!std::isnan(auroc))
    document.paragraph(
        fmt::format("In brackets: 95 % intervals from {} good images and {} anomalies (AUROC by bootstrap, shares by "
                    "Wilson).",
                    s.normal.size(), s.anomalous.size()));
  if (const AlarmsSeen seen = alarms_seen(*in.model, s); !seen.sentence.empty())
    document.paragraph("On the " + in.evaluated + " images " + seen.sentence + ".");
  for (const std::string& warning : in.warnings) document.note("Warning about the threshold: " + warning + ".");
  if (!in.suspects.empty()) {
    std::string names;
    for (size_t i = 0; i < std::min<size_t>(20, in.suspects.size()); ++i) names += (i ? ", " : "") + in.suspects[i];
    document.note(fmt::format("{} of the good images score like anomalies; look whether they are defective: {}{}",
                              in.suspects.size(), names, in.suspects.size() > 20 ? " ..." : "."));
  }
  for (const data::Problem& p : in.source->set.skipped) document.note(to_string(p));
  if (s.normal.empty() && s.anomalous.empty()) document.note("There was no image to evaluate on.");
  document.section("Threshold");
  if (in.model->threshold && !(s.normal.empty() && s.anomalous.empty())) {
    document.paragraph(fmt::format("On the {} images: {} good ones, {} anomalies.", in.evaluated, s.normal.size(),
                                   s.anomalous.size()));
    ThresholdView view{.scores = s, .threshold = *in.model->threshold, .level = in.level, .rules = {}};
    for (const RuleResult& r : in.model->rules) view.rules.emplace_back(r.rule, r.threshold);
    add_threshold_explorer(report, "threshold", view);
    if (!std::isnan(auroc)) {
      const auto both = both_at_least(s, in.level);
      document.paragraph(both ? fmt::format("On these images both rates reach {:g} at thresholds from {} to {}.",
                                            in.level, readable(both->low), readable(both->high))
                              : fmt::format("On these images no threshold brings both rates to {:g}.", in.level));
    }
  }
  add_rules(report, in);
  if (!std::isnan(auroc)) {
    document.begin_row();
    report.figure("roc", roc_chart(s), "");
    report.figure("precision_recall", precision_recall_chart(s), "");
    document.end_row();
  }
  if (!in.history.empty()) {
    std::vector<EpochFigures> history;
    for (const EpochRecord& e : in.history) history.push_back(epoch_figures(e));
    add_history(report, history, in.best_epoch);
  }
  if (!in.evaluation->images.empty()) add_kinds(report, in);
  add_images(report, in);
  add_table(report, in);
  add_provenance(report, facts_of(in), in.config);
  report.write();
}

}  // namespace kern::apps
