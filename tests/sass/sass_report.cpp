#include "tests/sass/sass_report.h"

#include <cxxabi.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <set>
#include <span>
#include <sstream>
#include <stdexcept>

namespace kern::sass {
namespace {

// --- text ---

std::string_view trim(std::string_view s) {
  const auto begin = s.find_first_not_of(" \t\r");
  if (begin == s.npos) return {};
  return s.substr(begin, s.find_last_not_of(" \t\r") - begin + 1);
}
template <class F>
void for_each_line(std::string_view text, const F& f) {
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    f(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}
std::optional<int64_t> hex(std::string_view s) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), value, 16);
  if (error != std::errc() || end != s.data() + s.size()) return {};
  return value;
}
std::optional<double> number(std::string_view s) {
  double value = 0;
  const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), value);
  if (error != std::errc() || end != s.data() + s.size() || !(std::abs(value) < 1e9)) return {};
  return value;
}
void erase_all(std::string& s, std::string_view what) {
  for (auto at = s.find(what); at != s.npos; at = s.find(what, at)) s.erase(at, what.size());
}
std::string digits(double value, int decimals) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", decimals, value);
  return text;
}

// --- one instruction ---

// "/*0250*/   @!P0 BRA P1, 0x630 ;   /* 0x… */"
std::optional<Instruction> parse_instruction(std::string_view line) {
  line = trim(line);
  if (!line.starts_with("/*")) return {};
  const auto close = line.find("*/"), end = line.find(';');
  if (close == line.npos || end == line.npos) return {};
  const auto address = hex(line.substr(2, close - 2));
  if (!address) return {};
  std::string_view rest = trim(line.substr(close + 2, end - close - 2));
  Instruction out{.address = *address};
  if (rest.starts_with("@")) {
    out.predicated = true;
    rest = trim(rest.substr(std::min(rest.find(' '), rest.size())));
  }
  const auto blank = std::min(rest.find(' '), rest.size());
  out.op = rest.substr(0, blank);
  out.operands = trim(rest.substr(blank));
  return out;
}
bool has_part(std::string_view op, std::string_view part) {  // "128" of "LDG.E.128"
  for (auto at = op.find('.'); at != op.npos; at = op.find('.', at + 1))
    if (op.substr(at + 1, op.find('.', at + 1) - at - 1) == part) return true;
  return false;
}
// Where a branch or call goes.
std::optional<int64_t> target(const Instruction& i) {
  const auto at = i.operands.rfind("0x");
  if (at == std::string::npos) return {};
  return hex(std::string_view(i.operands).substr(at + 2));
}
bool is_tensor(const Instruction& i) { return i.base().ends_with("MMA"); }
bool is_ffma(const Instruction& i) { return i.base().starts_with("FFMA"); }
bool is_copy(const Instruction& i) {
  return i.base() == "LDGSTS" || i.base() == "UBLKCP" || i.base().starts_with("UTMALDG");
}
bool is_local(const Instruction& i) { return i.base() == "LDL" || i.base() == "STL"; }
bool is_global(const Instruction& i) {
  return i.base() == "LDG" || i.base() == "STG" || i.base() == "LD" || i.base() == "ST" || is_copy(i);
}
bool is_shared(const Instruction& i) {
  return i.base() == "LDS" || i.base() == "STS" || i.base() == "LDSM" || i.base() == "STSM";
}
bool is_wide(const Instruction& i) {
  if (i.base().ends_with("SM")) return has_part(i.op, "4");  // four matrices: 16 bytes for each lane
  return has_part(i.op, "128") || has_part(i.op, "256") || i.base().starts_with("UBLKCP") ||
         i.base().starts_with("UTMA");
}
// A division of integers takes the divisor's reciprocal as a float, rounded up, ...
bool is_reciprocal(const Instruction& i) { return i.base() == "I2F" && has_part(i.op, "RP"); }
// ... and gives the upper half of a product with it. Of a constant divisor the reciprocal stands in the instruction.
bool is_quotient(const Instruction& i) {
  return (i.base() == "IMAD" || i.base() == "UIMAD") && has_part(i.op, "HI") && i.operands.ends_with("RZ") &&
         i.operands.find("0x") == std::string::npos;
}

