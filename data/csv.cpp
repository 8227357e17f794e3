#include "data/csv.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "data/encoding.h"
#include "data/gzip.h"
#include "data/names.h"
#include "data/number.h"
#include "kernels/common/error.h"

namespace kern::data {
namespace {
bool ends_line(char c) { return c == '\n' || c == '\r'; }

// Behind the line end at i: LF, CR LF or CR.
size_t skip_line_end(std::string_view s, size_t i) {
  return i + (s[i] == '\r' && i + 1 < s.size() && s[i + 1] == '\n' ? 2 : 1);
}
int64_t count_line_ends(std::string_view s) {
  int64_t n = 0;
  for (size_t i = 0; i < s.size(); ++i) n += s[i] == '\n' || (s[i] == '\r' && !(i + 1 < s.size() && s[i + 1] == '\n'));
  return n;
}
// For an error text.
std::string shown(std::string_view s) {
  std::string out(s.substr(0, 40));
  while (out.size() < s.size() && !is_utf8(out)) out.pop_back();  // cut between letters
  std::replace_if(
      out.begin(), out.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
  return out.size() < s.size() ? out + "…" : out;
}
std::string list(const std::vector<std::string>& names) {
  std::string out;
  for (size_t i = 0; i < names.size() && i < 30; ++i) out += (i ? ", " : "") + shown(names[i]);
  return names.size() > 30 ? text(out, ", … (", names.size(), " in all)") : out;
}
bool is_missing(std::string_view s) {
  for (const std::string_view word : {"NA", "NaN", "null", "none", "N/A", "#N/A"})
    if (same_name(s, word)) return true;
  return s.empty();
}
}  // namespace

bool CsvTable::has(std::string_view name) const {
  return std::any_of(names_.begin(), names_.end(), [&](const auto& n) { return same_name(n, name); });
}

int CsvTable::column(std::string_view name) const {
  const auto only = [&](auto equal) {
    int found = -1;
    for (int c = 0; c < columns(); ++c) {
      if (!equal(names_[size_t(c)], name)) continue;
      check(found < 0, file_, ": columns ", found + 1, " and ", c + 1, " are both called ", name, "; rename one");
      found = c;
    }
    return found;
  };
  int found = only([](std::string_view a, std::string_view b) { return a == b; });
  if (found < 0) found = only(same_name);
  if (found < 0) {
    const auto nearest = nearest_name(name, names_);
    throw Error(text(file_, " has no column ", name, "; there are: ", list(names_),
                     nearest.empty() ? "" : text(". Is ", nearest, " meant?")));
  }
  return found;
}

double CsvTable::number(int64_t row, int column) const {
  const std::string_view s = cell(row, column);
  double value;
  if (parse_number(s, value)) return value;
  check(is_missing(s), file_, ", line ", line(row), ", column ", names_[size_t(column)], ": \"", shown(s),
        "\" is not a number", s.find(',') != s.npos ? "; write a decimal point, not a comma" : "");
  return std::numeric_limits<double>::quiet_NaN();
}

int64_t CsvTable::line(int64_t row) const {
  return 1 + count_line_ends(std::string_view(bytes_).substr(0, cells_[size_t(row + 1) * names_.size()].begin));
}

// The one that is most frequent in the line of names, outside quotes; a comma where there is none.
char CsvTable::find_delimiter(size_t from) const {
  constexpr char kDelimiters[] = {',', ';', '\t'};
  int count[3] = {};
  bool quoted = false;
  for (size_t i = from; i < bytes_.size() && (quoted || !ends_line(bytes_[i])); ++i) {
    if (bytes_[i] == '"') quoted = !quoted;
    for (int d = 0; d < 3; ++d) count[d] += !quoted && bytes_[i] == kDelimiters[d];
  }
  return kDelimiters[std::max_element(count, count + 3) - count];
}

// The cell whose opening quote stands at `quote`, its doubled quotes made single in place; returns where its text after
// the closing quote goes on. The place that becomes free is filled with blanks, so that lines can still be counted.
size_t CsvTable::parse_quoted(size_t quote, int64_t& line, char delimiter) {
  const int64_t opened = line;
  const size_t begin = quote + 1;
  size_t to = begin, i = begin;
  for (;; ++i) {
    check(i < bytes_.size(), file_, ", line ", opened, ": the quote that opens in column ",
          (names_.empty() ? cells_.size() : cells_.size() % names_.size()) + 1,
          " is never closed; close it, or write a quote inside quotes twice");
    if (bytes_[i] == '"') {
      if (i + 1 >= bytes_.size() || bytes_[i + 1] != '"') break;
      ++i;
    }
    line += bytes_[i] == '\n' || (bytes_[i] == '\r' && !(i + 1 < bytes_.size() && bytes_[i + 1] == '\n'));
    bytes_[to++] = bytes_[i];
  }
  cells_.push_back({uint32_t(begin), uint32_t(to - begin)});
  std::fill(bytes_.begin() + ptrdiff_t(to), bytes_.begin() + ptrdiff_t(i) + 1, ' ');
  for (++i; i < bytes_.size() && (bytes_[i] == ' ' || bytes_[i] == '\t') && bytes_[i] != delimiter;) ++i;
  check(i == bytes_.size() || bytes_[i] == delimiter || ends_line(bytes_[i]), file_, ", line ", line, ": \"",
        shown(std::string_view(bytes_).substr(i, std::min(bytes_.find_first_of("\r\n", i) - i, size_t(10)))),
        "\" follows the closing quote of a cell that opened in line ", opened,
        "; a quote inside quotes is written twice");
  return i;
}

void CsvTable::parse() {
  size_t i = bytes_.starts_with("\xEF\xBB\xBF") ? 3 : 0;
  int64_t line = 1;
  const auto skip_empty_lines = [&] {
    for (; i < bytes_.size() && ends_line(bytes_[i]); ++line) i = skip_line_end(bytes_, i);
  };
  skip_empty_lines();
  check(i < bytes_.size(), file_, " is empty; a table with a line of column names was expected");
  const char delimiter = find_delimiter(i);
  const auto is_blank = [&](char c) { return c == ' ' || (c == '\t' && delimiter != '\t'); };
  bool ends_cell[256] = {};
  for (const char c : {delimiter, '\n', '\r'}) ends_cell[static_cast<unsigned char>(c)] = true;

  for (; i < bytes_.size(); skip_empty_lines()) {
    const int64_t row_line = line;
    const size_t row_begin = cells_.size();
    for (bool more = true; more;) {
      while (i < bytes_.size() && is_blank(bytes_[i])) ++i;
      if (i < bytes_.size() && bytes_[i] == '"') {
        i = parse_quoted(i, line, delimiter);
      } else {
        const size_t begin = i;
        while (i < bytes_.size() && !ends_cell[static_cast<unsigned char>(bytes_[i])]) ++i;
        size_t end = i;
        while (end > begin && is_blank(bytes_[end - 1])) --end;
        cells_.push_back({uint32_t(begin), uint32_t(end - begin)});
      }
      more = i < bytes_.size() && bytes_[i] == delimiter;
      if (more) ++i;
    }
    if (row_begin == 0) {
      for (const auto& c : cells_) names_.emplace_back(bytes_, c.begin, c.size);
      double number;
      check(!std::all_of(names_.begin(), names_.end(), [&](const auto& n) { return parse_number(n, number); }), file_,
            ", line ", line, ": the first line holds numbers; a line of column names was expected");
    }
    const size_t found = cells_.size() - row_begin;
    if (found == 1 && names_.size() > 1 && cells_.back().size == 0) {  // a line of blanks
      cells_.pop_back();
      continue;
    }
    check(found == names_.size(), file_, ", line ", row_line, ": ", found, found == 1 ? " cell" : " cells",
          " in this row, but the first line names ", names_.size(), " columns; mend or delete the row");
  }
}

CsvTable parse_csv(std::string bytes, const std::string& shown_name) {
  if (is_gzip(bytes)) bytes = gunzip(bytes, shown_name);
  check(!bytes.starts_with("\xFF\xFE") && !bytes.starts_with("\xFE\xFF"), shown_name,
        " is UTF-16 text; save it as UTF-8 and try again");
  const size_t zero = bytes.find('\0');
  check(zero == bytes.npos, shown_name, ", line ", 1 + count_line_ends(std::string_view(bytes).substr(0, zero)),
        ": there are zero bytes here: the file is damaged, or binary, or UTF-16 text (then save it as UTF-8)");
  CsvTable table;
  table.file_ = shown_name;
  table.bytes_ = is_utf8(bytes) ? std::move(bytes) : to_utf8(bytes);
  check(table.bytes_.size() < std::numeric_limits<uint32_t>::max(), shown_name,
        " holds more than 4 GiB of text; split it");
  table.parse();
  return table;
}

CsvTable read_csv(const std::filesystem::path& path) { return parse_csv(read_file(path), path.string()); }

CsvWriter::CsvWriter(const std::filesystem::path& path, const std::vector<std::string>& names)
    : file_(path), path_(path.string()), columns_(names.size()) {
  for (const auto& n : names) cell(n);
  end_row();
}

void CsvWriter::separate() {
  internal_check(filled_ < columns_, path_, ": a row got more than ", columns_, " cells");
  if (filled_++ > 0) buffer_ += ',';
}

CsvWriter& CsvWriter::cell(std::string_view text) {
  // A spreadsheet takes a text that begins so for a formula, and would compute what a well's name says.
  if (!text.empty() && std::string_view("=+-@\t\r").find(text[0]) != text.npos) return raw("'" + std::string(text));
  return raw(text);
}

CsvWriter& CsvWriter::raw(std::string_view text) {
  separate();
  const bool plain = text.find_first_of(",;\t\"\r\n") == text.npos &&
                     (text.empty() || (text.front() != ' ' && text.back() != ' ')) && !(text.empty() && columns_ == 1);
  if (plain) {
    buffer_ += text;
    return *this;
  }
  buffer_ += '"';
  for (const char c : text) {
    if (c == '"') buffer_ += '"';
    buffer_ += c;
  }
  buffer_ += '"';
  return *this;
}

CsvWriter& CsvWriter::cell(double value) {
  if (std::isnan(value)) return raw({});
  char number[40];
  return raw(std::string_view(number, size_t(std::to_chars(number, number + sizeof number, value).ptr - number)));
}

CsvWriter& CsvWriter::cell(float value) {
  if (std::isnan(value)) return raw({});
  char number[40];
  return raw(std::string_view(number, size_t(std::to_chars(number, number + sizeof number, value).ptr - number)));
}

CsvWriter& CsvWriter::cell(int64_t value) {
  char number[24];
  return raw(std::string_view(number, size_t(std::to_chars(number, number + sizeof number, value).ptr - number)));
}

void CsvWriter::end_row() {
  internal_check(filled_ == columns_, path_, ": a row got ", filled_, " cells, there are ", columns_, " columns");
  filled_ = 0;
  buffer_ += '\n';
  if (buffer_.size() < (1 << 20)) return;
  file_.write(buffer_);
  buffer_.clear();
}

void CsvWriter::commit() {
  internal_check(filled_ == 0, path_, ": the last row was not ended");
  file_.write(buffer_);
  buffer_.clear();
  file_.commit();
}

}  // namespace kern::data
