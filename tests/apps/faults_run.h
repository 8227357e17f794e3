// What tests of `kern faults` share: a training of seconds, and the promise about headers.
#pragma once
#include <gtest/gtest.h>

#include "data/segy.h"
#include "engine/atomic_file.h"
#include "tests/apps/kern_process.h"

namespace kern::testing {

inline Arguments train_faults(const std::string& out, const Arguments& more = {}) {
  Arguments a = {"faults",
                 "train",
                 "run=" + out,
                 "channels=[4,6]",
                 "synthetic.crosslines=24",
                 "synthetic.samples=28",
                 "sections=16",
                 "validation_sections=4",
                 "batch=4",
                 "epochs=2",
                 "threads=1",
                 "report_sections=2",
                 "quiet=true"};
  a.insert(a.end(), more.begin(), more.end());
  return a;
}

// Every byte but samples, the format's code, the weighting factor and the line of the text header that names Kern.
inline void expect_equal_headers(const std::string& a, const std::string& b) {
  std::string x = read_file(a), y = read_file(b);
  const data::SegyFile from(a), to(b);
  ASSERT_EQ(from.traces(), to.traces());
  ASSERT_EQ(from.samples(), to.samples());
  const int64_t start = from.layout().data_start;
  ASSERT_EQ(to.layout().data_start, start);
  for (std::string* s : {&x, &y}) (*s)[3224] = (*s)[3225] = 0;
  const std::vector<std::string> lines = to.text_header().lines;
  for (size_t i = 0; i < lines.size(); ++i)
    if (lines[i].find(" BY KERN ") != std::string::npos) y.replace(80 * i, 80, x, 80 * i, 80);
  EXPECT_TRUE(x.substr(0, size_t(start)) == y.substr(0, size_t(start))) << a << " and " << b;
  for (int64_t t = 0; t < from.traces(); ++t) {
    data::SegyTraceHeader h = from.trace_header(t);
    const data::SegyTraceHeader written = to.trace_header(t);
    h[168] = h[169] = std::byte{0};
    ASSERT_EQ(h, written) << t;
  }
}

}  // namespace kern::testing
