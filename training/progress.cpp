#include "training/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>

#include "engine/communicator.h"

namespace kern::training {
namespace {

constexpr double kRedrawSeconds = 0.1;
constexpr int kDefaultWidth = 80, kPlainWidth = 1000, kSmallestBar = 10, kLargestBar = 40;

int silences = 0;  // NoProgress that live

void write_stderr(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fflush(stderr);
}

int stderr_width() {
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return kDefaultWidth;
}

bool stderr_redraws() {
  const char* term = std::getenv("TERM");
  return ::isatty(STDERR_FILENO) == 1 && !(term && std::string_view(term) == "dumb");
}

std::string format_loss(double loss) { return std::isnan(loss) ? "nan" : fmt::format("{:.4g}", loss); }

// A bar of text holds one line: what a caller's text brings of line breaks and control characters becomes a space.
std::string one_line(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  return out;
}

}  // namespace

double steady_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::string format_duration(double seconds) {
  if (!(seconds >= 0) || seconds > 1e9) return "?";
  if (seconds < 9.95) return fmt::format("{:.1f} s", seconds);
  const auto s = int64_t(std::llround(seconds));
  if (s < 60) return fmt::format("{} s", s);
  if (s < 3600) return fmt::format("{}m{:02}s", s / 60, s % 60);
  const int64_t m = (s + 30) / 60;
  if (m < 24 * 60) return fmt::format("{}h{:02}m", m / 60, m % 60);
  const int64_t h = (m + 30) / 60;
  return fmt::format("{}d{:02}h", h / 24, h % 24);
}

std::string format_rate(double r) {
  if (!(r >= 0) || std::isinf(r)) return "?";
  if (r < 9.995) return fmt::format("{:.2f}", r);
  if (r < 99.95) return fmt::format("{:.1f}", r);
  if (r < 9999.5) return fmt::format("{:.0f}", r);
  if (r < 999.95e3) return fmt::format("{:.1f}k", r / 1e3);
  return fmt::format("{:.2f}M", r / 1e6);
}

NoProgress::NoProgress() { ++silences; }
NoProgress::~NoProgress() { --silences; }

ProgressBar::ProgressBar(ProgressOptions options) : options_(std::move(options)) {
  if (silences > 0) options_.mode = ProgressMode::quiet;
  if (options_.mode == ProgressMode::automatic)
    options_.mode = !communicator().root() ? ProgressMode::quiet
                    : stderr_redraws()     ? ProgressMode::terminal
                                           : ProgressMode::plain;
  if (!options_.write) options_.write = write_stderr;
  if (!options_.width) options_.width = stderr_width;
  if (!options_.clock) options_.clock = steady_seconds;
  terminal_ = options_.mode == ProgressMode::terminal;
  start_ = epoch_start_ = last_draw_ = options_.clock();
}

ProgressBar::~ProgressBar() { wipe(); }

void ProgressBar::begin(int64_t total, int64_t epoch, int64_t already_done) {
  epoch_ = epoch;
  total_ = std::max<int64_t>(total, 0);
  resumed_ = std::clamp<int64_t>(already_done, 0, total_);
  done_ = resumed_;
  loss_sum_ = 0;
  loss_count_ = 0;
  running_ = true;
  epoch_start_ = last_draw_ = options_.clock();
  draw(true);
}

void ProgressBar::advance(int64_t count, std::optional<double> loss) {
  done_ += count;
  if (loss) {
    loss_sum_ += *loss * double(count);
    loss_count_ += count;
  }
  draw(false);
}

void ProgressBar::end(std::string_view figures) {
  work_done_ += total_ > 0 ? double(total_ - resumed_) / double(total_) : 1.0;
  running_ = false;
  if (options_.mode == ProgressMode::quiet) return;
  std::string line = heading();
  if (loss_count_ > 0) line += "  loss " + format_loss(mean_loss());
  if (!figures.empty()) line += "  " + one_line(figures);
  if (done_ > resumed_ && rate() > 0) line += fmt::format("  {} {}/s", format_rate(rate()), options_.unit);
  line += "  " + format_duration(seconds_in_epoch());
  if (epoch_ < options_.epochs)
    if (const auto left = time_left()) line += "  " + format_duration(*left) + " left";
  wipe();
  options_.write(line + "\n");
}

void ProgressBar::note(std::string_view line) {
  if (options_.mode == ProgressMode::quiet) return;
  const bool redraw = drawn_;
  wipe();
  options_.write(std::string(line) + "\n");
  if (redraw) draw(true);
}

double ProgressBar::mean_loss() const {
  return loss_count_ > 0 ? loss_sum_ / double(loss_count_) : std::numeric_limits<double>::quiet_NaN();
}

double ProgressBar::seconds_in_epoch() const { return std::max(0.0, options_.clock() - epoch_start_); }

double ProgressBar::rate() const {
  const double seconds = seconds_in_epoch();
  return seconds > 0 ? double(done_ - resumed_) / seconds : 0.0;
}

std::optional<double> ProgressBar::time_left() const {
  const double seconds = options_.clock() - start_;
  const double share = running_ && total_ > 0 ? std::min(1.0, double(done_) / double(total_)) : 0.0;
  const double resumed_share = running_ && total_ > 0 ? double(resumed_) / double(total_) : 0.0;
  const double work = work_done_ + share - resumed_share;  // epochs done since the start
  const double finished = double(epoch_ - 1) + (running_ ? share : 1.0);
  const double rest = std::max(0.0, double(std::max<int64_t>(options_.epochs, 1)) - finished);
  std::optional<double> left;
  if (rest == 0) left = 0.0;
  else if (work > 0 && seconds > 0) left = seconds / work * rest;
  if (options_.time_budget > 0) {
    const double budget = std::max(0.0, options_.time_budget - seconds);
    left = left ? std::min(*left, budget) : budget;
  }
  return left;
}

std::string ProgressBar::heading() const {
  if (options_.epochs > 0) return fmt::format("epoch {}/{}", epoch_, options_.epochs);
  return one_line(options_.title);
}

std::string ProgressBar::bar_line(int width) const {
  std::string figures;
  if (loss_count_ > 0) figures += "  loss " + format_loss(mean_loss());
  if (done_ > resumed_ && rate() > 0) figures += fmt::format("  {} {}/s", format_rate(rate()), options_.unit);
  if (const auto left = time_left()) figures += "  " + format_duration(*left) + " left";
  std::string line = heading();
  if (total_ > 0) {
    const double share = std::clamp(double(done_) / double(total_), 0.0, 1.0);
    const std::string percent = fmt::format("{:3.0f}%", std::floor(share * 100));
    const int room = width - int(line.size() + percent.size() + figures.size()) - 6;
    if (const int cells = std::min(room, kLargestBar); terminal_ && cells >= kSmallestBar) {
      const int full = int(share * cells);
      line += " [" + std::string(size_t(full), '=');
      if (full < cells) line += '>' + std::string(size_t(cells - full - 1), ' ');
      line += "]";
    }
    line += " " + percent;
  } else if (done_ > 0) {
    line += fmt::format(" {} {}", done_, options_.unit);
  }
  line += figures;
  if (int(line.size()) > width) line.resize(size_t(width));
  return line;
}

void ProgressBar::draw(bool force) {
  if (options_.mode == ProgressMode::quiet || !running_) return;
  const double now = options_.clock();
  if (terminal_) {
    if (!force && now - last_draw_ < kRedrawSeconds) return;
    // One column stays free: a character in the last one makes some terminals wrap.
    options_.write("\r" + bar_line(std::max(1, options_.width() - 1)) + "\x1b[K");
    drawn_ = true;
  } else {
    if (force || now - last_draw_ < options_.plain_interval) return;  // begin() itself is no news in a log file
    options_.write(bar_line(kPlainWidth) + "\n");
  }
  last_draw_ = now;
}

void ProgressBar::wipe() {
  if (drawn_) options_.write("\r\x1b[K");
  drawn_ = false;
}

}  // namespace kern::training