// The index of the instruction at an address; -1 where none is.
int index_of(const std::vector<Instruction>& code, std::optional<int64_t> address) {
  const auto found = std::lower_bound(code.begin(), code.end(), address.value_or(-1),
                                      [](const Instruction& a, int64_t b) { return a.address < b; });
  return found != code.end() && found->address == address ? int(found - code.begin()) : -1;
}
// What a CALL runs, up to the RET: a routine behind the kernel's end, e.g. a division of 64 bits. Empty where it does
// not come back: ptxas leaves loops by such calls.
std::span<const Instruction> routine(const std::vector<Instruction>& code, const Instruction& call) {
  const int begin = index_of(code, target(call));
  if (call.base() != "CALL" || begin < 0) return {};
  const auto end = std::find_if(code.begin() + begin, code.end(),
                                [](const Instruction& i) { return i.base() == "RET" || i.base() == "EXIT"; });
  if (end == code.end() || end->base() == "EXIT") return {};
  return {code.begin() + begin, end};
}

// --- what follows what ---

class Flow {
 public:
  explicit Flow(const std::vector<Instruction>& code) : next_(code.size()), before_(code.size()) {
    for (int i = 0; i < int(code.size()); ++i) {
      const Instruction& at = code[i];
      // BRA.DIV and .CONV are for warps that fell apart, which is slow anyway.
      const bool branches = (at.base() == "BRA" && !has_part(at.op, "DIV") && !has_part(at.op, "CONV")) ||
                            (at.base() == "CALL" && routine(code, at).empty());
      const bool ends = at.base() == "EXIT" || at.base() == "RET" || at.base() == "BRX" || at.base() == "JMX";
      const bool always = !at.predicated && at.operands.find(',') == std::string::npos;
      if (i + 1 < int(code.size()) && !(always && (branches || ends))) link(i, i + 1);
      if (const int to = index_of(code, target(at)); branches && to >= 0) link(i, to);
    }
  }
  const std::vector<int>& next(int i) const { return next_[i]; }
  const std::vector<int>& before(int i) const { return before_[i]; }

 private:
  void link(int from, int to) {
    next_[from].push_back(to);
    before_[to].push_back(from);
  }
  std::vector<std::vector<int>> next_, before_;
};

// For each instruction that nearest one through which every way from the beginning leads (Cooper, Harvey, Kennedy: A
// Simple, Fast Dominance Algorithm); -1 for what is not reached.
std::vector<int> dominators(const Flow& flow, int size) {
  std::vector<int> order, rank(size, -1);  // each before those that follow from it, but for the way back in a loop
  std::vector<size_t> tried(size);
  std::vector<bool> seen(size);
  for (std::vector<int> way{0}; !way.empty();) {
    const int at = way.back();
    seen[at] = true;
    if (tried[at] < flow.next(at).size()) {
      const int next = flow.next(at)[tried[at]++];
      if (!seen[next]) way.push_back(next);
    } else {
      order.push_back(at);
      way.pop_back();
    }
  }
  std::reverse(order.begin(), order.end());
  for (int i = 0; i < int(order.size()); ++i) rank[order[i]] = i;
  std::vector<int> above(size, -1);
  above[0] = 0;
  for (bool changed = true; changed;) {
    changed = false;
    for (const int at : order) {
      if (at == 0) continue;
      int best = -1;
      for (const int from : flow.before(at)) {
        if (above[from] < 0) continue;
        int a = from, b = best < 0 ? from : best;
        while (a != b) {
          while (rank[a] > rank[b]) a = above[a];
          while (rank[b] > rank[a]) b = above[b];
        }
        best = a;
      }
      if (above[at] != best) above[at] = best, changed = true;
    }
  }
  return above;
}

// --- figures ---

template <class Is>
int count(const std::vector<Instruction>& code, const std::vector<int>& which, const Is& is) {
  return int(std::count_if(which.begin(), which.end(), [&](int i) { return is(code[i]); }));
}
std::optional<double> percent(int part, int whole) {
  if (whole == 0) return {};
  return 100.0 * part / whole;
}
bool contains(const std::vector<int>& sorted, int value) {
  return std::binary_search(sorted.begin(), sorted.end(), value);
}

