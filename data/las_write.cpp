#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>

#include "data/encoding.h"
#include "data/las.h"
#include "data/names.h"
#include "data/number.h"
#include "engine/atomic_file.h"
#include "kernels/common/error.h"

namespace kern::data {
namespace {
constexpr size_t kWrappedWidth = 80;  // characters in a line of a wrapped file, as the standard asks

bool is_printable(char c) { return c > ' ' && c <= '~'; }
bool is_ascii(char c) { return static_cast<unsigned char>(c) < 0x80; }

void check_added(const LasFile& original, std::span<const AddedCurve> added) {
  const std::string name = original.path.empty() ? "the LAS file" : original.path.string();
  internal_check(!original.curves.empty() && original.row_end.size() == original.curves[0].values.size(),
                 "curves can be added only to a LAS file that was read");
  for (size_t i = 0; i < added.size(); ++i) {
    const auto& a = added[i];
    check(!a.mnemonic.empty() && std::all_of(a.mnemonic.begin(), a.mnemonic.end(),
                                             [](char c) { return is_printable(c) && !std::strchr(".:~#\"'", c); }),
          "a curve cannot be called \"", a.mnemonic, "\" in LAS: letters, digits, _ and - are allowed");
    check(std::all_of(a.unit.begin(), a.unit.end(),
                      [](char c) { return is_ascii(c) ? is_printable(c) && c != ':' : true; }),
          "\"", a.unit, "\" cannot be a unit in LAS: it must hold neither blanks nor colons");
    check(a.decimals >= 0 && a.decimals <= 17, "curve ", a.mnemonic, ": ", a.decimals,
          " decimals were asked for, 0 to 17 are possible");
    check(int64_t(a.values.size()) == original.length(), "curve ", a.mnemonic, " has ", a.values.size(), " values, ",
          name, " has ", original.length(), " rows");
    const auto taken = [&](std::string_view other) { return same_name(other, a.mnemonic); };
    check(std::none_of(original.curves.begin(), original.curves.end(),
                       [&](const LasCurve& c) { return taken(c.mnemonic) || taken(c.name); }),
          name, " already has a curve ", a.mnemonic, "; choose another name");
    check(std::none_of(added.begin(), added.begin() + ptrdiff_t(i),
                       [&](const AddedCurve& c) { return taken(c.mnemonic); }),
          "two curves to be added are called ", a.mnemonic, "; choose another name for one");
  }
}

// How the file ends its lines and declares its curves, seen in the last declaration.
struct Style {
  std::string newline = "\n", indent;
  std::string gap = " ";      // between the colon and the description
  size_t dot = 0, colon = 0;  // columns
  bool unicode = true;

  explicit Style(const LasFile& las) : unicode(is_utf8(las.header)) {
    const std::string_view line = std::string_view(las.header).substr(las.curve_line, las.curve_end - las.curve_line);
    const size_t end = std::min(line.find_first_of("\r\n"), line.size());
    if (end < line.size()) newline = line.substr(end);
    const std::string_view body = line.substr(0, end);
    const size_t begin = std::min(body.find_first_not_of(" \t"), body.size());
    indent = body.substr(0, begin);
    if (const size_t at = body.find('.', begin + 1); at != body.npos) dot = at;
    if (const size_t at = body.rfind(':'); at != body.npos) colon = at;
    if (const size_t word = body.find_first_not_of(" \t", colon + 1); colon > 0 && word != body.npos)
      gap = body.substr(colon + 1, std::min(word - colon - 1, size_t(4)));
  }

  std::string legible(std::string_view s) const {
    std::string out(s);
    for (char& c : out) {
      if (c == ':') c = ';';  // the last colon of a line ends the value
      else if (is_ascii(c) && !is_printable(c)) c = ' ';
      else if (!is_ascii(c) && !unicode) c = '?';
    }
    return out;
  }
  std::string declaration(const AddedCurve& a) const {
    std::string out = indent + a.mnemonic;
    if (out.size() < dot) out.resize(dot, ' ');
    out += '.' + legible(a.unit);
    out.resize(std::max(colon, out.size() + 1), ' ');
    return out + ':' + gap + legible(a.description) + newline;
  }
};

std::string cell(const LasFile& las, const AddedCurve& a, size_t row) {
  const double value = a.values[row];
  if (!std::isfinite(value)) return las.null_text;
  char buffer[80];
  std::string out(buffer,
                  std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::fixed, a.decimals).ptr);
  double back = 0;
  parse_number(out, back);
  if (back == 0 && out[0] == '-') out.erase(0, 1);
  if (back == las.null_value) {  // rounded to it, perhaps: then every digit helps
    out.assign(buffer, std::to_chars(buffer, buffer + sizeof buffer, a.values[row]).ptr);
    parse_number(out, back);
  }
  check(back != las.null_value, "curve ", a.mnemonic, " is ", out, " in row ", row + 1, ", which is the NULL of ",
        las.path.empty() ? "the LAS file" : las.path.string(),
        "; it would read as missing. Choose another NULL in that file");
  return out;
}
}  // namespace

std::string las_with_curves(const LasFile& original, std::span<const AddedCurve> added) {
  check_added(original, added);
  const Style style(original);
  std::string out = original.header.substr(0, original.curve_end);
  for (const auto& a : added) out += style.declaration(a);
  out += std::string_view(original.header).substr(original.curve_end);

  std::vector<std::vector<std::string>> columns(added.size());
  std::vector<size_t> width(added.size(), 0);
  for (size_t c = 0; c < added.size(); ++c)
    for (size_t row = 0; row < original.row_end.size(); ++row) {
      columns[c].push_back(cell(original, added[c], row));
      width[c] = std::max(width[c], columns[c].back().size());
    }
  if (original.delimiter != ' ') std::fill(width.begin(), width.end(), 0);  // values are aligned by white space only

  size_t from = 0;
  for (size_t row = 0; row < original.row_end.size(); ++row) {
    out += std::string_view(original.data).substr(from, original.row_end[row] - from);
    from = original.row_end[row];
    size_t line = kWrappedWidth;
    for (size_t c = 0; c < added.size(); ++c) {
      const std::string& value = columns[c][row];
      const std::string padding(width[c] > value.size() ? width[c] - value.size() : 0, ' ');
      const size_t size = 1 + padding.size() + value.size();
      if (original.wrapped && line + size > kWrappedWidth) {
        out += style.newline;
        line = 0;
        if (original.delimiter == ' ') out += ' ';
      } else {
        out += original.delimiter;
      }
      out += padding + value;
      line += size;
    }
  }
  return out += std::string_view(original.data).substr(from);
}

void write_las(const std::filesystem::path& to, const LasFile& original, std::span<const AddedCurve> added) {
  write_file(to, las_with_curves(original, added));
}

std::string las_mnemonic(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'a' && c <= 'z') c = char(c - 'a' + 'A');
    else if (!((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))) c = '_';
  }
  return out.empty() ? "_" : out;
}

}  // namespace kern::data
