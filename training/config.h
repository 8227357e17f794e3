// The configuration of a command: its keys are described once, and defaults, YAML files, key=value on the command line,
// help, checks, the effective config.yaml of a run folder and docs/configuration.md all come from that description.
//
//   struct Config { std::string data; double lr = 2.5e-4; training::Duration time_budget; };
//   Schema schema("wells train");
//   schema.section("Data").key("data", config.data, "folder of LAS files, or a CSV table", required());
//   schema.section("Training").key("lr", config.lr, "learning rate of the first step", above(0));
//   schema.load_yaml("configs/wells.yaml");
//   schema.set("lr=1e-3");
//   schema.check();
//
// The schema keeps references to the fields: they must outlive it and stay where they are. What a field holds when its
// key is described is the default. Every error names the key, what was given, what is allowed and, for a file, the
// line.
#pragma once
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kern::training {

// Written as 90s, 20m, 1h30m, 2d or plain seconds.
struct Duration {
  double seconds = 0;
  bool operator==(const Duration&) const = default;
};

// What a key accepts besides its type. For a list it holds for every element.
struct Allowed {
  double low = -std::numeric_limits<double>::infinity(), high = std::numeric_limits<double>::infinity();
  bool open_low = false, open_high = false;  // the limit itself is not allowed
  std::vector<std::string> words;            // one of these, where there are any
  bool required = false;                     // must not be empty
  std::string says() const;                  // "greater than 0", "one of cpu, cuda"; empty when all is allowed
};
inline Allowed above(double low) { return {.low = low, .open_low = true}; }
inline Allowed at_least(double low) { return {.low = low}; }
inline Allowed between(double low, double high) { return {.low = low, .high = high}; }  // both ends included
inline Allowed one_of(std::vector<std::string> words) { return {.words = std::move(words)}; }
inline Allowed required() { return {.required = true}; }

// A value as it stands in a file or on the command line, before a key gives it a type.
struct Value {
  enum class Kind { null, scalar, list, map };
  Kind kind = Kind::null;
  std::string text;               // of a scalar
  bool quoted = false;            // a quoted scalar is text, whatever it looks like
  std::vector<std::string> keys;  // of a map: keys[i] names items[i]
  std::vector<Value> items;
  int line = 0;  // in its file, from 1
  static Value scalar(std::string text, bool quoted = false);
  static Value list() { return {.kind = Kind::list}; }
  static Value map() { return {.kind = Kind::map}; }
};
inline constexpr size_t kLongestKey = 200;  // YAML itself ends at 1024, escapes included
Value parse_yaml(std::string_view yaml, const std::string& shown_name);
std::string to_flow(const Value& value);  // on one line, as YAML

// read_value() sets the field and returns an empty text, or returns what was expected and leaves the field as it was.
namespace field {
std::string read_value(const Value& v, bool& to);
std::string read_value(const Value& v, int& to);
std::string read_value(const Value& v, int64_t& to);
std::string read_value(const Value& v, double& to);
std::string read_value(const Value& v, std::string& to);
std::string read_value(const Value& v, Duration& to);
std::string read_value(const Value& v, Value& to);  // whatever it is
Value write_value(bool v);
Value write_value(int v);
Value write_value(int64_t v);
Value write_value(double v);
Value write_value(const std::string& v);
Value write_value(Duration v);
Value write_value(const Value& v);
inline std::string kind_of(const bool&) { return "true or false"; }
inline std::string kind_of(const int&) { return "whole number"; }
inline std::string kind_of(const int64_t&) { return "whole number"; }
inline std::string kind_of(const double&) { return "number"; }
inline std::string kind_of(const std::string&) { return "text"; }
inline std::string kind_of(const Duration&) { return "duration"; }
inline std::string kind_of(const Value&) { return "anything"; }
template <class T>
std::string kind_of(const std::optional<T>&) {
  return kind_of(T{}) + " or none";
}
template <class T>
std::string kind_of(const std::vector<T>&) {
  return "list of " + kind_of(T{});
}
template <class T>
std::string kind_of(const std::map<std::string, T>&) {
  return "table name: " + kind_of(T{});
}
template <class T>
std::string kind_of(const std::vector<std::pair<std::string, T>>&) {
  return "table name: " + kind_of(T{});
}
Value as_list(const Value& v);  // a plain scalar is a list separated by commas, nothing is an empty list

template <class T>
std::string read_value(const Value& v, std::optional<T>& to) {
  if (v.kind == Value::Kind::null ||
      (v.kind == Value::Kind::scalar && !v.quoted && (v.text == "none" || v.text.empty()))) {
    to.reset();
    return {};
  }
  T value{};
  if (auto expected = read_value(v, value); !expected.empty()) return expected + ", or none";
  to = std::move(value);
  return {};
}
template <class T>
std::string read_value(const Value& v, std::vector<T>& to) {
  const Value list = as_list(v);
  if (list.kind != Value::Kind::list) return "a list, [a, b]";
  std::vector<T> out;
  for (const Value& item : list.items) {
    T value{};
    if (auto expected = read_value(item, value); !expected.empty()) return "a list whose elements are each " + expected;
    out.push_back(std::move(value));
  }
  to = std::move(out);
  return {};
}
template <class T>
std::string read_value(const Value& v, std::vector<std::pair<std::string, T>>& to) {
  if (v.kind != Value::Kind::map && v.kind != Value::Kind::null) return "a table, {name: value}";
  std::vector<std::pair<std::string, T>> out;
  for (size_t i = 0; i < v.items.size(); ++i) {
    T value{};
    if (auto expected = read_value(v.items[i], value); !expected.empty())
      return "a table whose values are each " + expected;
    out.emplace_back(v.keys[i], std::move(value));
  }
  to = std::move(out);
  return {};
}
template <class T>
std::string read_value(const Value& v, std::map<std::string, T>& to) {
  std::vector<std::pair<std::string, T>> pairs;
  if (auto expected = read_value(v, pairs); !expected.empty()) return expected;
  to = {pairs.begin(), pairs.end()};
  return {};
}
template <class T>
Value write_value(const std::optional<T>& v) {
  return v ? write_value(*v) : Value{};
}
template <class T>
Value write_value(const std::vector<T>& v) {
  Value out = Value::list();
  for (const T& item : v) out.items.push_back(write_value(item));
  return out;
}
template <class Pairs>
Value write_pairs(const Pairs& v) {
  Value out = Value::map();
  for (const auto& [name, value] : v) out.keys.push_back(name), out.items.push_back(write_value(value));
  return out;
}
template <class T>
Value write_value(const std::vector<std::pair<std::string, T>>& v) {
  return write_pairs(v);
}
template <class T>
Value write_value(const std::map<std::string, T>& v) {
  return write_pairs(v);
}
}  // namespace field

// A key as people are told of it.
struct KeyDescription {
  std::string name, section, help, kind, default_text;
  std::string says;                // what is allowed besides the kind; empty: all
  std::vector<std::string> words;  // one of these, where there are any
  bool required = false;
};

class Schema {
 public:
  explicit Schema(std::string command);  // "wells train": messages name it

  // Keys described from here on stand under this heading.
  Schema& section(std::string title);
  // T: bool, int, int64_t, double, std::string, Duration; optional<T>, vector<T>; map<string, T> or
  // vector<pair<string, T>> (keeps the order) for tables such as labels: {65000: 0}. A name may be dotted:
  // "unet.kernel" is also `unet: {kernel: 3}` in YAML.
  template <class T>
  Schema& key(std::string name, T& to, std::string help, Allowed allowed = {});
  // An enumeration by its words.
  template <class E>
  Schema& choice(std::string name, E& to, std::string help, std::vector<std::pair<std::string, E>> words);
  // A list of structures, each described by its own keys: classes: [{name: shale, colour: "#777777", codes: [65000]}].
  template <class T>
  Schema& list(std::string name, std::vector<T>& to, std::string help, void (*describe)(Schema&, T&));

  // What the key described last was called before: whoever still writes that is told the new name.
  Schema& formerly(std::string old_name);

  void load_yaml(const std::string& path);
  void load_text(std::string_view yaml, const std::string& shown_name);
  void set(const std::string& name, const Value& value, const std::string& file);  // as if it stood in that file
  void set(std::string_view key_is_value);  // "lr=1e-3", "curves=[GR, RHOB]" or "curves=GR,RHOB", "labels.65000=0"
  void check() const;                       // ranges and required keys; one Error lists all that is wrong

  bool has(std::string_view name) const;                            // whether there is such a key
  bool given(std::string_view name) const;                          // by a file or the command line, not by default
  std::vector<std::pair<std::string, std::string>> values() const;  // every key and its value on one line
  std::string to_yaml() const;  // the effective configuration: load_text() of it changes nothing
  std::vector<KeyDescription> keys() const;
  std::string help() const;      // for a terminal
  std::string markdown() const;  // a table per section
  // For a page: a key as a row of a Markdown table, with the columns of a list of structures as further rows.
  struct Row {
    std::string section, key, text;
  };
  std::vector<Row> rows() const;
  const std::string& command() const { return command_; }

 private:
  struct Entry {
    std::string name, section, help, kind, former_name;
    Allowed allowed;
    bool is_table = false;
    std::string default_text;
    std::function<std::string(const Value&, const std::string& file)> read;  // as field::read_value
    std::function<Value()> write;
    std::function<void(std::vector<std::string>&)> check_items;  // of a list of structures
    std::vector<Entry> columns;                                  // likewise
    std::string given;                                           // "configs/x.yaml:12"; empty: the default
  };
  Entry& add(std::string name, std::string help, std::string kind, Allowed allowed);
  Entry* find(std::string_view name);
  void read(Entry& entry, const Value& value, const std::string& file);
  void read_map(const Value& map, const std::string& prefix, const std::string& file, std::map<std::string, int>& seen);
  void problems(std::vector<std::string>& out) const;
  [[noreturn]] void unknown(const std::string& name, const std::string& place) const;
  std::vector<Entry> entries_;
  std::string command_, section_;
};

// The word nearest to `word` by edit distance; empty when none is near.
std::string nearest_word(std::string_view word, const std::vector<std::string>& words);
// "1h30m" -> 5400; nothing when it is no duration.
std::optional<double> parse_duration(std::string_view text);
std::string to_string(Duration d);

template <class T>
Schema& Schema::key(std::string name, T& to, std::string help, Allowed allowed) {
  Entry& e = add(std::move(name), std::move(help), field::kind_of(to), std::move(allowed));
  e.read = [&to](const Value& v, const std::string&) { return field::read_value(v, to); };
  e.write = [&to] { return field::write_value(to); };
  e.is_table = e.write().kind == Value::Kind::map;
  e.default_text = to_flow(e.write());
  return *this;
}

template <class E>
Schema& Schema::choice(std::string name, E& to, std::string help, std::vector<std::pair<std::string, E>> words) {
  Allowed allowed;
  for (const auto& [word, value] : words) allowed.words.push_back(word);
  Entry& e = add(std::move(name), std::move(help), "word", allowed);
  e.read = [&to, words, says = allowed.says()](const Value& v, const std::string&) {
    for (const auto& [word, value] : words)
      if (v.kind == Value::Kind::scalar && v.text == word) {
        to = value;
        return std::string();
      }
    return says;
  };
  e.write = [&to, words] {
    for (const auto& [word, value] : words)
      if (value == to) return Value::scalar(word);
    return Value{};
  };
  e.default_text = to_flow(e.write());
  return *this;
}

template <class T>
Schema& Schema::list(std::string name, std::vector<T>& to, std::string help, void (*describe)(Schema&, T&)) {
  Entry& e = add(name, std::move(help), "list of tables", {});
  T blank{};
  Schema columns(command_);
  describe(columns, blank);
  e.columns = columns.entries_;  // for their description only: they are bound to `blank`
  e.read = [&to, name, describe, command = command_](const Value& v, const std::string& file) -> std::string {
    if (v.kind != Value::Kind::list && v.kind != Value::Kind::null) return "a list of tables, [{...}, {...}]";
    std::vector<T> out;
    for (const Value& item : v.items) {
      if (item.kind != Value::Kind::map) return "a list of tables, [{...}, {...}]";
      Schema keys(command);
      describe(keys, out.emplace_back());
      std::map<std::string, int> seen;
      keys.read_map(item, "", file, seen);
    }
    to = std::move(out);
    return {};
  };
  e.write = [&to, describe] {
    Value out = Value::list();
    for (T& item : to) {
      Schema keys("");
      describe(keys, item);
      Value& map = out.items.emplace_back(Value::map());
      for (const Entry& k : keys.entries_) map.keys.push_back(k.name), map.items.push_back(k.write());
    }
    return out;
  };
  e.check_items = [&to, name, describe](std::vector<std::string>& out) {
    for (size_t i = 0; i < to.size(); ++i) {
      Schema keys("");
      describe(keys, to[i]);
      std::vector<std::string> found;
      keys.problems(found);
      for (const std::string& p : found) out.push_back(name + "[" + std::to_string(i) + "]." + p);
    }
  };
  e.default_text = to_flow(e.write());
  return *this;
}

// A Markdown table for each section, under headings of that level ("###").
std::string markdown_tables(const std::vector<Schema::Row>& rows, const std::string& heading);

}  // namespace kern::training