// Divisions in these instructions. Where the divisor stays the same its reciprocal is made before the loop. 64 bits are
// divided by a routine at the kernel's end.
int divisions_of(const std::vector<Instruction>& code, const std::vector<int>& which) {
  int out = std::max(count(code, which, is_reciprocal), count(code, which, is_quotient));
  for (const int i : which) {
    const auto called = routine(code, code[i]);
    out += std::any_of(called.begin(), called.end(), is_reciprocal);
  }
  return out;
}

// What of a loop leads to its copies: all that is no multiplication; but of a loop around others, which does more than
// that, what stands before the last copy.
int spent_on_copies(const std::vector<Instruction>& code, const Loop& loop) {
  int out = 0, last = 0;
  for (const int i : loop.own) {
    out += !is_tensor(code[i]);
    if (is_copy(code[i])) last = out;
  }
  return loop.innermost() ? out : last;
}

}  // namespace

std::vector<Kernel> parse_sass(std::string_view text) {
  std::vector<Kernel> out;
  for_each_line(text, [&](std::string_view line) {
    constexpr std::string_view kFunction = "Function : ";
    const auto at = line.find(kFunction);
    if (at != line.npos) out.push_back({.symbol = std::string(trim(line.substr(at + kFunction.size())))});
    else if (auto i = parse_instruction(line); i && !out.empty()) out.back().code.push_back(std::move(*i));
  });
  return out;
}

std::map<std::string, int> parse_registers(std::string_view text) {
  std::map<std::string, int> out;
  std::string symbol;
  for_each_line(text, [&](std::string_view line) {
    line = trim(line);
    if (line.starts_with("Function ") && line.ends_with(":")) {
      symbol = trim(line.substr(9, line.size() - 10));
    } else if (line.starts_with("REG:") && !symbol.empty()) {
      out[symbol] = int(number(line.substr(4, line.find(' ') - 4)).value_or(0));
      symbol.clear();
    }
  });
  return out;
}

std::string short_name(const std::string& symbol) {
  int status = 0;
  char* demangled = abi::__cxa_demangle(symbol.c_str(), nullptr, nullptr, &status);
  if (status != 0) return symbol;
  std::string out = demangled;
  std::free(demangled);
  erase_all(out, "(anonymous namespace)::");
  erase_all(out, "kern::kernels::");
  erase_all(out, "kern::");
  if (out.starts_with("void ")) out.erase(0, 5);
  int depth = 0;
  for (size_t at = 0; at < out.size(); ++at) {  // "f<(Precision)2>(int)": enumerators keep their number, arguments go
    if (out[at] == '<') ++depth;
    if (out[at] == '>') --depth;
    if (out[at] == '(' && depth == 0) out.erase(at);
    else if (out[at] == '(') out.erase(at, out.find(')', at) + 1 - at);
  }
  for (auto at = out.find("unsigned int"); at != out.npos; at = out.find("unsigned int")) out.erase(at + 8, 4);
  erase_all(out, " ");
  return out;
}

std::vector<Loop> find_loops(const std::vector<Instruction>& code) {
  if (code.empty()) return {};
  const int size = int(code.size());
  const Flow flow(code);
  const std::vector<int> above = dominators(flow, size);
  std::map<int, std::set<int>> bodies;  // by head
  for (int from = 0; from < size; ++from)
    for (const int head : flow.next(from)) {
      if (above[from] < 0 || head == from) continue;  // not reached; the endless branch behind a kernel's end
      int at = from;
      while (at != head && at != 0) at = above[at];
      if (at != head) continue;
      std::set<int>& body = bodies[head];
      body.insert(head);
      for (std::vector<int> open{from}; !open.empty();) {
        const int i = open.back();
        open.pop_back();
        if (!body.insert(i).second) continue;
        for (const int before : flow.before(i))
          if (above[before] >= 0) open.push_back(before);
      }
    }
  std::vector<Loop> out;
  for (const auto& [head, body] : bodies) out.push_back({.head = head, .body{body.begin(), body.end()}});
  for (Loop& loop : out) {
    loop.own = loop.body;
    for (const Loop& inner : out)
      if (inner.head != loop.head && contains(loop.body, inner.head))
        std::erase_if(loop.own, [&](int i) { return contains(inner.body, i); });
  }
  return out;
}

