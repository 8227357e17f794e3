// SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0
#include "apps/faults/opendtect_plugin/plugins/uiKernFaults/exchange.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <sstream>
#include <stdexcept>

extern char** environ;  // not declared by every unistd.h

namespace kern::opendtect_plugin {
namespace {
namespace fs = std::filesystem;

constexpr int64_t kText = 3200, kBinary = 400, kHeader = 240;
constexpr int kFloat32 = 5;                // sample format
constexpr double kLargest = 2147483647.0;  // that a coordinate's field holds

template <class... Parts>
[[noreturn]] void fail(const Parts&... parts) {
  std::ostringstream text;
  (text << ... << parts);
  throw std::runtime_error(text.str());
}

// `byte` counts from 1, as in every description of the format.
void put(unsigned char* header, int byte, int width, int64_t value) {
  for (int i = 0; i < width; ++i)
    header[byte - 1 + i] = static_cast<unsigned char>(static_cast<uint64_t>(value) >> (8 * (width - 1 - i)));
}

uint32_t get(const unsigned char* header, int byte, int width) {
  uint32_t value = 0;
  for (int i = 0; i < width; ++i) value = value << 8 | header[byte - 1 + i];
  return value;
}

bool same_place(const unsigned char* header, const ExchangePlace& place) {
  return get(header, 189, 4) == static_cast<uint32_t>(place.inline_number) &&
         get(header, 193, 4) == static_cast<uint32_t>(place.crossline_number);
}

}  // namespace

ExchangeWriter::ExchangeWriter(const fs::path& path, const ExchangeSampling& sampling)
    : path_(path), sampling_(sampling) {
  const double interval = std::round(sampling.interval), first = std::round(sampling.first);
  if (sampling.samples < 1 || sampling.samples > 65535)
    fail("a trace of ", sampling.samples,
         " samples does not fit into SEG-Y, which takes 1 to 65535: use a shorter z range");
  if (!(interval >= 1 && interval <= 32767))
    fail("a sample interval of ", sampling.interval, " microseconds does not fit into SEG-Y, which takes 1 to 32767");
  if (!(first >= -32768 && first <= 32767))
    fail("a first sample at ", sampling.first, " ms does not fit into SEG-Y, which takes -32768 to 32767");
  trace_.assign(size_t(kHeader) + 4 * size_t(sampling.samples), 0);
  unsigned char* t = trace_.data();
  put(t, 25, 4, 1);                // trace number in the ensemble
  put(t, 29, 2, 1);                // seismic data
  put(t, 89, 2, 1);                // coordinates are lengths
  put(t, 109, 2, int64_t(first));  // delay
  put(t, 115, 2, sampling.samples);
  put(t, 117, 2, int64_t(interval));
  // 169-170 stay 0: OpendTect multiplies samples by two to that power.

  std::vector<unsigned char> head(size_t(kText + kBinary), ' ');
  const char* lines[] = {"C 1 WRITTEN BY THE KERN PLUGIN OF OPENDTECT, FOR KERN FAULTS PREDICT",
                         "C 2 INLINE IN BYTES 189-192 AND 9-12, CROSSLINE IN BYTES 193-196 AND 21-24",
                         "C 3 X IN BYTES 181-184 AND 73-76, Y IN BYTES 185-188 AND 77-80, SCALED BY 71-72"};
  for (int i = 0; i < 3; ++i) std::memcpy(head.data() + 80 * i, lines[i], std::strlen(lines[i]));
  std::memcpy(head.data() + 80 * 38, "C39 SEG Y REV1", 14);
  std::memcpy(head.data() + 80 * 39, "C40 END TEXTUAL HEADER", 22);
  unsigned char* b = head.data() + kText;
  std::fill(b, b + kBinary, static_cast<unsigned char>(0));
  const auto binary = [b](int byte, int64_t value) { put(b, byte - int(kText), 2, value); };
  binary(3213, 1);  // traces per ensemble
  binary(3217, int64_t(interval));
  binary(3219, int64_t(interval));
  binary(3221, sampling.samples);
  binary(3223, sampling.samples);
  binary(3225, kFloat32);
  binary(3227, 1);       // fold
  binary(3229, 4);       // sorting: stacked
  binary(3255, 1);       // metres
  binary(3501, 0x0100);  // revision
  binary(3503, 1);       // all traces are of one length
  file_.open(path, std::ios::binary | std::ios::trunc);
  if (!file_) fail(path.string(), " cannot be written: look at the folder's permissions");
  file_.write(reinterpret_cast<const char*>(head.data()), std::streamsize(head.size()));
}

void ExchangeWriter::write(const ExchangePlace& place, const std::vector<float>& values) {
  if (values.size() != size_t(sampling_.samples))
    fail("inline ", place.inline_number, ", crossline ", place.crossline_number, " has ", values.size(),
         " samples where ", sampling_.samples,
         " were announced: the cube's traces differ in length, resample it first");
  unsigned char* t = trace_.data();
  const double reach = std::max(std::abs(place.x), std::abs(place.y));
  const double scale = reach * 10 < kLargest ? 10 : 1;  // decimetres, or metres where those do not fit
  const bool known = reach < kLargest;                  // false for NaN too, and for OpendTect's undefined value
  const auto x = known ? int64_t(std::llround(place.x * scale)) : 0,
             y = known ? int64_t(std::llround(place.y * scale)) : 0;
  ++traces_;
  put(t, 1, 4, traces_);
  put(t, 5, 4, traces_);
  put(t, 9, 4, place.inline_number);
  put(t, 21, 4, place.crossline_number);
  put(t, 71, 2, scale > 1 ? -int64_t(scale) : 1);
  put(t, 73, 4, x);
  put(t, 77, 4, y);
  put(t, 181, 4, x);
  put(t, 185, 4, y);
  put(t, 189, 4, place.inline_number);
  put(t, 193, 4, place.crossline_number);
  unsigned char* sample = t + kHeader;
  for (const float v : values) {
    uint32_t bits = 0;
    if (std::isfinite(v)) std::memcpy(&bits, &v, 4);
    put(sample, 1, 4, bits);
    sample += 4;
  }
  if (!file_.write(reinterpret_cast<const char*>(t), std::streamsize(trace_.size())))
    fail(path_.string(), " could not be written to its end: is the disk full?");
}

void ExchangeWriter::close() {
  file_.close();
  if (!file_) fail(path_.string(), " could not be written to its end: is the disk full?");
}

ExchangeReader::ExchangeReader(const fs::path& path, int samples, int64_t traces)
    : path_(path), file_(path, std::ios::binary), trace_(size_t(kHeader) + 4 * size_t(samples)), traces_(traces) {
  if (!file_) fail("kern left no file ", path.string(), ": look into its log");
  const int64_t expected = kText + kBinary + traces * int64_t(trace_.size());
  const auto bytes = int64_t(fs::file_size(path));
  if (bytes != expected)
    fail(path.string(), " has ", bytes, " bytes where ", traces, " traces of ", samples, " samples take ", expected,
         ": was the disk full?");
  unsigned char b[kBinary];
  file_.seekg(kText);
  if (!file_.read(reinterpret_cast<char*>(b), kBinary)) fail(path.string(), " cannot be read");
  const uint32_t format = get(b, 25, 2), stored = get(b, 21, 2);
  if (format != kFloat32 || stored != uint32_t(samples))
    fail(path.string(), " holds ", stored, " samples a trace of format ", format, "; expected were ", samples,
         " of format 5: use the plugin with the kern that it came with");
}

void ExchangeReader::read(const ExchangePlace& place, std::vector<float>& values) {
  if (next_ >= traces_) fail(path_.string(), " holds ", traces_, " traces, and one more was asked for");
  if (!file_.read(reinterpret_cast<char*>(trace_.data()), std::streamsize(trace_.size())))
    fail(path_.string(), " ends in trace ", next_ + 1, " of ", traces_);
  ++next_;
  if (!same_place(trace_.data(), place))
    fail("trace ", next_, " of ", path_.string(), " is not inline ", place.inline_number, ", crossline ",
         place.crossline_number, ": was the cube changed meanwhile? Run it again");
  values.resize((trace_.size() - size_t(kHeader)) / 4);
  const unsigned char* sample = trace_.data() + kHeader;
  for (float& v : values) {
    const uint32_t bits = get(sample, 1, 4);
    std::memcpy(&v, &bits, 4);
    sample += 4;
  }
}

ExchangeChild::ExchangeChild(const std::vector<std::string>& arguments, const fs::path& log) {
  std::vector<char*> argv;
  for (const std::string& a : arguments) argv.push_back(const_cast<char*>(a.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&files, 1, log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  posix_spawn_file_actions_adddup2(&files, 1, 2);
  const int error = posix_spawnp(&pid_, argv[0], &files, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&files);
  if (error != 0) {
    pid_ = -1;
    fail("the program ", arguments[0], " cannot be started (", std::strerror(error),
         "): give the path of kern, and see that it is executable");
  }
}

ExchangeChild::~ExchangeChild() {
  if (!running()) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

bool ExchangeChild::running() {
  if (pid_ < 0) return false;
  int status = 0;
  const pid_t answer = ::waitpid(pid_, &status, WNOHANG);
  if (answer == 0) return true;
  // Where the host has taken the child's status for itself, only the result's being there tells of success.
  if (answer == pid_) code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  pid_ = -1;
  return false;
}

double progress_of(const std::string& said) {
  for (size_t at = said.rfind('%'); at != std::string::npos && at > 0; at = said.rfind('%', at - 1)) {
    size_t from = at;
    while (from > 0 && said[from - 1] >= '0' && said[from - 1] <= '9') --from;
    if (from < at && at - from <= 3) return std::min(std::stoi(said.substr(from, at - from)), 100) / 100.0;
  }
  return 0;
}

std::string error_of(const std::string& said) {
  std::istringstream lines(said);
  std::string last, error;
  for (std::string line; std::getline(lines, line);) {
    if (line.empty()) continue;
    last = line;
    if (line.rfind("error: ", 0) == 0) error = line.substr(7);
  }
  return error.empty() ? last : error;
}

std::string text_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream all;
  all << file.rdbuf();
  return all.str();
}

}  // namespace kern::opendtect_plugin
