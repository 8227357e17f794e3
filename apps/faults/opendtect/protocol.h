// What OpendTect's External Attribute (WMPlugins) says to the program it starts, and what it wants to hear: the
// arguments -g and -c, percent-coded JSON, and the little-endian blocks on stdin and stdout. Nothing here reads or
// writes; docs/opendtect.md is for its user.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace kern::apps::opendtect {

// A tile of kKept columns is computed from kContext more on either side (tiles.h): a window that reaches kStepOut
// columns to both sides holds the whole tile, whichever of its columns it stands on.
inline constexpr int kKept = 40, kContext = 24, kStepOut = kKept - 1 + kContext;
// Samples above and below that are asked for: a time slice shows the network a strip of 65.
inline constexpr int kMargin = 32;

// The answers, in this order.
enum Output { probability = 0, thinned = 1, dip = 2 };
inline constexpr int kOutputs = 3;

// Everything but [A-Za-z0-9] as %XX.
std::string percent_encoded(std::string_view text);
// OpendTect 7.0.5 and later codes bytes above 127 as a % and two characters that need not be digits (é as %3*%10): what
// is no code becomes a question mark.
std::string percent_decoded(std::string_view text);
// A path with blanks arrives in double quotes.
std::string unquoted(std::string_view argument);

// What a person can choose in the attribute's dialog, and what OpendTect says of the survey.
struct Settings {
  double threshold = 0.5;  // of the thinned fault and of the dip
  double amplitude = 0;    // what amplitudes are divided by; 0: their own size round every tile
  double velocity = 2000;  // m/s: the dip of faults where z is time
  std::string survey;      // the survey's folder; empty: not said (before 7.0.5)
};

// What -g prints.
std::string parameters_text(const Settings& defaults);
// The argument of -c: percent-coded JSON, or plain (6.4). What is not in it keeps its default. OpendTect ends it with
// the survey's name and folder and the inputs' names, in which a double quote or a backslash breaks the JSON: then
// these are left out, and if what remains is still no JSON, all keeps its default; a warning says so. Errors: a value
// that is no number or out of range.
Settings read_settings(std::string_view argument, const Settings& defaults);

// The survey's distance between crosslines, from the text of its file .survey; 0 where that does not say.
int crossline_step(std::string_view survey_file);

// How all requests of a process look.
struct SeisInfo {
  int32_t traces = 0, inputs = 0, outputs = 0, inlines = 0, crosslines = 0;  // of a window: traces = inlines crosslines
  float z_step = 0, inline_distance = 0, crossline_distance = 0, z_factor = 0, dip_factor = 0;
  int32_t samples = 0;                             // of the survey; 0 where the older form does not say
  bool in_time() const { return z_factor > 100; }  // seconds are shown as milliseconds; depths as they are
  bool operator==(const SeisInfo&) const = default;
};
inline constexpr size_t kFirstBytes = 60;  // at least as many come before an answer is awaited
struct FirstBytes {
  SeisInfo info;
  size_t used = 0;  // 40, or 44 of newer plugins, which no version number tells apart
};
// Error for a window that cannot be: sizes not positive, even, not traces, or beyond any memory.
FirstBytes read_first_bytes(std::span<const std::byte, kFirstBytes> bytes);

inline constexpr size_t kRequestBytes = 16;
struct Request {
  int32_t samples = 0, z0 = 0, inline_ = 0, crossline = 0;  // samples with the margins; z0: the first without
  bool operator==(const Request&) const = default;
};
// Error for a number of samples that cannot be: the stream is then lost.
Request read_request(std::span<const std::byte, kRequestBytes> bytes, const SeisInfo& info);
// Values that follow a request, and of its answer.
inline int64_t values_in(const Request& r, const SeisInfo& i) { return int64_t{i.inputs} * i.traces * r.samples; }
inline int64_t values_out(const Request& r, const SeisInfo& i) { return int64_t{i.outputs} * r.samples; }

}  // namespace kern::apps::opendtect