Figures measure(const Kernel& kernel, int registers, double copies) {
  const auto& code = kernel.code;
  const std::vector<Loop> loops = find_loops(code);
  Loop whole;
  std::vector<int> looped;
  for (int i = 0; i < int(code.size()); ++i) {
    const bool fills = code[i].base() == "NOP" || (code[i].base() == "BRA" && target(code[i]) == code[i].address);
    if (!fills) whole.own.push_back(i);
    if (std::any_of(loops.begin(), loops.end(), [&](const Loop& l) { return contains(l.body, i); }))
      looped.push_back(i);
  }
  if (loops.empty()) looped = whole.own;

  const Loop* hot = &whole;
  auto most = [&](const auto& weight) {
    int best = 0;
    for (const Loop& loop : loops)
      if (const int w = weight(loop); w > best) best = w, hot = &loop;
    return best > 0;
  };
  bool tensor = most([&](const Loop& l) { return count(code, l.own, is_tensor); });
  if (!tensor && !most([&](const Loop& l) { return count(code, l.own, is_ffma); }))
    most([](const Loop& l) { return l.innermost() ? int(l.own.size()) : 0; });
  if (loops.empty()) tensor = count(code, whole.own, is_tensor) > 0;
  auto multiplies = [tensor](const Instruction& i) { return tensor ? is_tensor(i) : is_ffma(i); };
  auto math_of = [&](const Loop& l) { return percent(count(code, l.own, multiplies), int(l.own.size())); };

  // The step: the smallest loop that holds the hot one and copies.
  const Loop* step = nullptr;
  for (const Loop& loop : loops)
    if (contains(loop.body, hot->head) && count(code, loop.body, is_copy) &&
        (!step || loop.body.size() < step->body.size()))
      step = &loop;

  Figures out{.registers = registers, .loop = int(hot->own.size())};
  if (count(code, hot->own, multiplies)) out.math = math_of(*hot);
  std::optional<double> least_math;
  for (const Loop& loop : loops) {
    if (step && !contains(step->body, loop.head)) continue;
    if (count(code, loop.own, multiplies)) least_math = std::min(least_math.value_or(100), *math_of(loop));
    if (const int of_loop = count(code, loop.own, is_copy))
      out.per_copy = std::max(out.per_copy, std::optional(double(spent_on_copies(code, loop)) / of_loop));
  }
  if (copies > 0 && least_math && out.per_copy) out.step = 100 / (100 / *least_math + copies * *out.per_copy);
  auto wide = [&](const std::vector<int>& which, const auto& is) {
    return percent(count(code, which, [&](const Instruction& i) { return is(i) && is_wide(i); }),
                   count(code, which, is));
  };
  out.wide_global = wide(count(code, hot->own, is_global) ? hot->own : looped, is_global);
  out.wide_shared = wide(hot->own, is_shared);
  out.spills = count(code, whole.own, is_local);
  out.divisions = divisions_of(code, step ? step->body : hot->own);
  return out;
}

Figures worst(const Figures& a, const Figures& b) {
  auto least = [](const std::optional<double>& x, const std::optional<double>& y) {
    return x && y ? std::min(*x, *y) : x ? x : y;
  };
  return {.registers = std::max(a.registers, b.registers),
          .loop = std::max(a.loop, b.loop),
          .math = least(a.math, b.math),
          .step = least(a.step, b.step),
          .per_copy = std::max(a.per_copy, b.per_copy),  // an empty one is the smallest
          .wide_global = least(a.wide_global, b.wide_global),
          .wide_shared = least(a.wide_shared, b.wide_shared),
          .spills = std::max(a.spills, b.spills),
          .divisions = std::max(a.divisions, b.divisions)};
}

// --- the table ---

