#include "training/config.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>

#include "kernels/common/error.h"

namespace kern::training {
namespace {

constexpr size_t kLargestFile = 1 << 20;

std::string in_quotes(std::string_view s) {
  constexpr size_t kShown = 60;
  std::string out = "'";
  for (char c : s.substr(0, kShown)) out += uint8_t(c) < 0x20 || c == 0x7f ? ' ' : c;
  return out + (s.size() > kShown ? "...'" : "'");
}

std::string shown(const Value& v) {
  switch (v.kind) {
    case Value::Kind::null:
      return "nothing";
    case Value::Kind::scalar:
      return in_quotes(v.text);
    case Value::Kind::list:
      return "the list " + in_quotes(to_flow(v));
    case Value::Kind::map:
      break;
  }
  return "the table " + in_quotes(to_flow(v));
}

std::string place(const std::string& file, int line) { return line > 0 ? text(file, ":", line) : file; }

template <class T>
std::optional<T> parse_number(std::string_view s) {
  if (s.size() > 1 && s[0] == '+' && s[1] != '-') s.remove_prefix(1);
  T value{};
  const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), value);
  if (error != std::errc() || end != s.data() + s.size()) return {};
  return value;
}

// Shortest text that reads back as the same number.
std::string number_text(double v) {
  char buffer[64];
  const bool plain = v == 0 || (std::fabs(v) >= 1e-4 && std::fabs(v) < 1e15);
  const auto end = plain ? std::to_chars(buffer, buffer + sizeof buffer, v, std::chars_format::fixed).ptr
                         : std::to_chars(buffer, buffer + sizeof buffer, v).ptr;
  return {buffer, end};
}

bool is_word_of(std::string_view s, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), s) != words.end();
}

// Whether a text may stand in YAML without quotes and is read as the same text by any reader.
bool plain_text(std::string_view s) {
  if (s.empty() || s.front() == ' ' || s.back() == ' ') return false;
  for (char c : s)
    if (!std::isalnum(uint8_t(c)) && !is_word_of({&c, 1}, {"_", "-", ".", "/", "+", " ", "(", ")"})) return false;
  if (!std::isalpha(uint8_t(s[0])) && s[0] != '/') return false;
  std::string lower(s);
  for (char& c : lower) c = char(std::tolower(uint8_t(c)));
  return !is_word_of(lower, {"true", "false", "yes", "no", "on", "off", "y", "n", "null", "none"});
}

std::string yaml_quoted(std::string_view s) {
  constexpr char kHex[] = "0123456789abcdef";
  std::string out = "\"";
  for (char c : s) {
    if (c == '"' || c == '\\') (out += '\\') += c;
    else if (c == '\n') out += "\\n";
    else if (c == '\t') out += "\\t";
    else if (uint8_t(c) < 0x20 || c == 0x7f) ((out += "\\x") += kHex[uint8_t(c) >> 4]) += kHex[c & 15];
    else out += c;
  }
  return out + '"';
}

std::string trimmed(std::string_view s) {
  while (!s.empty() && std::isspace(uint8_t(s.front()))) s.remove_prefix(1);
  while (!s.empty() && std::isspace(uint8_t(s.back()))) s.remove_suffix(1);
  return std::string(s);
}

// What `allowed` finds wrong with a value; empty when nothing.
std::string violation(const Allowed& allowed, const Value& v) {
  if (v.kind == Value::Kind::null) return {};
  for (const Value& item : v.items)
    if (auto wrong = violation(allowed, item); !wrong.empty()) return wrong;
  if (v.kind != Value::Kind::scalar) return {};
  if (!allowed.words.empty() && std::find(allowed.words.begin(), allowed.words.end(), v.text) == allowed.words.end()) {
    const std::string near = nearest_word(v.text, allowed.words);
    return text(" must be ", allowed.says(), ", got ", in_quotes(v.text),
                near.empty() ? "" : "; did you mean '" + near + "'?");
  }
  const auto number = parse_duration(v.text);
  if (number && (*number < allowed.low || *number > allowed.high || (allowed.open_low && *number == allowed.low) ||
                 (allowed.open_high && *number == allowed.high)))
    return text(" must be ", allowed.says(), ", got ", v.text);
  return {};
}

