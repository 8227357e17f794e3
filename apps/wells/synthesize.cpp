#include <fmt/format.h>

#include <cstdio>

#include "apps/wells/verbs.h"
#include "data/wells_synthetic.h"
#include "engine/atomic_file.h"

namespace kern::apps {

void run_wells_synthesize(const SynthesizeConfig& c, Call& call) {
  const data::SyntheticWells options{.wells = c.wells,
                                     .samples = c.samples,
                                     .step = c.step,
                                     .labelled_fraction = c.labelled_fraction,
                                     .seed = uint64_t(c.seed)};
  const std::filesystem::path out = c.out;
  make_folder(out);
  if (c.csv) data::write_synthetic_csv(out / "wells.csv", options);
  else data::write_synthetic_las(out, options);
  fmt::print("{} synthetic wells of {} samples ({:.0f} % labelled) in {}\n", c.wells, c.samples,
             100 * c.labelled_fraction, out.string());
  call.figures.add("wells", c.wells);
  call.figures.add("samples", c.wells * c.samples);
  call.figures.add("out", out.string());
}

}  // namespace kern::apps
