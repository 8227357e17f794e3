#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>

#include "engine/atomic_file.h"
#include "kernels/common/error.h"
#include "tests/support/source_files.h"
#include "tests/training/xml_check.h"
#include "training/report/charts.h"
#include "training/report/segmentation_report.h"

namespace kern::training {
namespace {
namespace fs = std::filesystem;
using ::kern::testing::xml_fault;

const double kNan = std::nan(""), kInf = std::numeric_limits<double>::infinity();
const std::string kHostile = "<script>alert(\"x\")</script> & 'y' \x01\xff ]]>";

// A sequence that looks noisy and is the same everywhere.
struct Noise {
  uint64_t state = 1;
  double next() {  // in [-1, 1)
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    return double(state >> 40) / double(1 << 23) - 1;
  }
};

size_t times(const std::string& text, std::string_view part) {
  size_t n = 0;
  for (size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++n;
  return n;
}

void expect_sound(const Svg& svg) {
  for (const auto& markup : {svg.inline_markup(kHostile), svg.file_markup("an image")}) {
    EXPECT_EQ(xml_fault(markup), "");
    EXPECT_EQ(markup.find("nan"), markup.npos) << markup.substr(markup.find("nan") - 80, 160);
    EXPECT_EQ(markup.find("=\"inf"), markup.npos);
    EXPECT_EQ(markup.find("<script"), markup.npos);
  }
}

ClassList five_classes() { return make_classes({"background", "funnel", "box", "bell", "symmetrical"}); }

// A well like the synthetic ones: background and runs of facies in which the gamma ray falls.
WellTrack synthetic_well(int64_t length, uint64_t seed, double error_rate = 0.08) {
  Noise noise{seed};
  WellTrack w;
  w.id = "well " + std::to_string(seed);
  w.depth_unit = "m";
  w.curves = {{"GR", "gAPI", {}}, {"RDEP", "ohm.m", {}}, {"RHOB", "g/cm3", {}}, {"NPHI", "v/v", {}}};
  int facies = 0;
  int64_t left = 60, run = 60;
  for (int64_t i = 0; i < length; ++i) {
    if (left-- == 0) {
      facies = facies ? 0 : 1 + int((noise.next() + 1) * 2) % 4;
      run = left = 15 + int64_t((noise.next() + 1) * (facies ? 40 : 60));
    }
    const double t = double(left) / double(run);
    const double dip = facies == 0   ? 0
                       : facies == 1 ? 1 - t
                       : facies == 2 ? 1
                       : facies == 3 ? t
                                     : 1 - std::abs(2 * t - 1);
    w.depth.push_back(1200 + 0.1524 * double(i));
    w.curves[0].values.push_back(float(95 - 55 * dip + 8 * noise.next()));
    w.curves[1].values.push_back(float(std::pow(10, 0.6 + 1.3 * dip + 0.2 * noise.next())));
    w.curves[2].values.push_back(float(2.55 - 0.3 * dip + 0.04 * noise.next()));
    w.curves[3].values.push_back(i % 400 < 60 ? NAN : float(0.35 - 0.2 * dip + 0.03 * noise.next()));
    w.truth.push_back(facies);
    const bool wrong = t < error_rate * 2 || t > 1 - error_rate;
    w.prediction.push_back(wrong ? (facies + 2) % 5 : facies);
    for (int c = 0; c < 5; ++c)
      w.probabilities.push_back(c == w.prediction.back() ? float(0.8 - 0.5 * error_rate * (1 + noise.next())) : 0.05f);
  }
  return w;
}

ConfusionMatrix matrix_of(const std::vector<WellTrack>& wells) {
  ConfusionMatrix m(five_classes());
  for (const auto& w : wells) m.add(w.truth, w.prediction);
  return m;
}

TEST(XmlCheck, finds_what_is_broken) {
  EXPECT_EQ(xml_fault("<a b=\"1\"><c/>x &amp; y</a>"), "");
  for (const char* broken : {"", "<a>", "<a></b>", "<a b=1/>", "<a>&</a>", "<a/><b/>", "<a b=\"<\"/>",
                             "<a b=\"1\" b=\"2\"/>", "<a>\x01</a>", "<a"})
    EXPECT_NE(xml_fault(broken), "") << broken;
}

TEST(Svg, text_is_escaped_whatever_it_is) {
  EXPECT_EQ(escape("a<b>&\"'"), "a&lt;b&gt;&amp;&quot;&#39;");
  EXPECT_EQ(escape("d\xc3\xa9j\xc3\xa0 \xe2\x80\x93"), "d\xc3\xa9j\xc3\xa0 \xe2\x80\x93");
  EXPECT_EQ(escape("\xe9"), "\xef\xbf\xbd");                  // Latin-1
  EXPECT_EQ(escape("\xc0\xaf"), "\xef\xbf\xbd\xef\xbf\xbd");  // overlong
  EXPECT_EQ(escape("\xed\xa0\x80").size(), 9u);               // a surrogate
  EXPECT_EQ(escape(std::string_view("\0x", 2)), "\xef\xbf\xbdx");
  EXPECT_EQ(escape("\xf0\x9f\xaa\xa8"), "\xf0\x9f\xaa\xa8");
}

TEST(Svg, numbers_are_short_and_finite) {
  EXPECT_EQ(coordinate(1.5), "1.5");
  EXPECT_EQ(coordinate(-0.001), "0");
  EXPECT_EQ(coordinate(100), "100");
  EXPECT_EQ(coordinate(kNan), "0");
  EXPECT_EQ(coordinate(-kInf), "0");
  EXPECT_EQ(readable(kNan), "–");
  EXPECT_EQ(readable(0.123456), "0.1235");
  EXPECT_EQ(grouped(1234567), "1\u202f234\u202f567");
  EXPECT_EQ(grouped(-123), "-123");
}

TEST(Svg, a_line_breaks_at_missing_points) {
  Svg svg(10, 10);
  svg.polyline({{0, 0}, {1, 1}, {2, kNan}, {3, 3}, {kNan, 4}, {5, 5}, {6, 6}}, {});
  const auto markup = svg.inline_markup("x");
  EXPECT_NE(markup.find("d=\"M0 0L1 1M3 3h0M5 5L6 6\""), markup.npos) << markup;
}

TEST(Axis, ticks_are_round_and_cover_the_data) {
  const Axis a(0.13, 0.87, 100, 0);
  EXPECT_EQ(a.ticks().front().label, "0.1");
  EXPECT_EQ(a.ticks().back().label, "0.9");
  EXPECT_DOUBLE_EQ(a.pixel(0.5), 50);
  const Axis tight(3.2, 17.9, 0, 1, 5, true);
  EXPECT_DOUBLE_EQ(tight.low(), 3.2);
  EXPECT_EQ(tight.ticks().front().label, "4");
  EXPECT_EQ(tight.ticks().back().label, "16");
}

TEST(Axis, any_range_can_be_drawn) {
  const std::pair<double, double> ranges[] = {
      {0, 0}, {5, 5},          {-3, -3},         {kNan, 1},         {1, kInf},
      {9, 1}, {1e300, -1e300}, {1e-300, 2e-300}, {1e9, 1e9 + 1e-7}, {-1e-12, 1e-12}};
  for (const auto& [low, high] : ranges) {
    const Axis a(low, high, 0, 100);
    EXPECT_LT(a.low(), a.high()) << low << " " << high;
    EXPECT_GE(a.ticks().size(), 2u) << low << " " << high;
    EXPECT_LE(a.ticks().size(), 20u) << low << " " << high;
    for (const auto& t : a.ticks()) EXPECT_TRUE(std::isfinite(t.pixel)) << low << " " << high;
  }
}

TEST(Svg, labels_are_cut_at_characters) {
  EXPECT_EQ(cut_to_width("short", 100), "short");
  const std::string cyrillic =
      "\xd0\x9a\xd0\xb5\xd1\x80\xd0\xbd\xd0\x9a\xd0\xb5\xd1\x80\xd0\xbd\xd0\x9a\xd0\xb5\xd1\x80\xd0\xbd";
  for (double width : {0.0, 5.0, 20.0, 40.0, 60.0}) {
    const auto cut = cut_to_width(cyrillic, width);
    EXPECT_EQ(escape(cut), cut) << "no half characters at " << width;
    EXPECT_LE(text_width(cut), std::max(width, 7.0));
  }
  EXPECT_EQ(ink_on("#000000"), "#ffffff");
  EXPECT_EQ(ink_on("#f0e442"), "#000000");
}

TEST(Charts, a_line_chart_of_anything) {
  LineChart chart;
  chart.title = kHostile;
  chart.x_label = "epoch";
  chart.best_label = "best";
  chart.best_x = 2;
  expect_sound(line_chart(chart));  // no series, no points
  chart.x = {1};
  chart.series = {{kHostile, {0.5}, "#e69f00", Series::Mark::dots}};
  const auto one = line_chart(chart).inline_markup("x");
  EXPECT_EQ(times(one, "<circle"), 2u) << "one epoch: its dot and the legend's";
  expect_sound(line_chart(chart));
  chart.x = {1, 2, 3, 4};
  chart.series = {{"training", {0.9, kNan, kInf, 0.2}, "#e69f00", Series::Mark::dots},
                  {"none", {kNan, kNan, kNan, kNan}, "#000000"}};
  expect_sound(line_chart(chart));
  EXPECT_NE(line_chart(chart).inline_markup("x").find("1 infinite values left out"), std::string::npos);
  chart.series = {{"none", {kNan, kNan, kNan, kNan}, "#000000"}};
  EXPECT_NE(line_chart(chart).inline_markup("x").find("no values"), std::string::npos);
  chart.series[0].values.pop_back();
  EXPECT_THROW(line_chart(chart), InternalError);
}

TEST(Charts, a_bar_chart_of_anything) {
  BarChart chart;
  expect_sound(bar_chart(chart));
  chart.groups = {kHostile, "b"};
  chart.bars = {{"train", {0.25, kNan}, "#e69f00"}, {"validation", {-0.5, kInf}, "#0072b2"}};
  expect_sound(bar_chart(chart));
  chart.percent = true;
  chart.bars = {{"", {0, 0}, "#e69f00"}};
  expect_sound(bar_chart(chart));
  chart.groups.assign(500, "class");
  chart.bars = {{"", std::vector<double>(500, 1), "#e69f00"}};
  expect_sound(bar_chart(chart));
}

TEST(Charts, confusion_and_classes) {
  const auto m = matrix_of({synthetic_well(2000, 3)});
  const auto markup = confusion_chart(m, "Confusion").inline_markup("x");
  EXPECT_NE(markup.find("true background, predicted background: " + grouped(m.count(0, 0))), markup.npos);
  expect_sound(confusion_chart(m, kHostile));
  expect_sound(per_class_chart(m, kHostile));
  ConfusionMatrix empty(make_classes({kHostile}));  // one class, nothing counted
  expect_sound(confusion_chart(empty, "x"));
  expect_sound(per_class_chart(empty, "x"));
  EXPECT_NE(per_class_chart(empty, "x").inline_markup("x").find("absent"), std::string::npos);
  std::vector<std::string> names;
  for (int i = 0; i < 100; ++i) names.push_back("class " + std::to_string(i));
  ConfusionMatrix many(make_classes(names));
  for (int i = 0; i < 100; ++i) many.add(i, (i * 7) % 100);
  expect_sound(confusion_chart(many, "x"));
}

TEST(LogTracks, a_usual_well) {
  const auto well = synthetic_well(1100, 5);
  const auto svg = log_tracks(well, five_classes(), {.legend = true});
  expect_sound(svg);
  const auto markup = svg.inline_markup("x");
  for (const char* part : {"GR", "gAPI", "depth, m", "true", "predicted", "error", "probability", "symmetrical"})
    EXPECT_NE(markup.find(part), markup.npos) << part;
  EXPECT_NEAR(well.accuracy(), matrix_of({well}).accuracy(), 1e-12);
}

TEST(LogTracks, twenty_thousand_samples_stay_small) {
  auto well = synthetic_well(20000, 7, 0.2);
  EXPECT_LT(log_tracks(well, five_classes()).inline_markup("x").size(), 150'000u);
  // The worst: eight noisy curves, twelve classes that change at every sample, as unsure as can be.
  Noise noise;
  const auto classes = make_classes({"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"});
  well.curves.clear();
  well.probabilities.clear();
  for (int c = 0; c < 10; ++c) {
    well.curves.push_back({"C" + std::to_string(c), "", {}});
    for (int i = 0; i < 20000; ++i) well.curves.back().values.push_back(float(noise.next()));
  }
  for (int i = 0; i < 20000; ++i) {
    well.truth[size_t(i)] = int((noise.next() + 1) * 6);
    well.prediction[size_t(i)] = int((noise.next() + 1) * 6);
    for (int c = 0; c < 12; ++c) well.probabilities.push_back(float(noise.next() + 1));
  }
  const auto svg = log_tracks(well, classes);
  expect_sound(svg);
  const auto size = svg.inline_markup("x").size();
  EXPECT_LT(size, 150'000u);
  EXPECT_NE(svg.inline_markup("x").find("not shown: C8 C9"), std::string::npos);
  RecordProperty("worst_bytes", int(size));
}

TEST(LogTracks, curves_are_on_their_usual_scales) {
  const auto drawn = [](const std::string& name, const std::string& unit, double low, double high) {
    WellTrack w;
    w.curves = {{name, unit, {}}};
    for (int i = 0; i < 50; ++i) {
      w.depth.push_back(1000 + i);
      w.curves[0].values.push_back(float(low + (high - low) * i / 49));
    }
    return log_tracks(w, make_classes({"only"})).inline_markup("x");
  };
  const auto holds = [](const std::string& markup, const char* left, const char* right) {
    const size_t l = markup.find(std::string(">") + left + "<"), r = markup.find(std::string(">") + right + "<");
    return l != markup.npos && r != markup.npos && l < r;
  };
  EXPECT_TRUE(holds(drawn("NPHI", "v/v", 0.05, 0.3), "0.45", "−0.15") ||
              holds(drawn("NPHI", "v/v", 0.05, 0.3), "0.45", "-0.15"));
  EXPECT_TRUE(holds(drawn("RHOB", "G/C3", 2.1, 2.7), "1.95", "2.95"));
  EXPECT_TRUE(holds(drawn("GR", "gAPI", 20, 130), "0", "150"));
  EXPECT_TRUE(holds(drawn("DTC", "us/ft", 60, 110), "140", "40"));
  EXPECT_TRUE(holds(drawn("DTC", "us/ft", 60, 190), "240", "40")) << "shallow";
  EXPECT_FALSE(holds(drawn("GR", "", 0.2, 0.9), "0", "150")) << "somebody has scaled it";
  EXPECT_FALSE(holds(drawn("GRX", "gAPI", 20, 130), "0", "150"));
}

TEST(LogTracks, porosity_lies_over_density) {
  WellTrack w;
  w.id = "A";
  w.curves = {{"NPHI", "v/v", {}}, {"GR", "gAPI", {}}, {"RHOB", "g/cm3", {}}};
  for (int i = 0; i < 60; ++i) {
    w.depth.push_back(1000 + i);
    w.curves[0].values.push_back(0.1f + 0.004f * float(i));
    w.curves[1].values.push_back(40 + float(i));
    w.curves[2].values.push_back(2.1f + 0.01f * float(i));
  }
  const ClassList one = make_classes({"only"});
  const Svg together = log_tracks(w, one);
  expect_sound(together);
  const std::string markup = together.inline_markup("x");
  for (const char* name : {">NPHI<", ">GR<", ">RHOB<"}) EXPECT_NE(markup.find(name), markup.npos) << name;
  w.curves[2].name = "RXYZ";  // no density: a track of its own for each
  const Svg apart = log_tracks(w, one);
  EXPECT_LT(together.width(), apart.width());
  EXPECT_GT(together.height(), apart.height());
}

TEST(LogTracks, short_and_strange_wells) {
  const auto classes = five_classes();
  for (int64_t n : {0, 1, 2, 3}) expect_sound(log_tracks(synthetic_well(n, 1), classes));
  auto w = synthetic_well(500, 2);
  std::fill(w.curves[0].values.begin(), w.curves[0].values.end(), NAN);
  std::fill(w.curves[1].values.begin(), w.curves[1].values.end(), 3.f);
  w.curves[2].values[7] = float(kInf);
  w.curves[2].values[9] = 1e30f;
  std::fill(w.truth.begin(), w.truth.end(), -1);
  std::fill(w.probabilities.begin(), w.probabilities.end(), NAN);
  w.curves[0].name = w.curves[1].unit = w.id = w.depth_unit = kHostile;
  EXPECT_TRUE(std::isnan(w.accuracy()));
  expect_sound(log_tracks(w, classes));
  std::fill(w.depth.begin(), w.depth.end(), 1000.0);  // a depth that never moves
  expect_sound(log_tracks(w, classes));
  w.truth.clear();
  w.prediction.clear();
  w.probabilities.clear();
  w.curves.clear();
  expect_sound(log_tracks(w, classes));
}

TEST(LogTracks, a_gap_in_depth_stays_empty) {
  WellTrack w;
  w.id = "gap";
  w.curves = {{"GR", "", {}}};
  for (int i = 0; i < 40; ++i) {
    w.depth.push_back(i < 20 ? i : 1000 + i);
    w.curves[0].values.push_back(float(i % 5));
    w.prediction.push_back(0);
  }
  const auto markup = log_tracks(w, make_classes({"only"})).inline_markup("x");
  EXPECT_NE(markup.find("only, 0.0–19.0"), markup.npos) << "one run above the gap";
  EXPECT_NE(markup.find("only, 1020.0–1039.0"), markup.npos) << "and one below";
}

TEST(LogTracks, arrays_that_do_not_fit_are_ours_to_mend) {
  const auto classes = five_classes();
  auto w = synthetic_well(10, 1);
  w.truth[3] = 5;
  EXPECT_THROW(log_tracks(w, classes), InternalError);
  w = synthetic_well(10, 1);
  w.curves[0].values.pop_back();
  EXPECT_THROW(log_tracks(w, classes), InternalError);
  w = synthetic_well(10, 1);
  std::swap(w.depth[2], w.depth[3]);
  EXPECT_THROW(log_tracks(w, classes), InternalError);
}

TEST(Html, everything_is_escaped_and_well_formed) {
  HtmlDocument d(kHostile, kHostile);
  d.section(kHostile);
  d.subsection(kHostile);
  d.paragraph(kHostile);
  d.note(kHostile);
  d.key_figures({{kHostile, kHostile}});
  d.facts({{kHostile, kHostile}});
  d.raw_block(kHostile, kHostile);
  d.table({.columns = {{kHostile}}, .rows = {{{kHostile, {}, "#000000"}}}, .caption = kHostile});
  d.begin_row();
  d.figure(Svg(10, 10), kHostile);
  d.end_row();
  d.panels(kHostile, {{kHostile, Svg(10, 10), kHostile}, {"b", Svg(5, 5), ""}});
  const auto markup = d.markup();
  EXPECT_EQ(xml_fault(markup), "");
  EXPECT_EQ(times(markup, "<script"), 1u) << "only our own";
  for (const char* link : {"src=", "@import", "url(", "<link"}) EXPECT_EQ(markup.find(link), markup.npos) << link;
  EXPECT_EQ(times(markup, "http"), times(markup, "xmlns=\"http://www.w3.org/2000/svg\""))
      << "no address but the name space";
}

TEST(Html, the_best_of_a_column_is_marked) {
  HtmlDocument d("t");
  HtmlTable t;
  t.columns = {{"m"}, {"up", true, HtmlTable::Best::highest}, {"down", true, HtmlTable::Best::lowest}, {"none", true}};
  t.rows = {{{"a", {}, {}}, figure_cell(0.5), figure_cell(kNan), figure_cell(9)},
            {{"b", {}, {}}, figure_cell(0.7), figure_cell(2), figure_cell(9)},
            {{"c", {}, {}}, figure_cell(0.7), figure_cell(3), figure_cell(9)}};
  d.table(t);
  const auto markup = d.markup();
  EXPECT_EQ(times(markup, "class=\"n best\""), 3u);
  EXPECT_EQ(times(markup, "<td class=\"n best\">0.700</td>"), 2u) << "equals are both best";
  EXPECT_NE(markup.find("<td class=\"n best\">2.000</td>"), markup.npos);
  EXPECT_NE(markup.find("<td class=\"n\">–</td>"), markup.npos);
  t.rows[0].pop_back();
  EXPECT_THROW(d.table(t), InternalError);
}

TEST(SegmentationReport, wells_are_chosen_by_rank) {
  const std::vector<double> accuracy = {0.9, 0.1, kNan, 0.5, 0.7, 0.3, 0.8};
  const auto chosen = choose_wells(accuracy, 2, 1, 1);
  ASSERT_EQ(chosen.size(), 4u);
  EXPECT_EQ(chosen[0], (std::pair<size_t, std::string>(1, "worst 1")));
  EXPECT_EQ(chosen[1].first, 5u);
  EXPECT_EQ(chosen[2], (std::pair<size_t, std::string>(4, "median")));
  EXPECT_EQ(chosen[3], (std::pair<size_t, std::string>(0, "best 1")));
  EXPECT_EQ(choose_wells(std::vector<double>{0.5}, 6, 2, 2).size(), 1u) << "none twice";
  EXPECT_EQ(choose_wells(std::vector<double>{kNan, kNan}, 1, 0, 0).size(), 1u);
  EXPECT_TRUE(choose_wells({}).empty());
}

TEST(SegmentationReport, nothing_at_all) {
  const fs::path folder = fs::path(::testing::TempDir()) / ("kern_report_empty" + std::to_string(::getpid()));
  SegmentationReport content{.title = kHostile, .validation = ConfusionMatrix(make_classes({kHostile}))};
  content.history.emplace_back();
  content.history.back().epoch = 1;
  EXPECT_EQ(xml_fault(read_file(write_segmentation_report(folder, content))), "");
  content.history.clear();
  EXPECT_EQ(xml_fault(read_file(write_segmentation_report(folder, content))), "");
}

// Also the image of what a report looks like: it stays in the build folder as demo_report/report.html.
TEST(SegmentationReport, a_complete_one) {
  const fs::path folder = testing::build_file("demo_report");
  std::vector<WellTrack> wells;
  for (int i = 0; i < 24; ++i)
    wells.push_back(synthetic_well(i == 3 ? 20000 : 1100 + 40 * i, uint64_t(i + 1), 0.01 + 0.006 * ((i * 7) % 24)));
  SegmentationReport content{.title = "Facies of gamma ray logs: U-Net 1-D, supervised",
                             .validation = matrix_of(wells)};
  content.subtitle = "run wells_unet, 12 epochs, 24 validation wells";
  content.configuration =
      "data: logs/\nmodel: unet\nepochs: 12\nlr: 0.00025\nclasses: [background, funnel, box, bell, symmetrical]\n";
  content.facts = {{"device", "CPU, 2 threads"},
                   {"kernel rows", "conv1d=simd, instance_norm=simd"},
                   {"seed", "1"},
                   {"model", "sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}};
  content.remarks = {"1 of 25 files was skipped: bad.las has no ~A section."};
  content.splits = {{"train", 96, 150000, 140000, {73000, 17000, 16500, 17000, 16500}},
                    {"validation", 24, 52000, 52000, {}}};
  for (int64_t c = 0; c < 5; ++c) content.splits[1].class_samples.push_back(content.validation.support(c));
  for (int e = 1; e <= 12; ++e) {
    EpochFigures f;
    f.epoch = e;
    f.train_loss = 1.5 * std::exp(-0.3 * e) + 0.15;
    f.validation_loss = 1.4 * std::exp(-0.3 * e) + 0.2 + 0.004 * e * (e > 8);
    f.accuracy = 0.95 - 0.5 * std::exp(-0.4 * e);
    f.mean_iou = 0.85 - 0.7 * std::exp(-0.35 * e);
    f.macro_f1 = 0.9 - 0.6 * std::exp(-0.35 * e);
    f.learning_rate = 2.5e-4 * std::pow(1 - (e - 1) / 12.0, 0.9);
    f.seconds = 12.5;
    f.more = {{"loss_labelled", 0.4 / e}, {"loss_semi", e < 4 ? kNan : 0.3}, {"pseudo_accuracy", 0.5 + 0.03 * e}};
    content.history.push_back(f);
  }
  content.best_epoch = 9;
  ConfusionMatrix majority(five_classes());
  for (int64_t c = 0; c < 5; ++c)
    for (int64_t i = 0; i < content.validation.support(c); ++i) majority.add(int(c), 0);
  content.comparison = {{"always the commonest class", majority}};
  std::vector<double> accuracy;
  for (const auto& w : wells) {
    accuracy.push_back(w.accuracy());
    content.wells.push_back({w.id, int64_t(w.depth.size()), w.labelled(), w.accuracy(), matrix_of({w}).mean_iou()});
  }
  for (const auto& [i, why] : choose_wells(accuracy)) content.tracks.emplace_back(why, wells[i]);

  const auto path = write_segmentation_report(folder, content);
  const auto markup = read_file(path);
  EXPECT_EQ(xml_fault(markup), "");
  EXPECT_LT(markup.size(), 10u * 150'000u + 200'000u);
  for (const char* part : {"Summary", "best epoch", "9 of 12", "worst 1: well ", "always the commonest class",
                           "9f86d081", "was skipped", "Parts of the loss", "loss semi", "pseudo accuracy"})
    EXPECT_NE(markup.find(part), markup.npos) << part;
  size_t images = 0;
  for (const auto& entry : fs::directory_iterator(folder / "figures")) {
    EXPECT_EQ(xml_fault(read_file(entry.path())), "") << entry.path();
    ++images;
  }
  EXPECT_EQ(images, 8u + 10u);
  EXPECT_EQ(read_file(write_segmentation_report(folder, content)), markup) << "equal content makes equal bytes";
}

}  // namespace
}  // namespace kern::training