bool is_empty(const Value& v) {
  return v.kind == Value::Kind::null || (v.kind == Value::Kind::scalar ? v.text.empty() : v.items.empty());
}

// "a, b, c" over lines of at most `width` characters, later lines indented.
std::string wrapped(const std::string& s, size_t indent, size_t width) {
  std::string out, line;
  for (size_t at = 0; at < s.size();) {
    const size_t end = std::min(s.find(' ', at), s.size());
    if (!line.empty() && indent + line.size() + 1 + (end - at) > width) {
      out += line + "\n" + std::string(indent, ' ');
      line.clear();
    }
    line += (line.empty() ? "" : " ") + s.substr(at, end - at);
    at = end + 1;
  }
  return out + line;
}

}  // namespace

std::string Allowed::says() const {
  if (!words.empty()) {
    std::string out = "one of ";
    for (size_t i = 0; i < words.size(); ++i) out += (i ? ", " : "") + words[i];
    return out;
  }
  const bool has_low = std::isfinite(low), has_high = std::isfinite(high);
  std::string out;
  if (has_low && has_high && !open_low && !open_high) return text("from ", number_text(low), " to ", number_text(high));
  if (has_low) out = text(open_low ? "greater than " : "at least ", number_text(low));
  if (has_high) out += text(has_low ? " and " : "", open_high ? "less than " : "at most ", number_text(high));
  return out;
}

Value Value::scalar(std::string text, bool quoted) {
  return {.kind = Kind::scalar, .text = std::move(text), .quoted = quoted};
}

std::string to_flow(const Value& v) {
  if (v.kind == Value::Kind::null) return "none";
  if (v.kind == Value::Kind::scalar) return v.quoted && !plain_text(v.text) ? yaml_quoted(v.text) : v.text;
  std::string out = v.kind == Value::Kind::list ? "[" : "{";
  for (size_t i = 0; i < v.items.size(); ++i) {
    if (i) out += ", ";
    if (v.kind == Value::Kind::map) {
      const bool number = !v.keys[i].empty() &&
                          std::all_of(v.keys[i].begin(), v.keys[i].end(), [](char c) { return c >= '0' && c <= '9'; });
      out += (number || plain_text(v.keys[i]) ? v.keys[i] : yaml_quoted(v.keys[i])) + ": ";
    }
    out += to_flow(v.items[i]);
  }
  return out + (v.kind == Value::Kind::list ? ']' : '}');
}

std::optional<double> parse_duration(std::string_view s) {
  if (auto seconds = parse_number<double>(s)) return std::isfinite(*seconds) ? seconds : std::nullopt;
  double total = 0, last_unit = std::numeric_limits<double>::infinity();
  while (!s.empty()) {
    const size_t digits = std::min(s.find_first_not_of("0123456789."), s.size());
    const auto number = parse_number<double>(s.substr(0, digits));
    if (!number || digits == s.size()) return {};
    const char letter = s[digits];
    const double unit = letter == 'd' ? 86400 : letter == 'h' ? 3600 : letter == 'm' ? 60 : letter == 's' ? 1 : 0;
    if (unit == 0 || unit >= last_unit) return {};  // 30m1h is a slip, not a duration
    total += *number * unit;
    last_unit = unit;
    s.remove_prefix(digits + 1);
  }
  return last_unit < 1e9 && std::isfinite(total) ? std::optional(total) : std::nullopt;
}

std::string to_string(Duration d) {
  const double whole = std::floor(d.seconds);
  if (d.seconds < 60 || whole != d.seconds || whole > 1e12) return number_text(d.seconds) + "s";
  auto left = int64_t(whole);
  std::string out;
  for (auto [unit, letter] : {std::pair(86400, 'd'), std::pair(3600, 'h'), std::pair(60, 'm'), std::pair(1, 's')}) {
    if (left >= unit) out += std::to_string(left / unit) + letter;
    left %= unit;
  }
  return out;
}

// Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours, a change of case costs a
// quarter.
std::string nearest_word(std::string_view word, const std::vector<std::string>& words) {
  if (word.size() > 100) return {};
  const auto distance = [&](std::string_view to) {
    std::vector<std::vector<double>> d(word.size() + 1, std::vector<double>(to.size() + 1));
    for (size_t i = 0; i <= word.size(); ++i)
      for (size_t j = 0; j <= to.size(); ++j) {
        if (!i || !j) {
          d[i][j] = double(i + j);
          continue;
        }
        const char a = word[i - 1], b = to[j - 1];
        const double differ = a == b ? 0 : std::tolower(uint8_t(a)) == std::tolower(uint8_t(b)) ? 0.25 : 1;
        d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + differ});
        if (i > 1 && j > 1 && a == to[j - 2] && word[i - 2] == b) d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
      }
    return d[word.size()][to.size()];
  };
  std::string best;
  double least = std::max(1.0, double(word.size()) * 0.45);
  for (const std::string& w : words) {
    double cost = distance(w);
    if (const auto dot = w.rfind('.'); dot != w.npos)
      cost = std::min(cost, distance(w.substr(dot + 1)) + 0.5);  // kernel -> unet.kernel
    if (w.size() > 2 && word.size() > 2 && (w.starts_with(word) || word.starts_with(w)))
      cost = std::min(cost, 1 + 0.01 * cost);  // of several the nearest: epoch -> epochs, not epoch_updates
    if (cost <= least && (best.empty() || cost < least)) best = w, least = cost;
  }
  return best;
}

namespace field {

std::string read_value(const Value& v, bool& to) {
  const bool plain = v.kind == Value::Kind::scalar && !v.quoted;
  if (plain && is_word_of(v.text, {"true", "True", "yes", "on"})) return to = true, "";
  if (plain && is_word_of(v.text, {"false", "False", "no", "off"})) return to = false, "";
  return "true or false";
}
std::string read_value(const Value& v, int64_t& to) {
  if (v.kind != Value::Kind::scalar) return "a whole number";
  if (const auto n = parse_number<int64_t>(v.text)) return to = *n, "";
  const bool digits = !v.text.empty() && v.text.find_first_not_of("0123456789", v.text[0] == '-') == v.text.npos;
  return digits && v.text.size() > 15 ? "a whole number of at most 18 digits" : "a whole number";
}
std::string read_value(const Value& v, int& to) {
  int64_t wide = 0;
  if (auto expected = read_value(v, wide); !expected.empty()) return expected;
  if (wide < std::numeric_limits<int>::min() || wide > std::numeric_limits<int>::max())
    return "a whole number from -2147483648 to 2147483647";
  return to = int(wide), "";
}
std::string read_value(const Value& v, double& to) {
  const auto n = v.kind == Value::Kind::scalar ? parse_number<double>(v.text) : std::nullopt;
  if (!n || !std::isfinite(*n)) return n ? "a finite number" : "a number";
  return to = *n, "";
}
std::string read_value(const Value& v, std::string& to) {
  if (v.kind == Value::Kind::list || v.kind == Value::Kind::map) return "a text";
  return to = v.text, "";
}
std::string read_value(const Value& v, Duration& to) {
  const auto seconds = v.kind == Value::Kind::scalar ? parse_duration(v.text) : std::nullopt;
  if (!seconds || *seconds < 0) return "a duration such as 90s, 20m, 1h30m";
  return to.seconds = *seconds, "";
}

Value write_value(bool v) { return Value::scalar(v ? "true" : "false"); }
Value write_value(int v) { return Value::scalar(std::to_string(v)); }
Value write_value(int64_t v) { return Value::scalar(std::to_string(v)); }
Value write_value(double v) { return Value::scalar(number_text(v)); }
Value write_value(const std::string& v) { return Value::scalar(v, true); }
std::string read_value(const Value& v, Value& to) {
  to = v;
  return {};
}
Value write_value(const Value& v) { return v; }
Value write_value(Duration v) { return Value::scalar(to_string(v)); }

Value as_list(const Value& v) {
  if (v.kind == Value::Kind::list || v.kind == Value::Kind::map) return v;
  Value out = Value::list();
  if (v.kind == Value::Kind::null || (v.text.empty() && !v.quoted)) return out;
  if (v.quoted) {
    out.items.push_back(v);
    return out;
  }
  for (size_t at = 0; at <= v.text.size();) {
    const size_t comma = std::min(v.text.find(',', at), v.text.size());
    out.items.push_back(Value::scalar(trimmed(std::string_view(v.text).substr(at, comma - at))));
    at = comma + 1;
  }
  return out;
}

}  // namespace field

