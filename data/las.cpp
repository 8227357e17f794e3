#include "data/las.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <set>

#include "data/encoding.h"
#include "data/names.h"
#include "data/number.h"
#include "engine/atomic_file.h"
#include "kernels/common/error.h"

namespace kern::data {
namespace {
constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();

// 1A is the end mark of DOS.
bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\v' || c == '\f' || c == '\x1A'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_quoted(std::string_view s) { return s.size() > 1 && (s[0] == '"' || s[0] == '\'') && s.back() == s[0]; }
char upper(char c) { return c >= 'a' && c <= 'z' ? char(c - 'a' + 'A') : c; }
std::string upper(std::string_view s) {
  std::string out(s);
  for (char& c : out) c = upper(c);
  return out;
}
std::string_view trim(std::string_view s) {
  while (!s.empty() && is_blank(s.front())) s.remove_prefix(1);
  while (!s.empty() && is_blank(s.back())) s.remove_suffix(1);
  return s;
}
// For an error text: short, printable.
std::string shown(std::string_view s) {
  std::string out = to_utf8(s.substr(0, 40));
  for (char& c : out)
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  return s.size() > 40 ? out + "…" : out;
}

// Walks over lines that end in LF, CR LF or CR.
class Lines {
 public:
  Lines(std::string_view bytes, size_t from, size_t to, int64_t first_number)
      : bytes_(bytes), next_(from), to_(to), number_(first_number - 1) {}
  bool advance() {
    if (next_ >= to_) return false;
    begin_ = end_ = next_;
    while (end_ < to_ && bytes_[end_] != '\n' && bytes_[end_] != '\r') ++end_;
    next_ = std::min(end_ + 1, to_);
    if (end_ + 1 < to_ && bytes_[end_] == '\r' && bytes_[end_ + 1] == '\n') ++next_;
    ++number_;
    return true;
  }
  size_t begin() const { return begin_; }  // offsets of the line, without its end mark
  size_t end() const { return end_; }
  size_t next() const { return next_; }
  int64_t number() const { return number_; }
  std::string_view text() const { return trim(bytes_.substr(begin_, end_ - begin_)); }
  // Where tabs delimit, those at the ends of a line hold empty values.
  std::string_view cells(char delimiter) const {
    return delimiter == '\t' ? bytes_.substr(begin_, end_ - begin_) : text();
  }

