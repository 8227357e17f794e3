// LAS 1.2 and 2.0: well logs as text (Canadian Well Logging Society, "LAS version 2.0", 1992, updated 2014).
#pragma once
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace kern::data {

struct LasCurve {
  std::string mnemonic;  // as in the file; may be empty
  std::string name;      // unique in the file: duplicates get :1, :2, …, an empty mnemonic becomes UNKNOWN
  std::string unit, description;
  std::vector<double> values;  // [rows]; NaN where the file has its NULL, or something that is no number
};

// A file as it was read. Texts are UTF-8, whatever the file's encoding. The index keeps its NULLs as numbers: with
// NULL = 999.25 the depth 999.25 is a depth. Its order is the file's: descending or repeated depths are the caller's
// business.
struct LasFile {
  std::filesystem::path path;
  double version = 2.0;
  bool wrapped = false;
  double null_value = -999.25;   // NaN where the file declares none, or a word: then only words are missing values
  std::string well_name, uwi;    // of ~W: WELL, and UWI or else API
  std::vector<LasCurve> curves;  // curves[0] is the index (depth or time)

  // header + data is the file, byte for byte; the rest tells write_las where to add and in what manner.
  std::string header;                    // every byte before the line of ~A
  std::string data;                      // the line of ~A, the rows, and whatever follows them
  std::vector<size_t> row_end;           // [rows] where in `data` the last value of a row ends
  size_t curve_line = 0, curve_end = 0;  // where in `header` the last line that declares a curve begins and ends
  std::string null_text = "NaN";         // NULL in the file's own spelling
  char delimiter = ' ';                  // between values: ' ' for any white space, ',' or '\t'

  int64_t length() const { return int64_t(row_end.size()); }
  // By unique name, then by mnemonic without regard to case (the first of several); null where there is none.
  const LasCurve* find(std::string_view name) const;
};

// Throws an Error, a sentence naming file and line, for what cannot be read without guessing: LAS 3, no ~C or ~A, no
// data, a row with more or fewer values than there are curves, decimal commas, UTF-16, other binary content.
LasFile read_las(const std::filesystem::path& path);
LasFile parse_las(std::string_view bytes, const std::string& shown_name);

struct AddedCurve {
  std::string mnemonic;  // see las_mnemonic()
  std::string unit, description;
  std::vector<float> values;  // [rows]; NaN is written as the file's NULL
  int decimals = 6;
};

// The original with further curves: their declarations at the end of ~C, their values at the end of every row. Every
// byte of the original stays, in its order. Throws an Error when a mnemonic is taken or cannot stand in LAS, when the
// lengths differ, or when a value is the number that the file uses as NULL.
std::string las_with_curves(const LasFile& original, std::span<const AddedCurve> added);
// The same into a file, which appears whole or not at all.
void write_las(const std::filesystem::path& to, const LasFile& original, std::span<const AddedCurve> added);

// Any text as a mnemonic: letters and digits in upper case, everything else an underscore ("Sand, fine" ->
// "SAND__FINE").
std::string las_mnemonic(std::string_view text);

}  // namespace kern::data