Schema::Schema(std::string command) : command_(std::move(command)) {}

Schema& Schema::section(std::string title) {
  section_ = std::move(title);
  return *this;
}

Schema::Entry& Schema::add(std::string name, std::string help, std::string kind, Allowed allowed) {
  internal_check(find(name) == nullptr, "key '", name, "' of '", command_, "' is described twice");
  Entry& e = entries_.emplace_back();
  e.name = std::move(name);
  e.section = section_;
  e.help = std::move(help);
  e.kind = std::move(kind);
  e.allowed = std::move(allowed);
  return e;
}

Schema::Entry* Schema::find(std::string_view name) {
  for (Entry& e : entries_)
    if (e.name == name) return &e;
  return nullptr;
}

Schema& Schema::formerly(std::string old_name) {
  internal_check(!entries_.empty(), "Schema::formerly(", old_name, ") before any key");
  entries_.back().former_name = std::move(old_name);
  return *this;
}

void Schema::unknown(const std::string& name, const std::string& at) const {
  for (const Entry& e : entries_)
    kern::check(e.former_name != name, "the key ", in_quotes(name), " is called '", e.name, "' now (", at, "): write ",
                e.name, " instead");
  std::vector<std::string> names;
  for (const Entry& e : entries_) names.push_back(e.name);
  const std::string near = nearest_word(name, names);
  std::string what = text("unknown key ", in_quotes(name), " (", at, ")");
  if (!near.empty()) what += "; did you mean '" + near + "'?";
  if (!command_.empty()) what += (near.empty() ? "; 'kern " : " 'kern ") + command_ + " --help-keys' lists every key";
  throw Error(what);
}

void Schema::read(Entry& e, const Value& value, const std::string& file) {
  const std::string at = place(file, value.line), expected = e.read(value, file);
  // Of three letters any word is near: gpu is not a mistyped cpu.
  const bool telling = value.kind == Value::Kind::scalar && value.text.size() > 3;
  const std::string near = telling ? nearest_word(value.text, e.allowed.words) : "";
  kern::check(expected.empty(), e.name, " must be ", expected, ", got ", shown(value), " (", at, ")",
              near.empty() ? "" : "; did you mean '" + near + "'?");
  e.given = at;
}

void Schema::read_map(const Value& map, const std::string& prefix, const std::string& file,
                      std::map<std::string, int>& seen) {
  for (size_t i = 0; i < map.items.size(); ++i) {
    const Value& value = map.items[i];
    const std::string name = prefix + map.keys[i];
    if (Entry* e = find(name)) {
      const auto [first, is_new] = seen.emplace(name, value.line);
      kern::check(is_new, "key '", name, "' is given twice (", place(file, first->second), " and ",
                  place(file, value.line), "): keep one");
      read(*e, value, file);
      continue;
    }
    const bool group =
        std::any_of(entries_.begin(), entries_.end(), [&](const Entry& e) { return e.name.starts_with(name + "."); });
    if (!group) unknown(name, place(file, value.line));
    kern::check(value.kind == Value::Kind::map || value.kind == Value::Kind::null, name,
                " must be a table of keys, got ", shown(value), " (", place(file, value.line), ")");
    read_map(value, name + ".", file, seen);
  }
}

