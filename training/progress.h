// What a person sees while Kern works, on stderr: one line redrawn in place on a terminal, plain lines in a pipe or a
// log file.
//
//   ProgressBar bar({.title = "train", .epochs = 50});
//   bar.begin(train_samples, epoch);                   // epochs count from 1
//   bar.advance(batch, loss);                          // after every step
//   bar.end("val loss 0.212  accuracy 0.953");         // a line that stays
//
//   epoch 3/50 [=======>      ]  52%  loss 0.4321  1840 samples/s  12m05s left
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace kern::training {

// Of a clock that nobody sets.
double steady_seconds();

enum class ProgressMode { automatic, terminal, plain, quiet };

struct ProgressOptions {
  std::string title;             // "train", "predict"; shown where there are no epochs
  std::string unit = "samples";  // what advance() counts
  int64_t epochs = 0;            // 0: not a training, one begin() to end() is the whole work
  double time_budget = 0;        // seconds after which the caller stops by itself; 0: none. Bounds the time left
  ProgressMode mode = ProgressMode::
      automatic;  // automatic: redraw when stderr is a terminal, else plain lines; quiet on all ranks but the first
  double plain_interval = 30;  // seconds between plain lines inside an epoch
  // What the bar lives on; empty ones are stderr, its width (80 in a pipe) and the steady clock. Tests bring their own.
  std::function<void(std::string_view)> write;
  std::function<int()> width;
  std::function<double()> clock;  // seconds, ascending
};

// While it lives, bars that are made show nothing: of a rank's work beside that of others.
class NoProgress {
 public:
  NoProgress();
  ~NoProgress();
  NoProgress(const NoProgress&) = delete;
  NoProgress& operator=(const NoProgress&) = delete;
};

// One thread uses a bar at a time.
class ProgressBar {
 public:
  explicit ProgressBar(ProgressOptions options);
  ~ProgressBar();  // wipes an unfinished bar, so that what follows starts on a clean line
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  // `total` units are to be done in this epoch (0: unknown). A resumed epoch passes what is done already.
  void begin(int64_t total, int64_t epoch = 1, int64_t already_done = 0);
  void advance(int64_t count, std::optional<double> loss = {});
  // Leaves a line: epoch, the mean of the losses, the caller's own figures, speed and time.
  void end(std::string_view figures = {});
  // A line of text that stays above the bar (a warning, "stop file found: saving").
  void note(std::string_view line);

  double mean_loss() const;         // of this epoch so far, weighted by count; NaN when no loss was given
  double seconds_in_epoch() const;  // since begin()
  double rate() const;              // units per second since begin(); 0 when no time has passed
  // Seconds until all epochs are done at the pace so far; nothing while that cannot be known.
  std::optional<double> time_left() const;

 private:
  void draw(bool force);
  void wipe();
  std::string heading() const;
  std::string bar_line(int width) const;
  ProgressOptions options_;
  bool terminal_ = false;
  bool drawn_ = false;  // a bar stands on the terminal's current line
  bool running_ = false;
  double start_ = 0, epoch_start_ = 0, last_draw_ = 0;
  int64_t epoch_ = 1, total_ = 0, done_ = 0, resumed_ = 0;
  double work_done_ = 0;  // epochs finished since the start, in parts where one was resumed
  double loss_sum_ = 0;
  int64_t loss_count_ = 0;
};

// "3.2 s", "45 s", "12m05s", "3h07m", "2d04h"; "?" for what is not a time.
std::string format_duration(double seconds);
// "0.52", "12.3", "1840", "12.3k", "4.56M".
std::string format_rate(double per_second);

}  // namespace kern::training
