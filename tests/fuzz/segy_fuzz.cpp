#include <cmath>

#include "data/segy_inspect.h"
#include "tests/fuzz/entry.h"

using namespace kern;
using kern::fuzz::accepted;
using kern::fuzz::expect;

// A file that reads has its traces inside its bytes; every header, section and figure of it can be asked for.
int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes = fuzz::text_of(data, size);
  // The places of line numbers are the user's: taken from the bytes, they reach every part of a header.
  data::SegyOptions places;
  if (size > 3600 + 240) places.il = 1 + data[3700] % 240, places.xl = 1 + data[3701] % 240;
  accepted([&] {
    const data::SegyFile file(bytes, "fuzz.sgy", places);
    const data::SegyLayout& l = file.layout();
    expect(l.traces > 0 && l.samples > 0 && l.trace_headers > 0, "a file that reads holds samples");
    expect(l.data_start >= 3600 && l.end() <= file.bytes(), "traces are inside the file");
    // Two fifths of the time went into 3200 characters that nothing else depends on: inputs like the seeds that begin
    // with a blank are enough.
    if (data[0] % 8 == 0) expect(file.text_header().lines.size() == 40, "a text header has 40 lines");
    const data::SegyGeometry geometry(file);
    expect(geometry.positions() > 0 && geometry.gaps() >= 0, "a file has places");
    for (const int line : {geometry.inlines().front(), geometry.inlines().back()})
      expect(geometry.inline_section(line).traces.size() == geometry.crosslines().size(), "an inline is complete");
    for (const int line : {geometry.crosslines().front(), geometry.crosslines().back()})
      expect(geometry.crossline_section(line).traces.size() == geometry.inlines().size(), "a crossline is complete");
    int64_t there = 0;
    const data::SegySection middle = geometry.middle_section();
    for (const int64_t t : middle.traces) there += t >= 0;
    expect(there <= file.traces(), "a section holds traces of the file");
    const std::vector<float> samples = data::read_section(file, middle);
    expect(samples.size() == middle.traces.size() * size_t(file.samples()), "a section is read whole");
    const data::SegySummary summary = data::inspect_segy(file, geometry);
    for (const double v : summary.spectrum.amplitude) expect(v >= 0 && v <= 1, "a spectrum is between 0 and 1");
  });
  return 0;
}
