// YAML text to Value, by yaml-cpp's events: lines are kept, a key given twice is seen, nesting is bounded.
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <sstream>

#include "kernels/common/error.h"
#include "training/config.h"

namespace kern::training {
namespace {

constexpr size_t kDeepest = 16;  // a configuration needs four levels; more is a mistake or an attack

class Builder final : public YAML::EventHandler {
 public:
  explicit Builder(const std::string& name) : name_(name) {}
  Value root;

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t) override { put({}, mark); }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    throw Error(text(where(mark), ": aliases (*name) are not read in a configuration: write the value out"));
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t, const std::string& value) override {
    put(Value::scalar(value, tag == "!"), mark);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {
    open(Value::list(), mark);
  }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {
    open(Value::map(), mark);
  }
  void OnSequenceEnd() override { open_.pop_back(); }
  void OnMapEnd() override { open_.pop_back(); }

 private:
  std::string where(const YAML::Mark& mark) const { return text(name_, ":", mark.line + 1); }

  // Where the next value belongs. In a map, keys and values come in turn: a key opens an item that its value fills.
  Value* put(Value value, const YAML::Mark& mark) {
    value.line = mark.line + 1;
    if (open_.empty()) return &(root = std::move(value));
    Value& parent = *open_.back();
    if (parent.kind == Value::Kind::list) return &parent.items.emplace_back(std::move(value));
    if (parent.keys.size() > parent.items.size()) {
      value.line = key_line_;  // where a person looks for it
      return &parent.items.emplace_back(std::move(value));
    }
    check(value.kind == Value::Kind::scalar && value.text.size() <= kLongestKey, where(mark),
          ": a key must be a word of at most ", kLongestKey, " characters");
    const auto twice = std::find(parent.keys.begin(), parent.keys.end(), value.text);
    if (twice != parent.keys.end()) {
      const int first = parent.items[size_t(twice - parent.keys.begin())].line;
      throw Error(
          text("key '", value.text, "' is given twice (", name_, ":", first, " and ", where(mark), "): keep one"));
    }
    parent.keys.push_back(std::move(value.text));
    key_line_ = mark.line + 1;
    return nullptr;
  }
  void open(Value value, const YAML::Mark& mark) {
    check(open_.size() < kDeepest, where(mark), ": nested deeper than ", kDeepest, " levels");
    open_.push_back(
        put(std::move(value), mark));  // stays valid: a parent gets its next item only when this one is closed
  }

  const std::string& name_;
  std::vector<Value*> open_;
  int key_line_ = 0;
};

}  // namespace

Value parse_yaml(std::string_view yaml, const std::string& name) {
  Builder builder(name);
  try {
    std::istringstream in{std::string(yaml)};
    YAML::Parser parser(in);
    parser.HandleNextDocument(builder);
    Builder rest(name);
    check(!parser.HandleNextDocument(rest), name, ": holds more than one YAML document ('---'): keep one");
  } catch (const YAML::Exception& e) {
    throw Error(text(name, e.mark.is_null() ? "" : text(":", e.mark.line + 1), ": this is not YAML: ", e.msg));
  }
  return std::move(builder.root);
}

}  // namespace kern::training
