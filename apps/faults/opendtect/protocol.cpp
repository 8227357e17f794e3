#include "apps/faults/opendtect/protocol.h"

#include <charconv>
#include <cmath>
#include <cstring>

#include "engine/json.h"
#include "kernels/common/error.h"
#include "kernels/common/log.h"

namespace kern::apps::opendtect {
namespace {
using nlohmann::json;

constexpr const char *kThreshold = "Threshold", *kAmplitude = "Amplitude scale", *kVelocity = "Velocity";
constexpr int64_t kMaxValues = int64_t{1} << 29;  // 2 GiB of samples in one request

bool is_plain(char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }
int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

// The number that a widget came back with, if it came at all.
void read_number(const json& parameters, const char* name, double least, double most, double& to) {
  const auto widget = parameters.find(name);
  if (widget == parameters.end()) return;
  const json& value = widget->is_object() && widget->contains("Value") ? (*widget)["Value"] : *widget;
  check(value.is_number(), "the attribute's parameter '", name, "' must be a number");
  const double v = value.get<double>();
  check(v >= least && v <= most, "the attribute's parameter '", name, "' must be from ", least, " to ", most, ", got ",
        v);
  to = v;
}

// An object, or nothing. Depth is bounded before parsing: a parameter is an object in an object with a list.
json object_of(const std::string& text) {
  int depth = 0;
  for (const char c : text) {
    if ((c == '{' || c == '[') && ++depth > 64) return nullptr;
    if (c == '}' || c == ']') --depth;
  }
  json j = json::parse(text, nullptr, false);
  return j.is_object() ? j : json(nullptr);
}

template <class T>
T word(std::span<const std::byte> bytes, size_t index) {
  static_assert(sizeof(T) == 4);
  T v;
  std::memcpy(&v, bytes.data() + 4 * index, 4);
  return v;
}
}  // namespace

std::string percent_encoded(std::string_view text) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text)
    if (is_plain(c)) out += c;
    else out += {'%', kDigits[uint8_t(c) >> 4], kDigits[uint8_t(c) & 15]};
  return out;
}

std::string percent_decoded(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1, low = high < 0 ? -1 : hex_digit(text[i + 2]);
    out += low < 0 ? '?' : char(high * 16 + low);
    i += 2;
  }
  return out;
}

std::string unquoted(std::string_view argument) {
  if (argument.size() >= 2 && argument.front() == '"' && argument.back() == '"')
    argument = argument.substr(1, argument.size() - 2);
  return std::string(argument);
}

std::string parameters_text(const Settings& s) {
  // The order of keys is the order of widgets. ASCII without quotes and backslashes: OpendTect undoes no escapes.
  nlohmann::ordered_json j;
  j["Inputs"] = {"Seismic"};
  j["Output"] = {"Fault probability", "Thinned fault", "Fault dip"};
  j["ZSampMargin"] = {{"Value", {-kMargin, kMargin}}, {"Hidden", true}};
  j["StepOut"] = {{"Value", {0, kStepOut}}, {"Hidden", true}};
  j["Parallel"] = false;
  // Shown as a person would write it: 0.35, not 0.34999999.
  j[kThreshold] = {{"Type", "Number"}, {"Value", std::round(s.threshold * 1e4) / 1e4}};
  j[kAmplitude] = {{"Type", "Number"}, {"Value", s.amplitude}};
  j[kVelocity] = {{"Type", "Number"}, {"Value", s.velocity}};
  return percent_encoded(j.dump());
}

Settings read_settings(std::string_view argument, const Settings& defaults) {
  std::string plain = argument.starts_with('{') ? std::string(argument) : percent_decoded(argument);
  for (char& c : plain)
    if (uint8_t(c) < ' ' || c == 127) c = '?';  // half of a byte above 127
  json j = object_of(plain);
  if (!j.is_object()) {
    const size_t survey = plain.find(",\"Survey\"");
    if (survey != plain.npos) j = object_of(plain.substr(0, survey) + "}");
    if (!j.is_object()) {
      warn("the attribute's parameters cannot be read (", plain.substr(0, 200),
           "): the model's own threshold is used; choose the External File again");
      return defaults;
    }
  }
  Settings s = defaults;
  read_number(j, kThreshold, 0, 1, s.threshold);
  read_number(j, kAmplitude, 0, 1e30, s.amplitude);
  read_number(j, kVelocity, 1, 1e6, s.velocity);
  if (const auto survey = j.find("SurveyDiskLocation"); survey != j.end() && survey->is_string())
    s.survey = survey->get<std::string>();
  return s;
}

int crossline_step(std::string_view text) {
  // "Cross-line range: 300`1250`2"
  constexpr std::string_view kKey = "Cross-line range:";
  const size_t key = text.find(kKey);
  if (key == text.npos) return 0;
  std::string_view line = text.substr(key + kKey.size());
  line = line.substr(0, line.find_first_of("\r\n"));
  const size_t last = line.rfind('`');
  if (last == line.npos || line.find('`') == last) return 0;
  int step = 0;
  std::from_chars(line.data() + last + 1, line.data() + line.size(), step);
  return step > 0 ? step : 0;
}

FirstBytes read_first_bytes(std::span<const std::byte, kFirstBytes> bytes) {
  // In the older form word 14 is the first sample and 11 the first z; in the newer they are a crossline, which as a
  // float is smaller than any sample, and the number of samples.
  const auto w14 = word<int32_t>(bytes, 14);
  const bool newer = w14 > 0 && w14 < 0x00800000 && word<int32_t>(bytes, 11) > 0;
  const SeisInfo i{word<int32_t>(bytes, 0),
                   word<int32_t>(bytes, 1),
                   word<int32_t>(bytes, 2),
                   word<int32_t>(bytes, 3),
                   word<int32_t>(bytes, 4),
                   word<float>(bytes, 5),
                   word<float>(bytes, 6),
                   word<float>(bytes, 7),
                   word<float>(bytes, 8),
                   word<float>(bytes, 9),
                   newer ? word<int32_t>(bytes, 10) : 0};
  auto size = [](int32_t n) { return n >= 1 && n <= 100000; };
  check(size(i.inputs) && size(i.outputs) && size(i.inlines) && size(i.crosslines) && i.inlines % 2 == 1 &&
            i.crosslines % 2 == 1 && int64_t{i.inlines} * i.crosslines == i.traces,
        "OpendTect announced windows of ", i.inlines, " x ", i.crosslines, " = ", i.traces, " traces, ", i.inputs,
        " inputs and ", i.outputs, " outputs: this is no version of the External Attribute that is known");
  return {i, newer ? size_t{44} : size_t{40}};
}

Request read_request(std::span<const std::byte, kRequestBytes> bytes, const SeisInfo& info) {
  const Request r{word<int32_t>(bytes, 0), word<int32_t>(bytes, 1), word<int32_t>(bytes, 2), word<int32_t>(bytes, 3)};
  check(r.samples >= 0 && int64_t{r.samples} <= kMaxValues / info.inputs / info.traces &&
            int64_t{r.samples} <= kMaxValues / info.outputs,
        "OpendTect asks for ", r.samples, " samples of ", info.traces, " traces: no answer can follow");
  return r;
}

}  // namespace kern::apps::opendtect