void Schema::load_yaml(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  kern::check(bool(in), "cannot open the configuration ", in_quotes(path), ": no such file, or it may not be read");
  std::string yaml(kLargestFile + 1, '\0');
  in.read(yaml.data(), std::streamsize(yaml.size()));
  kern::check(!in.bad() && in.gcount() >= 0 && (in.gcount() > 0 || in.eof()), "cannot read the configuration ",
              in_quotes(path), ": is it a folder?");
  kern::check(in.gcount() <= std::streamsize(kLargestFile), "the configuration ", in_quotes(path),
              " is larger than 1 MiB: is it a data file?");
  yaml.resize(size_t(in.gcount()));
  load_text(yaml, path);
}

void Schema::load_text(std::string_view yaml, const std::string& shown_name) {
  const Value root = parse_yaml(yaml, shown_name);
  kern::check(root.kind == Value::Kind::map || root.kind == Value::Kind::null, shown_name,
              ": a configuration is made of 'key: value' lines, got ", shown(root));
  std::map<std::string, int> seen;
  read_map(root, "", shown_name, seen);
}

void Schema::set(const std::string& name, const Value& value, const std::string& file) {
  Entry* e = find(name);
  if (!e) unknown(name, place(file, value.line));
  read(*e, value, file);
}

void Schema::set(std::string_view key_is_value) {
  const std::string file = "command line";
  const auto equals = key_is_value.find('=');
  kern::check(equals != key_is_value.npos && equals > 0, in_quotes(key_is_value), " is not of the form key=value");
  const std::string name = trimmed(key_is_value.substr(0, equals));
  kern::check(name.size() <= kLongestKey, "the key ", in_quotes(name), " is longer than ", kLongestKey, " characters");
  const std::string given = trimmed(key_is_value.substr(equals + 1));
  Value value = Value::scalar(given);
  if (!given.empty() && is_word_of({given.data(), 1}, {"[", "{", "\"", "'"})) {
    value = parse_yaml(given, file);
    value.line = 0;
  }
  if (Entry* e = find(name)) return read(*e, value, file);
  for (Entry& e : entries_)  // one row of a table: labels.65000=0
    if (e.is_table && name.starts_with(e.name + ".")) {
      Value table = e.write();
      const std::string row = name.substr(e.name.size() + 1);
      const auto at = size_t(std::find(table.keys.begin(), table.keys.end(), row) - table.keys.begin());
      if (at == table.keys.size()) table.keys.push_back(row), table.items.emplace_back();
      table.items[at] = value;
      return read(e, table, file);
    }
  unknown(name, file);
}

void Schema::problems(std::vector<std::string>& out) const {
  for (const Entry& e : entries_) {
    const Value value = e.write();
    const std::string at = e.given.empty() ? "" : " (" + e.given + ")";
    if (e.allowed.required && is_empty(value)) out.push_back(text(e.name, " must be given: ", e.help, at));
    else if (const auto wrong = violation(e.allowed, value); !wrong.empty()) out.push_back(e.name + wrong + at);
    if (e.check_items) e.check_items(out);
  }
}

void Schema::check() const {
  std::vector<std::string> wrong;
  problems(wrong);
  if (wrong.empty()) return;
  if (wrong.size() == 1) throw Error(wrong[0]);
  std::string all = text(wrong.size(), " things are wrong in the configuration:");
  for (const std::string& w : wrong) all += "\n  " + w;
  throw Error(all);
}

bool Schema::has(std::string_view name) const {
  return std::any_of(entries_.begin(), entries_.end(), [&](const Entry& e) { return e.name == name; });
}

