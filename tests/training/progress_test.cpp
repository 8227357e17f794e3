#include "training/progress.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace kern::training {
namespace {

// A bar whose time, width and output the test holds.
struct Stage {
  double now = 100;
  int columns = 80;
  std::string out;
  ProgressOptions options(ProgressMode mode, int64_t epochs) {
    ProgressOptions o;
    o.title = "predict";
    o.epochs = epochs;
    o.mode = mode;
    o.write = [this](std::string_view t) { out += t; };
    o.width = [this] { return columns; };
    o.clock = [this] { return now; };
    return o;
  }
  std::string take() { return std::exchange(out, {}); }
};

TEST(Progress, plain_lines_in_a_pipe) {
  Stage s;
  ProgressBar bar(s.options(ProgressMode::plain, 2));
  bar.begin(100, 1);
  EXPECT_EQ(s.take(), "");
  s.now += 10;
  bar.advance(50, 0.5);
  EXPECT_EQ(s.take(), "") << "less than plain_interval has passed";
  s.now += 30;
  bar.advance(30, 0.25);
  EXPECT_EQ(s.take(), "epoch 1/2  80%  loss 0.4062  2.00 samples/s  1m00s left\n");
  s.now += 10;
  bar.advance(20, 0.0);
  bar.end("val loss 0.3");
  EXPECT_EQ(s.take(), "epoch 1/2  loss 0.325  val loss 0.3  2.00 samples/s  50 s  50 s left\n");
  bar.begin(100, 2);
  s.now += 25;
  bar.advance(100);
  s.take();
  bar.end();
  EXPECT_EQ(s.take(), "epoch 2/2  4.00 samples/s  25 s\n");
}

TEST(Progress, terminal_redraws_one_line_at_ten_hertz) {
  Stage s;
  s.columns = 60;
  ProgressBar bar(s.options(ProgressMode::terminal, 0));
  bar.begin(1000);
  EXPECT_EQ(s.take(), "\rpredict [>                                       ]   0%\x1b[K");
  int redraws = 0;
  for (int i = 0; i < 1000; ++i) {  // one second of a thousand steps
    s.now += 0.001;
    bar.advance(1);
    const auto drawn = s.take();
    if (drawn.empty()) continue;
    ++redraws;
    EXPECT_EQ(drawn[0], '\r');
    EXPECT_EQ(drawn.find('\n'), drawn.npos);
    EXPECT_LE(drawn.size(), 1 + 59 + 3u) << drawn;
  }
  EXPECT_GE(redraws, 9);
  EXPECT_LE(redraws, 10);
  bar.end("9 wells");
  EXPECT_EQ(s.take(), "\r\x1b[Kpredict  9 wells  1000 samples/s  1.0 s\n");
}

TEST(Progress, a_narrow_terminal_gets_a_cut_line) {
  for (int columns : {0, 1, 2, 10, 30, 500}) {
    Stage s;
    s.columns = columns;
    ProgressBar bar(s.options(ProgressMode::terminal, 10));
    bar.begin(10, 3);
    s.now += 1;
    bar.advance(5, 0.125);
    const auto drawn = s.take();
    const auto last = drawn.substr(drawn.rfind('\r') + 1);
    EXPECT_LE(int(last.size()) - 3, std::max(1, columns - 1)) << columns;
  }
}

TEST(Progress, no_time_no_work_no_total) {
  Stage s;
  ProgressBar bar(s.options(ProgressMode::terminal, 3));
  EXPECT_FALSE(bar.time_left().has_value());
  bar.begin(0, 1);  // an unknown total
  EXPECT_EQ(bar.rate(), 0.0);
  EXPECT_FALSE(bar.time_left().has_value());
  bar.advance(4);  // in no time at all
  EXPECT_EQ(bar.rate(), 0.0);
  bar.end();
  EXPECT_FALSE(bar.time_left().has_value());
  EXPECT_TRUE(std::isnan(bar.mean_loss()));
  EXPECT_EQ(s.out.find("nan"), s.out.npos) << s.out;
  EXPECT_EQ(s.out.find("inf"), s.out.npos) << s.out;
}

TEST(Progress, time_left_counts_this_session_after_a_resume) {
  Stage s;
  ProgressBar bar(s.options(ProgressMode::quiet, 10));
  bar.begin(100, 6, 50);  // resumed in the middle of epoch 6
  EXPECT_FALSE(bar.time_left().has_value());
  s.now += 5;
  bar.advance(25);
  ASSERT_TRUE(bar.time_left().has_value());
  EXPECT_NEAR(*bar.time_left(), 20 * 4.25, 1e-9);  // a quarter of an epoch took 5 s, 4.25 epochs remain
  s.now += 5;
  bar.advance(25);
  bar.end();
  EXPECT_NEAR(*bar.time_left(), 20 * 4, 1e-9);
  EXPECT_EQ(s.out, "") << "quiet";
}

TEST(Progress, a_time_budget_bounds_the_time_left) {
  Stage s;
  auto options = s.options(ProgressMode::quiet, 100);
  options.time_budget = 60;
  ProgressBar bar(options);
  bar.begin(10, 1);
  s.now += 40;
  bar.advance(10);
  EXPECT_NEAR(*bar.time_left(), 20, 1e-9);
  s.now += 40;
  EXPECT_EQ(*bar.time_left(), 0.0);
}

TEST(Progress, a_note_stands_above_the_bar) {
  Stage s;
  {
    ProgressBar bar(s.options(ProgressMode::terminal, 2));
    bar.begin(10, 1);
    s.take();
    bar.note("stop file found: saving");
    const auto out = s.take();
    EXPECT_EQ(out.rfind("\r\x1b[Kstop file found: saving\n\repoch 1/2 [", 0), 0u) << out;
  }
  EXPECT_EQ(s.take(), "\r\x1b[K") << "an abandoned bar is wiped";
}

TEST(Progress, a_loss_that_is_not_a_number_is_shown) {
  Stage s;
  ProgressBar bar(s.options(ProgressMode::plain, 1));
  bar.begin(2, 1);
  s.now += 1;
  bar.advance(2, std::numeric_limits<double>::quiet_NaN());
  bar.end("name\nwith a break");
  EXPECT_EQ(s.take(), "epoch 1/1  loss nan  name with a break  2.00 samples/s  1.0 s\n");
}

TEST(Progress, durations) {
  EXPECT_EQ(format_duration(0), "0.0 s");
  EXPECT_EQ(format_duration(3.21), "3.2 s");
  EXPECT_EQ(format_duration(9.96), "10 s");
  EXPECT_EQ(format_duration(59.4), "59 s");
  EXPECT_EQ(format_duration(59.6), "1m00s");
  EXPECT_EQ(format_duration(725), "12m05s");
  EXPECT_EQ(format_duration(3599.7), "1h00m");
  EXPECT_EQ(format_duration(3600 * 3 + 7 * 60), "3h07m");
  EXPECT_EQ(format_duration(86400 * 2 + 3600 * 4), "2d04h");
  for (double bad : {-1.0, std::nan(""), HUGE_VAL}) EXPECT_EQ(format_duration(bad), "?");
}

TEST(Progress, rates) {
  EXPECT_EQ(format_rate(0), "0.00");
  EXPECT_EQ(format_rate(0.516), "0.52");
  EXPECT_EQ(format_rate(12.34), "12.3");
  EXPECT_EQ(format_rate(1840.4), "1840");
  EXPECT_EQ(format_rate(12345), "12.3k");
  EXPECT_EQ(format_rate(4.56e6), "4.56M");
  EXPECT_EQ(format_rate(std::nan("")), "?");
}

}  // namespace
}  // namespace kern::training
