#include "apps/wells/source.h"

#include <fmt/format.h>

#include <bit>

namespace kern::apps {

data::WellsOptions options_for(const WellsModel& model, const std::string& path, const std::string& label) {
  data::WellsOptions o{.path = path,
                       .curves = model.curves,
                       .label = label,
                       .classes = int(model.class_count()),
                       .null_values = model.null_values,
                       .step = model.step,
                       .step_unit = model.step_unit};
  for (size_t i = 0; i < model.classes.size(); ++i) {
    if (i >= model.codes.size() || model.codes[i].empty()) o.codes.emplace_back(std::to_string(i), int(i));
    else
      for (const std::string& code : model.codes[i]) o.codes.emplace_back(code, int(i));
  }
  return o;
}

namespace {

// FNV-1a over 64-bit words: told apart, not secured.
struct Hash {
  uint64_t h = 0xcbf29ce484222325;
  void operator()(uint64_t word) {
    h = (h ^ word) * 0x100000001b3;
    h ^= h >> 29;
  }
  std::string hex() const { return fmt::format("{:016x}", h); }
};

}  // namespace

std::string hash_of(const std::vector<data::Well>& wells) {
  Hash add;
  for (const data::Well& w : wells) {
    for (char c : w.id) add(uint64_t(uint8_t(c)));
    for (double d : w.depth) add(std::bit_cast<uint64_t>(d));
    for (const data::Curve& c : w.curves)
      for (float v : c.values) add(std::bit_cast<uint32_t>(v));
    for (int label : w.labels) add(uint64_t(uint32_t(label)));
  }
  return add.hex();
}

std::string hash_of(const std::vector<std::string>& names) {
  Hash add;
  for (const std::string& name : names) {
    for (char c : name) add(uint64_t(uint8_t(c)));
    add(~uint64_t{0});  // ends the name
  }
  return add.hex();
}

}  // namespace kern::apps