bool Schema::given(std::string_view name) const {
  for (const Entry& e : entries_)
    if (e.name == name) return !e.given.empty();
  throw InternalError(text("'", command_, "' has no key '", name, "'"));
}

std::vector<std::pair<std::string, std::string>> Schema::values() const {
  std::vector<std::pair<std::string, std::string>> out;
  for (const Entry& e : entries_) {
    const Value v = e.write();
    out.emplace_back(e.name, v.kind == Value::Kind::scalar ? v.text : to_flow(v));
  }
  return out;
}

std::string Schema::to_yaml() const {
  std::string out = "# kern " + command_ + "\n", section;
  for (const Entry& e : entries_) {
    if (e.section != section) out += "\n# " + (section = e.section) + "\n";
    const Value v = e.write();
    out += e.name + ":";
    if (!e.columns.empty() && !v.items.empty()) {
      out += "  # " + e.help + "\n";
      for (const Value& item : v.items) out += "  - " + to_flow(item) + "\n";
    } else {
      out += " " + to_flow(v) + "  # " + e.help + "\n";
    }
  }
  return out;
}

std::vector<KeyDescription> Schema::keys() const {
  std::vector<KeyDescription> out;
  for (const Entry& e : entries_)
    out.push_back({e.name, e.section, e.help, e.kind, e.default_text, e.allowed.says(), e.allowed.words,
                   e.allowed.required && e.default_text == "\"\""});
  return out;
}

std::string Schema::help() const {
  constexpr size_t kIndent = 6, kWidth = 100;
  std::string out = "Keys of 'kern " + command_ + "', given as key=value or in a YAML file as 'key: value':\n", section;
  const auto line = [&](const Entry& e, const std::string& name, const auto& self) -> void {
    std::string what = e.help + " (" + e.kind;
    if (const auto says = e.allowed.says(); !says.empty()) what += ", " + says;
    if (e.allowed.required) what += ", required";
    what += ")";
    out += "  " + name + (e.allowed.required && e.default_text == "\"\"" ? "=..." : "=" + e.default_text) + "\n";
    out += std::string(kIndent, ' ') + wrapped(what, kIndent, kWidth) + "\n";
    for (const Entry& c : e.columns) self(c, name + "[]." + c.name, self);
  };
  for (const Entry& e : entries_) {
    if (e.section != section) out += "\n" + (section = e.section) + "\n";
    line(e, e.name, line);
  }
  return out;
}

std::vector<Schema::Row> Schema::rows() const {
  const auto cell = [](const std::string& s) {
    std::string out;
    for (char c : s) out += c == '|' ? "\\|" : c == '\n' ? " " : std::string(1, c);
    return out;
  };
  const auto line = [&](const Entry& e, const std::string& name, const auto& self) -> std::string {
    const std::string says = e.allowed.says();
    const std::string code = e.default_text == "\"\"" ? "" : "`" + cell(e.default_text) + "`";
    std::string out = "| `" + name + "` | " + cell(e.kind + (says.empty() ? "" : ", " + says)) + " | " +
                      (e.allowed.required ? "required" : code) + " | " + cell(e.help) + " |\n";
    for (const Entry& c : e.columns) out += self(c, name + "[]." + c.name, self);
    return out;
  };
  std::vector<Row> out;
  for (const Entry& e : entries_) out.push_back({e.section, e.name, line(e, e.name, line)});
  return out;
}

std::string Schema::markdown() const { return markdown_tables(rows(), "###"); }

std::string markdown_tables(const std::vector<Schema::Row>& rows, const std::string& heading) {
  std::string out;
  const std::string* section = nullptr;
  for (const Schema::Row& r : rows) {
    if (!section || r.section != *section) {
      if (!r.section.empty()) out += (out.empty() ? "" : "\n") + heading + " " + r.section + "\n\n";
      out += "| key | type | default | meaning |\n| --- | --- | --- | --- |\n";
      section = &r.section;
    }
    out += r.text;
  }
  return out;
}

}  // namespace kern::training
