#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "apps/faults/verbs.h"
#include "apps/new_config.h"
#include "data/segy_inspect.h"
#include "kernels/common/log.h"

namespace kern::apps {

void run_faults_init(const FaultsInitConfig& c, Call& call) {
  NewConfig out(c.out, c.overwrite);
  check(std::filesystem::is_regular_file(c.data), c.data, " is no file: data= names one SEG-Y file of the survey");
  const data::SegyFile file(c.data, c.places);
  const data::SegyGeometry geometry(file);
  const data::SegySummary summary = data::inspect_segy(file, geometry);
  const data::SegyLayout& layout = file.layout();
  check(summary.amplitudes.deviation > 0, c.data, " holds no amplitudes: there is nothing to be alike to");

  if (summary.amplitudes.least >= 0)
    warn(c.data, " holds no value below 0 (", summary.amplitudes.least, " to ", summary.amplitudes.most,
         "): are these labels or an attribute? Name the file of the amplitudes");

  out.comment(fmt::format(
      "Made by kern faults init from {}: {}, {} traces, {} inlines, {} crosslines, {} samples{}.", c.data,
      to_string(geometry.kind()), file.traces(), geometry.inlines().size(), geometry.crosslines().size(),
      layout.samples, layout.interval > 0 ? fmt::format(" every {:g} {}", layout.interval / 1000, layout.unit()) : ""));
  for (const std::string& finding : summary.findings) out.comment("Odd: " + finding);
  if (c.places.il != data::SegyOptions().il) out.key("il", c.places.il);
  if (c.places.xl != data::SegyOptions().xl) out.key("xl", c.places.xl);
  if (c.places.x != data::SegyOptions().x) out.key("x", c.places.x);
  if (c.places.y != data::SegyOptions().y) out.key("y", c.places.y);
  out.blank();
  out.comment(
      "The network learns from sections that are made on the way, with faults that are known. They are like the "
      "survey's where that can be measured; how many faults there are, and how they dip, you know better.");
  const auto side = [](int64_t n) { return int(std::clamp<int64_t>(n / 32 * 32, 64, 128)); };
  const int64_t traces = int64_t(std::max(geometry.crosslines().size(), geometry.inlines().size()));
  out.key("synthetic.crosslines", side(traces));
  out.key("synthetic.samples", side(layout.samples));
  const bool timed = layout.interval >= 1 && layout.interval <= 32767;
  const double interval = timed ? layout.interval : 4000, nyquist = 0.5e6 / interval;
  const double peak = timed ? summary.spectrum.peak : summary.spectrum.peak * 1e6 / interval;  // of cycles per sample
  out.key("synthetic.interval", int(std::lround(interval)),
          !timed         ? "the file does not say"
          : layout.depth ? "thousandths of a metre or foot, as the file's"
                         : "microseconds, as the file's");
  if (peak > 0.02 * nyquist) {
    const double low = std::max(0.02 * nyquist, 0.7 * peak), high = std::min(0.8 * nyquist, 1.4 * peak);
    if (low < high)
      out.key("synthetic.frequency", std::vector<double>{std::round(10 * low) / 10, std::round(10 * high) / 10},
              fmt::format("{}; the file's spectrum is strongest at {:.3g}", layout.frequency_unit(), peak));
  }
  out.key("synthetic.throw", std::vector<double>{5, 30}, "samples");
  out.key("synthetic.least_throw", 2, "what throws less is not labelled: nobody sees it");
  out.key("synthetic.label", std::vector<double>{2}, "samples thick");
  out.key("synthetic.noise", std::vector<double>{0.05, 0.4}, "of the signal");
  out.comment(
      "Instead of made layers, windows of the survey's own sections can be cut by faults; where it has few of its own "
      "that fits better: take the # away.");
  out.line("# from: " + training::to_flow(training::field::write_value(c.data)));
  out.blank();
  out.key("sections", 1500, "of an epoch, all of them new");
  out.key("model", std::string("unet"));
  out.key("channels", std::vector<int>{16, 32, 64, 128});
  out.key("epochs", 4);
  out.key("batch", 8);
  out.key("lr", 0.002);
  out.key("ema", 0.99);
  out.line("loss: {bce: 1, dice: 1}");
  out.key("balance", 4, "more finds more and blurs it");
  const std::string run = "runs/" + std::filesystem::path(c.out).stem().string();
  out.key("run", run);

  FaultsTrainConfig check_it;
  training::Schema keys("kern faults train");
  describe_faults_train(keys, check_it);
  out.write(keys, fmt::format("kern faults train {}\n    kern faults predict model={} data={} out={}_predicted", c.out,
                              run, c.data, run));
  check_it.synthetic.options(0);  // what the keys make must fit together
  call.figures.add("out", c.out);
  call.figures.add("traces", file.traces());
  call.figures.add("peak_frequency", peak);
}

}  // namespace kern::apps