 private:
  std::string_view bytes_;
  size_t begin_ = 0, end_ = 0, next_, to_;
  int64_t number_;
};

struct Section {
  std::string title;        // upper case, from the first letter after ~
  size_t begin, body, end;  // the ~ line, the line after it, the next ~ line
  int64_t line;             // of the ~ line, counted from 1
  // ~A, ~A DEPTH DT, ~ASCII, but not ~ADDITIONAL
  bool is(char letter, std::string_view word) const {
    if (title.empty() || title[0] != letter) return false;
    const bool alone = title.size() == 1 || !(title[1] == '_' || (title[1] >= 'A' && title[1] <= 'Z'));
    return alone || title.compare(0, word.size(), word) == 0;
  }
};

// MNEM.UNIT  VALUE : DESCRIPTION
struct HeaderItem {
  std::string_view name, unit, value, description;
};

// Empty where the line has neither dot nor colon. The last colon counts: values such as times hold colons of their own.
std::optional<HeaderItem> parse_item(std::string_view line, bool is_curve) {
  HeaderItem item;
  const size_t colon = line.rfind(':');
  const std::string_view left = line.substr(0, colon);
  if (colon != line.npos) item.description = trim(line.substr(colon + 1));
  size_t dot = left.find('.');
  if (const size_t first = line.find(':'); dot > first || dot == left.npos) {  // NAME : VALUE
    if (colon == line.npos) return std::nullopt;
    return HeaderItem{trim(line.substr(0, first)), {}, trim(line.substr(first + 1)), {}};
  }
  size_t name_begin = 0;
  if (dot == 0) {  // ".ILM .OHMM" has one dot too many; ".OHMM" has no name
    const size_t second = left.find('.', 1);
    const std::string_view between = second == left.npos ? "" : trim(left.substr(1, second - 1));
    if (!between.empty() && between.find_first_of(" \t") == between.npos) {
      name_begin = 1;
      dot = second;
    }
  }
  if (is_curve)  // "I. Res..OHM-M": the name ends in a dot
    if (const size_t twice = left.rfind(".."); twice != left.npos && twice > 0 && !is_blank(left[twice - 1]))
      dot = twice + 1;
  item.name = trim(left.substr(name_begin, dot - name_begin));
  std::string_view rest = left.substr(dot + 1);
  size_t unit_end = std::min(rest.find_first_of(" \t"), rest.size());
  if (unit_end > 0 && unit_end < rest.size() && std::all_of(rest.begin(), rest.begin() + ptrdiff_t(unit_end), is_digit))
    if (const size_t word = rest.find_first_not_of(" \t", unit_end); word == unit_end + 1)  // "1000 psi" is a unit
      unit_end = std::min(rest.find_first_of(" \t", word), rest.size());
  item.unit = rest.substr(0, unit_end);
  item.value = trim(rest.substr(unit_end));
  while (!item.unit.empty() && item.unit.back() == '.') item.unit.remove_suffix(1);
  if (item.unit.size() >= 2 &&
      ((item.unit.front() == '[' && item.unit.back() == ']') || (item.unit.front() == '(' && item.unit.back() == ')')))
    item.unit = item.unit.substr(1, item.unit.size() - 2);
  return item;
}

class Reader {
 public:
  Reader(std::string_view bytes, const std::string& name) : bytes_(bytes), name_(name) {}
  LasFile read();

 private:
  template <class... Parts>
  [[noreturn]] void fail(int64_t line, const Parts&... parts) const {
    throw Error(line > 0 ? text(name_, ", line ", line, ": ", parts...) : text(name_, " ", parts...));
  }
  void refuse_other_formats() const;
  void find_sections();
  const Section* section(char letter, std::string_view word) const;
  void read_version();
  void read_well();
  void read_curves();
  void name_curves();
  void read_data();

  char find_delimiter(const Section& data) const;
  void split(std::string_view line, char delimiter, std::vector<std::string_view>& cells) const;
  void split_run_together(std::vector<std::string_view>& cells) const;
  void read_rows(const Section& data);
  void read_wrapped_rows(const Section& data);
  void store(size_t column, std::string_view cell, int64_t line);
  size_t offset_after(std::string_view cell) const { return size_t(cell.data() + cell.size() - bytes_.data()); }

