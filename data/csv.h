// Tables as text (RFC 4180): comma, semicolon or tab, quotes, plain or packed by gzip.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "engine/atomic_file.h"

namespace kern::data {

// A table that was read. The file's bytes are held once, cells are views into them: a million rows cost their text and
// eight bytes a cell. Names and cells are UTF-8, whatever the file's encoding.
class CsvTable {
 public:
  int64_t rows() const { return int64_t(cells_.size() / names_.size()) - 1; }
  int columns() const { return int(names_.size()); }
  const std::vector<std::string>& names() const { return names_; }
  const std::string& file() const { return file_; }

  bool has(std::string_view name) const;
  // The column of that name, or of the only name that differs in case. Otherwise an Error that lists the names there
  // are.
  int column(std::string_view name) const;
  // Quotes taken away, blanks round it too unless it was quoted.
  std::string_view cell(int64_t row, int column) const {
    const Cell& c = cells_[size_t(row + 1) * names_.size() + size_t(column)];
    return {bytes_.data() + c.begin, c.size};
  }
  // NaN where the cell is empty or one of NA, N/A, #N/A, NaN, null, none; an Error naming file, line and column for
  // other text.
  double number(int64_t row, int column) const;
  int64_t line(int64_t row) const;  // where the row begins in the file, from 1

 private:
  friend CsvTable parse_csv(std::string bytes, const std::string& shown_name);
  struct Cell {
    uint32_t begin, size;
  };
  void parse();
  char find_delimiter(size_t from) const;
  size_t parse_quoted(size_t quote, int64_t& line, char delimiter);

  std::string file_, bytes_;
  std::vector<std::string> names_;
  std::vector<Cell> cells_;  // row by row, the header first
};

// Throws an Error, a sentence naming file and line: a quote that does not close, a row wider or narrower than the
// header, binary content, packed data that are damaged or unpack beyond all measure (see gunzip).
CsvTable read_csv(const std::filesystem::path& path);
CsvTable parse_csv(std::string bytes, const std::string& shown_name);

// Writes a table; the file appears whole at commit(), or not at all.
//   CsvWriter csv(path, {"well", "depth"});  csv.cell("A-1").cell(1250.5).end_row();  csv.commit();
class CsvWriter {
 public:
  CsvWriter(const std::filesystem::path& path, const std::vector<std::string>& names);
  // Quoted where it must be, with an apostrophe before it where a spreadsheet would take it for a formula.
  CsvWriter& cell(std::string_view text);
  CsvWriter& cell(const char* text) { return cell(std::string_view(text)); }
  CsvWriter& cell(double value);  // the shortest text that reads back equal; NaN as an empty cell
  CsvWriter& cell(float value);   // with a float's digits, not those that a double has of it
  CsvWriter& cell(int64_t value);
  CsvWriter& cell(int value) { return cell(int64_t(value)); }
  void end_row();
  void commit();

 private:
  CsvWriter& raw(std::string_view text);
  void separate();
  AtomicFile file_;
  std::string path_, buffer_;
  size_t columns_, filled_ = 0;
};

}  // namespace kern::data
