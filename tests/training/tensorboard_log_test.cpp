// The file's bytes; that TensorBoard reads it is tested with its own reader (tests/apps/tensorboard_test.cpp).
#include "training/tensorboard_log.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <filesystem>

#include "engine/atomic_file.h"

namespace kern::training {
namespace {
namespace fs = std::filesystem;

class TensorBoard : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("kern_tensorboard_" + std::to_string(::getpid()));
    fs::remove_all(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }
  std::string bytes() const { return read_file(folder_ / TensorBoardLog::kFileName); }
  fs::path folder_;
};

// RFC 3720, B.4.
TEST_F(TensorBoard, ChecksumsAreThoseOfTheRfc) {
  EXPECT_EQ(crc32c("123456789"), 0xe3069283u);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aau);
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62a8ab43u);
  EXPECT_EQ(crc32c(""), 0u);
}

// Steps and tags of a file in order; every record's checksums were right.
std::vector<std::pair<int64_t, std::string>> events_of(const std::string& file) {
  std::vector<std::pair<int64_t, std::string>> out;
  const auto masked = [](std::string_view bytes) {
    const uint32_t crc = crc32c(bytes);
    return (crc >> 15 | crc << 17) + 0xa282ead8u;
  };
  const auto word = [&](size_t at) {
    uint32_t v = 0;
    std::memcpy(&v, file.data() + at, 4);
    return v;
  };
  for (size_t at = 0; at < file.size();) {
    uint64_t length = 0;
    std::memcpy(&length, file.data() + at, 8);
    EXPECT_EQ(word(at + 8), masked(std::string_view(file).substr(at, 8)));
    const std::string_view message = std::string_view(file).substr(at + 12, length);
    EXPECT_EQ(word(at + 12 + length), masked(message));
    std::pair<int64_t, std::string> event;
    ProtoReader reader(message);
    while (reader.next()) {
      if (reader.field() == 2) event.first = reader.integer();
      if (reader.field() == 3) event.second = reader.bytes();
      if (reader.field() != 5) continue;
      ProtoReader summary(reader.bytes());
      while (summary.next()) {
        ProtoReader value(summary.bytes());
        while (value.next())
          if (value.field() == 1) event.second = value.bytes();
      }
    }
    EXPECT_FALSE(reader.damaged());
    out.push_back(event);
    at += 16 + length;
  }
  return out;
}
using Events = std::vector<std::pair<int64_t, std::string>>;

TEST_F(TensorBoard, HoldsWhatWasGiven) {
  TensorBoardLog log(folder_, 0);
  log.scalar("loss", 1, 0.5);
  const std::vector<float> values{1, 2, std::nanf(""), 4}, none{std::nanf("")};
  log.histogram("weights", 1, values);
  log.histogram("nothing", 1, none);
  log.image("no image", 1, "text");
  EXPECT_EQ(events_of(bytes()), (Events{{0, "brain.Event:2"}}));  // as long as nothing is flushed
  log.flush();
  EXPECT_EQ(events_of(bytes()), (Events{{0, "brain.Event:2"}, {1, "loss"}, {1, "weights"}}));
}

TEST_F(TensorBoard, AResumedRunGoesOnBehindItsLastEpoch) {
  {
    TensorBoardLog log(folder_, 0);
    for (int step = 1; step <= 3; ++step) log.scalar("loss", step, 1.0 / step);
    log.flush();
  }
  {
    TensorBoardLog log(folder_, 2);
    log.scalar("loss", 3, 7);
    log.flush();
  }
  EXPECT_EQ(events_of(bytes()), (Events{{0, "brain.Event:2"}, {1, "loss"}, {2, "loss"}, {3, "loss"}}));
  const std::string whole = bytes();
  for (size_t cut = 0; cut < whole.size(); ++cut) {  // killed while it wrote
    write_file(folder_ / TensorBoardLog::kFileName, whole.substr(0, cut));
    TensorBoardLog log(folder_, 9);
    log.scalar("after", 4, 1);
    log.flush();
    const Events events = events_of(bytes());
    ASSERT_GE(events.size(), 2u) << cut;
    EXPECT_EQ(events.front().second, "brain.Event:2") << cut;
    EXPECT_EQ(events.back().second, "after") << cut;
  }
  std::string damaged = whole;
  damaged[damaged.size() / 2] ^= 1;
  write_file(folder_ / TensorBoardLog::kFileName, damaged);
  const TensorBoardLog log(folder_, 9);
  EXPECT_LT(events_of(bytes()).size(), 4u);
  TensorBoardLog anew(folder_, 0);
  EXPECT_EQ(events_of(bytes()).size(), 1u);
}

}  // namespace
}  // namespace kern::training
