#include <cmath>

#include "data/csv.h"
#include "tests/fuzz/entry.h"

using namespace kern;
using kern::fuzz::accepted;
using kern::fuzz::expect;

// Every cell of a table that reads can be asked for, as text and as a number, and every column by its name.
int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  data::CsvTable table;
  if (!accepted([&] { table = data::parse_csv(std::string(fuzz::text_of(data, size)), "fuzz.csv"); })) return 0;
  expect(table.columns() > 0 && table.rows() >= 0, "a table has columns");
  size_t letters = 0;
  for (int64_t r = 0; r < table.rows(); ++r)
    for (int c = 0; c < table.columns(); ++c) {
      for (const char letter : table.cell(r, c)) letters += letter != '\0';
      if (r < 64) accepted([&] { expect(!std::isinf(table.number(r, c)), "numbers are finite or missing"); });
    }
  expect(letters <= 1200 * size + 64, "cells are parts of the text");
  for (int c = 0; c < table.columns() && c < 64; ++c)
    accepted([&] {
      expect(table.names()[size_t(table.column(table.names()[size_t(c)]))] == table.names()[size_t(c)],
             "a name finds its column");
    });
  accepted([&] { table.column("depth"); });
  return 0;
}
