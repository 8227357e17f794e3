// SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0
// What the plugin exchanges with `kern faults predict`: a SEG-Y file there, one back, and the child's words in between.
// Only the standard library, POSIX and C++17, so that it is tested without OpendTect. Errors are std::runtime_error,
// each a sentence for the user.
#pragma once
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace kern::opendtect_plugin {

struct ExchangeSampling {
  int samples = 0;         // 1 .. 65535
  double interval = 4000;  // microseconds (of depth: thousandths of the unit); 1 .. 32767 when rounded
  double first = 0;        // milliseconds (of depth: units) of the first sample; -32768 .. 32767 when rounded
};

struct ExchangePlace {
  int inline_number = 0, crossline_number = 0;
  double x = 0, y = 0;
};

// SEG-Y revision 1, big-endian IEEE floats, trace after trace.
class ExchangeWriter {
 public:
  ExchangeWriter(const std::filesystem::path& path, const ExchangeSampling& sampling);
  // `values`: as many as there are samples. What is not finite is written as 0.
  void write(const ExchangePlace& place, const std::vector<float>& values);
  void close();  // what could not be written is said here at the latest
  int64_t traces() const { return traces_; }

 private:
  std::filesystem::path path_;
  ExchangeSampling sampling_;
  std::ofstream file_;
  std::vector<unsigned char> trace_;  // header and samples as they go out
  int64_t traces_ = 0;
};

// The samples of a file that has the geometry of what an ExchangeWriter wrote, in its order.
class ExchangeReader {
 public:
  // Says here already when the file has another size or another format.
  ExchangeReader(const std::filesystem::path& path, int samples, int64_t traces);
  // The next trace, which must be the one of this place.
  void read(const ExchangePlace& place, std::vector<float>& values);

 private:
  std::filesystem::path path_;
  std::ifstream file_;
  std::vector<unsigned char> trace_;
  int64_t traces_, next_ = 0;
};

// A program whose stdout and stderr go to a file. Found along PATH when its name holds no slash. Killed and waited for
// at the end of the scope.
class ExchangeChild {
 public:
  ExchangeChild(const std::vector<std::string>& arguments, const std::filesystem::path& log);
  ~ExchangeChild();
  ExchangeChild(const ExchangeChild&) = delete;
  ExchangeChild& operator=(const ExchangeChild&) = delete;
  bool running();
  // When it is not running: 0 after success, as far as that can be known.
  int exit_code() const { return code_; }

 private:
  int pid_ = -1, code_ = 0;
};

// From what `kern` has said so far: the part done, 0 .. 1, of the newest line with a percentage (0 before the first;
// kern writes one every half minute), and its error, or else its last line.
double progress_of(const std::string& said);
std::string error_of(const std::string& said);
// A text file whole; empty when there is none.
std::string text_of(const std::filesystem::path& path);

}  // namespace kern::opendtect_plugin
