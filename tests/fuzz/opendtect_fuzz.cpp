#include <algorithm>
#include <cmath>
#include <cstring>

#include "apps/faults/opendtect/tiles.h"
#include "tests/fuzz/entry.h"

using namespace kern;
using namespace kern::apps::opendtect;
using kern::fuzz::accepted;
using kern::fuzz::expect;

// The first byte says what the others are: parameters, a survey's file, or a stream of blocks, whose sizes are cut to
// what is there. Whatever the stream holds, each request gets an answer of its size, of probabilities from 0 to 1.
int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view text = fuzz::text_of(data + 1, size - 1);
  if (data[0] % 4 == 0) {
    accepted([&] { expect(percent_decoded(percent_encoded(text)) == text, "coding goes both ways"); });
    accepted([&] {
      const Settings s = read_settings(text, {});
      expect(s.threshold >= 0 && s.threshold <= 1 && s.velocity >= 1 && s.amplitude >= 0, "settings are in range");
    });
    expect(crossline_step(text) >= 0, "a step is positive or not known");
    return 0;
  }
  std::span<const std::byte> stream = std::as_bytes(std::span(text));
  accepted([&] {
    if (stream.size() < kFirstBytes) return;
    const FirstBytes first = read_first_bytes(stream.first<kFirstBytes>());
    stream = stream.subspan(first.used);
    if (first.info.traces > 512 || first.info.inputs > 4 || first.info.outputs > 8) return;
    Settings settings;
    settings.amplitude = data[0] % 8 < 4 ? 1 : 0;
    SectionTiles tiles(
        [](std::span<const float> v, int64_t columns, int64_t samples) {
          expect(int64_t(v.size()) == columns * samples && samples > 0, "a network sees a whole section");
          std::vector<float> p(v.size());
          for (size_t i = 0; i < v.size(); ++i) {
            expect(std::abs(v[i]) <= 5, "a network sees scaled amplitudes");
            p[i] = 0.5f + 0.1f * v[i];
          }
          return p;
        },
        first.info, settings);
    for (int requests = 0; requests < 16 && stream.size() >= kRequestBytes; ++requests) {
      Request r = read_request(stream.first<kRequestBytes>(), first.info);
      stream = stream.subspan(kRequestBytes);
      r.samples = std::min(r.samples, 24);
      std::vector<float> window(size_t(values_in(r, first.info)), 1.0f), out(size_t(values_out(r, first.info)), -1.0f);
      const size_t bytes = std::min(window.size() * sizeof(float), stream.size());
      if (bytes > 0) std::memcpy(window.data(), stream.data(), bytes);
      stream = stream.subspan(bytes);
      tiles.answer(r, window, out);
      for (size_t i = 0; i < out.size(); ++i)
        expect(int64_t(i) >= int64_t{2} * r.samples ? !(out[i] < 0) && !(out[i] > 90) : out[i] >= 0 && out[i] <= 1,
               "answers are in range");
    }
  });
  return 0;
}