  std::string_view bytes_;
  const std::string& name_;
  std::vector<Section> sections_;
  size_t data_begin_ = 0;
  std::string declared_delimiter_;
  LasFile las_;
};

LasFile Reader::read() {
  refuse_other_formats();
  find_sections();
  read_version();
  read_well();
  read_curves();
  read_data();
  las_.header = bytes_.substr(0, data_begin_);
  las_.data = bytes_.substr(data_begin_);
  return std::move(las_);
}

void Reader::refuse_other_formats() const {
  if (bytes_.empty()) fail(0, "is empty; a LAS file was expected");
  if (bytes_.starts_with("LASF")) fail(0, "is a laser scan (LiDAR .las), not a well log of the same ending");
  if (bytes_.starts_with("\xFF\xFE") || bytes_.starts_with("\xFE\xFF"))
    fail(0, "is UTF-16 text; save it as UTF-8 and try again");
  if (const size_t zero = bytes_.find('\0'); zero != bytes_.npos)
    fail(1 + std::count(bytes_.begin(), bytes_.begin() + ptrdiff_t(zero), '\n'),
         "there are zero bytes here: the file is damaged, or binary, or UTF-16 text (then save it as UTF-8)");
}

void Reader::find_sections() {
  Lines lines(bytes_, bytes_.starts_with("\xEF\xBB\xBF") ? 3 : 0, bytes_.size(), 1);
  while (lines.advance()) {
    const std::string_view line = lines.text();
    if (!line.starts_with('~')) continue;
    if (!sections_.empty()) sections_.back().end = lines.begin();
    sections_.push_back({upper(trim(line.substr(1))), lines.begin(), lines.next(), bytes_.size(), lines.number()});
  }
  if (sections_.empty()) fail(0, "has no line that begins with ~, so it is no LAS file");
}

// The section that bears the letter alone or the word; failing that the first whose title begins with the letter.
const Section* Reader::section(char letter, std::string_view word) const {
  for (const auto& s : sections_)
    if (s.is(letter, word)) return &s;
  for (const auto& s : sections_)
    if (!s.title.empty() && s.title[0] == letter && s.title.find('_') == std::string::npos) return &s;
  return nullptr;
}

void Reader::read_version() {
  const char* const kAdvice = "which Kern does not read: export the log as LAS 2.0";
  if (const Section* s = section('V', "VERS")) {
    Lines lines(bytes_, s->body, s->end, s->line + 1);
    while (lines.advance()) {
      const auto item = parse_item(lines.text(), false);
      if (!item || lines.text()[0] == '#') continue;
      const std::string_view value = item->value.empty() ? item->unit : item->value;  // "WRAP.NO:" lacks the space
      if (same_name(item->name, "VERS")) {
        if (!parse_number(value.substr(0, value.find_first_of(" \t")), las_.version) || las_.version <= 0)
          fail(lines.number(), "the version is \"", shown(value), "\"; 1.2 or 2.0 was expected");
        if (las_.version >= 3) fail(lines.number(), "this is LAS ", shown(value), ", ", kAdvice);
      } else if (same_name(item->name, "WRAP")) {
        las_.wrapped = !value.empty() && upper(value[0]) == 'Y';
      } else if (same_name(item->name, "DLM")) {
        declared_delimiter_ = upper(value);
        const auto is = [&](std::string_view known) { return declared_delimiter_ == known; };
        if (!is("") && !is("SPACE") && !is("COMMA") && !is("TAB"))
          fail(lines.number(), "the delimiter is \"", shown(value), "\"; SPACE, COMMA or TAB was expected");
      }
    }
  }
  for (const auto& s : sections_)
    if (s.title.starts_with("LOG_DEFINITION") || s.title.starts_with("LOG_DATA"))
      fail(s.line, "sections of this kind belong to LAS 3, ", kAdvice);
}

void Reader::read_well() {
  las_.null_value = kMissing;
  const Section* s = section('W', "WELL");
  if (!s) return;
  std::string api;
  Lines lines(bytes_, s->body, s->end, s->line + 1);
  while (lines.advance()) {
    const auto item = parse_item(lines.text(), false);
    if (!item || lines.text()[0] == '#') continue;
    // In 1.2 the value of everything but STRT, STOP, STEP and NULL stands after the colon; writers confuse the two
    // orders, so a mere label ("WELL") is not taken for a value.
    const auto value = [&](std::initializer_list<std::string_view> labels) {
      const auto is_label = [&](auto v) {
        return std::any_of(labels.begin(), labels.end(), [&](auto label) { return same_name(v, label); });
      };
      const bool before =
          las_.version >= 2.0 ? !is_label(item->value) : item->description.empty() || is_label(item->description);
      const auto chosen = before ? item->value : item->description;
      return is_label(chosen) ? std::string() : to_utf8(chosen);
    };
    if (same_name(item->name, "NULL")) {
      const std::string_view null = item->value.empty() ? item->unit : item->value;
      if (null.empty()) continue;
      const std::string_view first = null.substr(0, null.find_first_of(" \t"));
      if (parse_number(first, las_.null_value)) las_.null_text = first;  // a word is missing anyway
    } else if (same_name(item->name, "WELL")) {
      las_.well_name = value({"WELL", "WELL NAME"});
    } else if (same_name(item->name, "UWI")) {
      las_.uwi = value({"UWI", "UNIQUE WELL ID", "UNIQUE WELL IDENTIFIER"});
    } else if (same_name(item->name, "API")) {
      api = value({"API", "API NUMBER"});
    }
  }
  if (las_.uwi.empty()) las_.uwi = api;
}

void Reader::read_curves() {
  const Section* data = section('A', "ASCII");
  if (!data) fail(0, "has no ~A section, so there are no values in it; is the file cut short?");
  for (const auto& s : sections_)
    if (&s != data && s.is('A', "ASCII"))
      fail(s.line, "a second data section begins here; split the file so that each part has one ~A");
  const Section* s = section('C', "CURVE");
  if (!s) fail(0, "has no ~C section, so its columns have no names; add one that lists them");
  if (s->begin > data->begin) fail(s->line, "the curves are declared after the data; move ~C before ~A");
  data_begin_ = data->begin;
  Lines lines(bytes_, s->body, s->end, s->line + 1);
  while (lines.advance()) {
    const std::string_view line = lines.text();
    if (line.empty() || line[0] == '#') continue;
    const auto item = parse_item(line, true);
    if (!item) fail(lines.number(), "\"", shown(line), "\" declares no curve; NAME.UNIT : DESCRIPTION was expected");
    las_.curves.push_back({to_utf8(item->name), {}, to_utf8(item->unit), to_utf8(item->description), {}});
    las_.curve_line = lines.begin();
    las_.curve_end = lines.next();
  }
  if (las_.curves.empty()) fail(s->line, "the ~C section declares no curve");
  name_curves();
}

void Reader::name_curves() {
  std::map<std::string, int> count, given;
  std::set<std::string> taken;
  for (auto& c : las_.curves) {
    c.name = c.mnemonic.empty() ? "UNKNOWN" : c.mnemonic;
    if (++count[c.name] == 1) taken.insert(c.name);
  }
  for (auto& c : las_.curves) {
    if (count[c.name] == 1) continue;
    const std::string base = c.name;
    do c.name = text(base, ":", ++given[base]);
    while (!taken.insert(c.name).second);
  }
}

void Reader::split(std::string_view line, char delimiter, std::vector<std::string_view>& cells) const {
  cells.clear();
  size_t i = 0;
  const auto skip_blanks = [&] {
    while (i < line.size() && is_blank(line[i]) && line[i] != delimiter) ++i;
  };
  if (delimiter == ' ')
    while (i < line.size() && is_blank(line[i])) ++i;
  for (bool more = i < line.size(); more;) {
    if (delimiter != ' ') skip_blanks();
    const size_t begin = i;
    size_t end = begin;
    size_t quote = line.npos;
    if (i < line.size() && (line[i] == '"' || line[i] == '\'')) quote = line.find(line[i], i + 1);
    if (quote != line.npos) end = i = quote + 1;  // "pick gamma" is one value
    if (delimiter == ' ') {
      while (i < line.size() && !is_blank(line[i])) ++i;
      end = i;
      while (i < line.size() && is_blank(line[i])) ++i;
      more = i < line.size();
    } else {
      while (i < line.size() && line[i] != delimiter) {
        if (!is_blank(line[i])) end = i + 1;
        ++i;
      }
      more = i < line.size();
      ++i;
    }
    cells.push_back(line.substr(begin, end - begin));
  }
}

// Fixed columns that are full run together: 123.4-999.25 is two numbers, and 7.020101130.188 two that nobody can part.
void Reader::split_run_together(std::vector<std::string_view>& cells) const {
  std::vector<std::string_view> parts;
  for (const auto cell : cells) {
    size_t begin = 0;
    const auto add = [&](std::string_view part) {
      parts.push_back(part);
      if (std::count(part.begin(), part.end(), '.') >= 2 && part.find_first_not_of("+-.0123456789") == part.npos)
        parts.push_back(part);
    };
    const size_t end = cell.find(',') == cell.npos ? cell.size() : 0;  // "2020-01,5" is no pair of numbers
    for (size_t i = 1; i + 1 < end; ++i)
      if (cell[i] == '-' && (is_digit(cell[i - 1]) || cell[i - 1] == '.') &&
          (is_digit(cell[i + 1]) || cell[i + 1] == '.')) {
        add(cell.substr(begin, i - begin));
        begin = i;
      }
    add(cell.substr(begin));
  }
  cells = std::move(parts);
}

// Files without DLM: white space, unless commas or tabs fit the first rows better. A file that gains columns
// (las_with_curves) must be seen in the same way as before, hence the care.
char Reader::find_delimiter(const Section& data) const {
  const size_t n = las_.curves.size();
  if (las_.wrapped) {
    if (declared_delimiter_ == "COMMA" || declared_delimiter_ == "TAB")
      fail(data.line, "the rows go over several lines (WRAP) and the delimiter is ", declared_delimiter_,
           "; write each row on one line, with WRAP NO");
    return ' ';
  }
  if (declared_delimiter_ == "COMMA") return ',';
  if (declared_delimiter_ == "TAB") return '\t';
  if (declared_delimiter_ == "SPACE") return ' ';
  int rows = 0, by_blanks = 0, by_tabs = 0, by_commas = 0;  // rows with the right number of values
  bool comma_at_edge = false;                               // "100.0,  0.63": no decimal comma
  bool blank_in_cell = false;                               // "1,5 2,5" is not "1", "5 2", "5"
  std::vector<std::string_view> cells;
  const auto fits = [&] { return cells.size() == n || (cells.size() == n + 1 && cells.back().empty()); };
  Lines lines(bytes_, data.body, data.end, data.line + 1);
  while (rows < 20 && lines.advance()) {
    if (lines.text().empty() || lines.text()[0] == '#') continue;
    ++rows;
    split(lines.text(), ' ', cells);
    for (const auto cell : cells) comma_at_edge |= cell.front() == ',' || cell.back() == ',';
    if (cells.size() < n) split_run_together(cells);
    by_blanks += cells.size() == n;
    split(lines.cells('\t'), '\t', cells);
    by_tabs += fits();
    split(lines.text(), ',', cells);
    by_commas += fits();
    for (const auto cell : cells) blank_in_cell |= !is_quoted(cell) && std::any_of(cell.begin(), cell.end(), is_blank);
  }
  if (by_commas > 0 && by_commas >= by_blanks && !blank_in_cell && (comma_at_edge || by_blanks == 0)) return ',';
  return by_tabs > by_blanks ? '\t' : ' ';
}

void Reader::store(size_t column, std::string_view cell, int64_t line) {
  double value = kMissing;
  if (!parse_number(cell, value)) {
    const size_t comma = cell.find(',');
    if (comma != cell.npos && comma > 0 && comma + 1 < cell.size() && is_digit(cell[comma - 1]) &&
        cell.find_first_not_of("0123456789", comma + 1) == cell.npos && cell.find_first_not_of("+-0123456789") == comma)
      fail(line, "\"", shown(cell), "\" has a decimal comma; write the numbers with a decimal point");
    if (comma != cell.npos &&
        las_.delimiter != ',') {  // "1.5," is a number that a stray comma would turn into a missing value
      const size_t first = cell.find_first_not_of(','), last = cell.find_last_not_of(',');
      if (first != cell.npos && last - first + 1 < cell.size() &&
          parse_number(cell.substr(first, last - first + 1), value))
        fail(line, "\"", shown(cell),
             "\" is a number with a comma; separate all values by commas (and say DLM. COMMA), or none");
    }
  } else if (column > 0 && value == las_.null_value) {
    value = kMissing;
  }
  las_.curves[column].values.push_back(value);
}

void Reader::read_rows(const Section& data) {
  const size_t n = las_.curves.size();
  std::vector<std::string_view> cells;
  Lines lines(bytes_, data.body, data.end, data.line + 1);
  while (lines.advance()) {
    if (lines.text().empty() || lines.text()[0] == '#') continue;
    split(lines.cells(las_.delimiter), las_.delimiter, cells);
    if (las_.delimiter != ' ' && cells.size() == n + 1 && cells.back().empty()) cells.pop_back();
    const size_t found = cells.size();
    if (found < n && las_.delimiter == ' ') split_run_together(cells);
    if (cells.size() != n) {
      const bool last = trim(bytes_.substr(lines.next(), data.end - lines.next())).empty();
      const std::string_view advice = found > n                   ? "; declare every column in ~C"
                                      : last && las_.length() > 0 ? "; the file seems cut short"
                                      : las_.length() == 0        ? "; if rows go over several lines, WRAP must be YES"
                                                                  : "; mend or delete the row";
      fail(lines.number(), found, found == 1 ? " value" : " values", " in this row, but ~C declares ", n,
           n == 1 ? " curve" : " curves", advice);
    }
    for (size_t c = 0; c < n; ++c) store(c, cells[c], lines.number());
    las_.row_end.push_back(offset_after(cells.back()) - data_begin_);
  }
}

// A row goes on over as many lines as it needs and ends with a line. How many values a line holds must follow from the
// line alone: where the number of curves decided which cells run together, a file could be read in two ways, and in
// another way once it gains curves. So every cell that looks like it is parted, if it begins with a decimal number:
// 2020-01-05 does not.
void Reader::read_wrapped_rows(const Section& data) {
  const size_t n = las_.curves.size();
  std::vector<std::string_view> words, cells, parts;
  size_t column = 0;
  int64_t row_line = 0;
  Lines lines(bytes_, data.body, data.end, data.line + 1);
  while (lines.advance()) {
    if (lines.text().empty() || lines.text()[0] == '#') continue;
    if (column == 0) row_line = lines.number();
    split(lines.cells(las_.delimiter), las_.delimiter, words);
    cells.clear();
    for (const auto word : words) {
      parts = {word};
      if (!is_quoted(word) && word.find('.') < word.find('-', 1)) split_run_together(parts);
      cells.insert(cells.end(), parts.begin(), parts.end());
    }
    if (column + cells.size() > n)
      fail(lines.number(), column + cells.size(), " values in the row that begins in line ", row_line,
           ", but ~C declares ", n, n == 1 ? " curve" : " curves");
    for (const auto cell : cells) store(column++, cell, lines.number());
    if (column < n) continue;
    las_.row_end.push_back(offset_after(cells.back()) - data_begin_);
    column = 0;
  }
  if (column > 0)
    fail(row_line, "the last row has ", column, column == 1 ? " value" : " values", ", but ~C declares ", n,
         " curves; the file seems cut short");
}

void Reader::read_data() {
  const Section& data = *section('A', "ASCII");
  las_.delimiter = find_delimiter(data);
  las_.wrapped ? read_wrapped_rows(data) : read_rows(data);
  if (las_.row_end.empty()) fail(data.line, "no data follow the ~A line; is the file cut short?");
}
}  // namespace

const LasCurve* LasFile::find(std::string_view name) const {
  for (const auto& c : curves)
    if (c.name == name) return &c;
  for (const auto& c : curves)
    if (same_name(c.mnemonic, name)) return &c;
  return nullptr;
}

LasFile parse_las(std::string_view bytes, const std::string& shown_name) { return Reader(bytes, shown_name).read(); }

LasFile read_las(const std::filesystem::path& path) {
  LasFile las = parse_las(read_file(path), path.string());
  las.path = path;
  return las;
}

}  // namespace kern::data