namespace {

constexpr int kColumns = 9;  // of figures
const char* const kHeads[kColumns] = {"registers", "loop",    "math%",  "step%",    "per_copy",
                                      "global%",   "shared%", "spills", "divisions"};

std::vector<std::string> cells(const Figures& f) {
  auto maybe = [](const std::optional<double>& v) { return v ? digits(*v, 0) : std::string("-"); };
  return {std::to_string(f.registers), std::to_string(f.loop), maybe(f.math),        maybe(f.step),
          maybe(f.per_copy),           maybe(f.wide_global),   maybe(f.wide_shared), std::to_string(f.spills),
          std::to_string(f.divisions)};
}
std::string copies_of(double copies) { return copies > 0 ? digits(copies, 3) : "-"; }

bool glob(std::string_view pattern, std::string_view text) {
  size_t star = pattern.npos, from = 0, p = 0, t = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') star = p++, from = t;
    else if (p < pattern.size() && pattern[p] == text[t]) ++p, ++t;
    else if (star != pattern.npos) p = star + 1, t = ++from;
    else return false;
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

Row parse_row(std::string_view line, const std::string& where) {
  Row row;
  const auto comment = line.find('#');
  if (comment != line.npos) row.note = trim(line.substr(comment + 1));
  std::istringstream words{std::string(line.substr(0, comment))};
  std::vector<std::string> parts;
  for (std::string word; words >> word;) parts.push_back(word);
  if (parts.size() != 4 && parts.size() != 4 + kColumns)
    throw std::runtime_error(where + ": a row is 'arch source kernel copies' with or without its " +
                             std::to_string(kColumns) + " figures, but there are " + std::to_string(parts.size()) +
                             " words");
  row.arch = parts[0], row.source = parts[1], row.name = parts[2];
  auto figure = [&](size_t at) -> std::optional<double> {
    if (parts[at] == "-") return {};
    const auto value = number(parts[at]);
    if (!value || *value < 0)
      throw std::runtime_error(where + ": '" + parts[at] + "' is no figure: give a number or -");
    return value;
  };
  row.copies = figure(3).value_or(0);
  if (parts.size() == 4) return row;
  auto whole = [&](size_t at) { return int(std::lround(figure(at).value_or(0))); };
  row.figures = Figures{.registers = whole(4),
                        .loop = whole(5),
                        .math = figure(6),
                        .step = figure(7),
                        .per_copy = figure(8),
                        .wide_global = figure(9),
                        .wide_shared = figure(10),
                        .spills = whole(11),
                        .divisions = whole(12)};
  return row;
}

}  // namespace

bool Row::fits(std::string_view kernel) const { return glob(name, kernel); }

Table parse_table(std::string_view text, const std::string& path) {
  Table out;
  for_each_line(text, [&](std::string_view line) {
    line = trim(line);
    constexpr std::string_view kCompiler = "# nvcc ";
    if (line.starts_with(kCompiler)) {
      out.compiler = trim(line.substr(kCompiler.size()));
    } else if (!line.empty() && line[0] != '#') {
      out.rows[out.lines.size()] = parse_row(line, path + ":" + std::to_string(out.lines.size() + 1));
      line = {};
    }
    out.lines.emplace_back(line);
  });
  return out;
}

std::string format(const Table& table) {
  std::map<size_t, std::vector<std::string>> rows;
  std::vector<size_t> width;
  auto fit = [&](const std::vector<std::string>& row) {
    width.resize(std::max(width.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i) width[i] = std::max(width[i], row[i].size());
  };
  std::vector<std::string> heads{"# arch", "source", "kernel", "copies"};
  heads.insert(heads.end(), kHeads, kHeads + kColumns);
  fit(heads);
  for (const auto& [line, row] : table.rows) {
    auto& words = rows[line] = {row.arch, row.source, row.name, copies_of(row.copies)};
    if (row.figures)
      for (const auto& cell : cells(*row.figures)) words.push_back(cell);
    fit(words);
  }
  auto written = [&](const std::vector<std::string>& row) {
    std::string out;
    for (size_t i = 0; i < row.size(); ++i) {
      const std::string blanks(width[i] - row[i].size(), ' ');
      out += (i ? "  " : "") + (i < 3 ? row[i] + blanks : blanks + row[i]);
    }
    return out;
  };
  std::string out;
  for (size_t i = 0; i < table.lines.size(); ++i) {
    const auto row = rows.find(i);
    std::string line = row != rows.end() ? written(row->second) : table.lines[i];
    if (line.starts_with("# nvcc ")) line = "# nvcc " + table.compiler;
    if (line.starts_with("# arch")) line = written(heads);
    if (row != rows.end() && !table.rows.at(i).note.empty()) line += "  # " + table.rows.at(i).note;
    out += std::string(line.substr(0, line.find_last_not_of(' ') + 1)) + "\n";
  }
  return out;
}

std::string format_markdown(const Table& table) {
  std::vector<std::string> archs;
  for (const auto& [line, row] : table.rows)
    if (std::find(archs.begin(), archs.end(), row.arch) == archs.end()) archs.push_back(row.arch);
  std::string out = "| source | kernel |";
  for (const char* head : {"registers", "hot loop", "math", "math in a step", "per copy", "16 B global", "16 B shared",
                           "spills", "divisions"})
    out += " " + std::string(head) + " |";
  out += "\n| --- | --- |";
  for (int i = 0; i < kColumns; ++i) out += " ---: |";
  out += "\n";
  std::set<std::pair<std::string, std::string>> done;
  for (const auto& [line, row] : table.rows) {
    if (!done.insert({row.source, row.name}).second) continue;
    out += "| " + row.source + " | `" + row.name + "`" + (row.note.empty() ? "" : " " + row.note) + " |";
    for (int column = 0; column < kColumns; ++column) {
      std::string cell;
      for (const auto& arch : archs) {
        std::string value = "?";
        for (const auto& [other_line, other] : table.rows)
          if (other.arch == arch && other.source == row.source && other.name == row.name && other.figures)
            value = cells(*other.figures)[size_t(column)];
        const bool share = std::string_view(kHeads[column]).ends_with('%') && value != "-" && value != "?";
        if (share) value += " %";
        if (cell.empty()) cell = value;
        else if (cell != value) cell += " / " + value;
      }
      out += " " + cell + " |";
    }
    out += "\n";
  }
  return out;
}

std::string fill_page(const std::string& page, const Table& table) {
  const std::string begin = "<!-- hot kernels -->\n", end = "<!-- end -->";
  const auto from = page.find(begin), to = page.find(end, from == page.npos ? 0 : from);
  if (from == page.npos || to == page.npos)
    throw std::runtime_error("the page has no lines <!-- hot kernels --> and <!-- end --> to write the table between");
  return page.substr(0, from + begin.size()) + format_markdown(table) + page.substr(to);
}

Verdict compare(const Figures& held, const Figures& now, bool same_compiler) {
  Verdict out;
  auto faults = [&](const char* what, int before, int after) {
    const std::string text = std::to_string(after) + " " + what + " where the table has " + std::to_string(before);
    if (after > before) out.worse.push_back(text);
    else if (after < before) out.better.push_back(text);
  };
  faults("LDL and STL (registers put into memory)", held.spills, now.spills);
  faults("integer divisions in the step of the hot loop", held.divisions, now.divisions);
  if (!same_compiler) return out;
  // good: whether more is better. The table's figures are rounded: half of one is no difference.
  auto figure = [&](const char* what, const std::optional<double>& before, const std::optional<double>& after,
                    bool good, double slack) {
    if (!before && !after) return;
    const std::string text = std::string(what) + ": " + (after ? digits(*after, 0) : "none") + " where the table has " +
                             (before ? digits(*before, 0) : "none");
    if (!before || !after) {  // the kernel is another one: it began to copy, or has no multiplication any more
      out.worse.push_back(text);
      return;
    }
    const double change = good ? *after - *before : *before - *after;
    if (!(change >= -slack)) out.worse.push_back(text);
    else if (change > slack) out.better.push_back(text);
  };
  auto count_of = [&](const char* what, const std::optional<double>& before, const std::optional<double>& after) {
    figure(what, before, after, false, std::max(0.6, 0.03 * before.value_or(0)));
  };
  auto share_of = [&](const char* what, const std::optional<double>& before, const std::optional<double>& after) {
    figure(what, before, after, true, 1.5);
  };
  figure("registers", double(held.registers), double(now.registers), false, 7.5);  // they are given out by eight
  count_of("instructions in the hot loop", double(held.loop), double(now.loop));
  share_of("percent of mathematics in the hot loop", held.math, now.math);
  share_of("percent of mathematics in a step", held.step, now.step);
  count_of("instructions for an asynchronous copy", held.per_copy, now.per_copy);
  share_of("percent of global loads and stores that are 16 bytes wide", held.wide_global, now.wide_global);
  share_of("percent of shared loads and stores that are 16 bytes wide", held.wide_shared, now.wide_shared);
  return out;
}

}  // namespace kern::sass
