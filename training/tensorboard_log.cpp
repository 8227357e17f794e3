#include "training/tensorboard_log.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstring>
#include <fstream>

#include "engine/atomic_file.h"
#include "kernels/common/error.h"

namespace kern::training {
namespace {
// Numbers of fields in TensorFlow's event.proto and summary.proto.
enum EventField { kWallTime = 1, kStep = 2, kFileVersion = 3, kSummary = 5 };
enum SummaryField { kValue = 1 };
enum ValueField { kTag = 1, kSimpleValue = 2, kImage = 4, kHistogram = 5 };
enum ImageField { kHeight = 1, kWidth = 2, kColourSpace = 3, kEncodedImage = 4 };
enum HistogramField {
  kMinimum = 1,
  kMaximum = 2,
  kCount = 3,
  kSum = 4,
  kSumOfSquares = 5,
  kBucketLimits = 6,
  kCounts = 7
};

double now() { return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count(); }

uint32_t masked(uint32_t crc) { return (crc >> 15 | crc << 17) + 0xa282ead8u; }

template <class T>
std::string raw(T value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

std::string record_of(const std::string& message) {
  const std::string length = raw(uint64_t(message.size()));
  return length + raw(masked(crc32c(length))) + message + raw(masked(crc32c(message)));
}

constexpr size_t kBeforeMessage = 12, kAfterMessage = 4;  // of a record

// The whole records at the beginning of a file, but for those of a step above `keep_up_to`.
std::string kept(std::string_view file, int64_t keep_up_to) {
  std::string out;
  const auto word = [](std::string_view at) {
    uint32_t v = 0;
    std::memcpy(&v, at.data(), sizeof v);
    return v;
  };
  while (file.size() >= kBeforeMessage + kAfterMessage) {
    uint64_t length = 0;
    std::memcpy(&length, file.data(), sizeof length);
    if (word(file.substr(8)) != masked(crc32c(file.substr(0, 8))) ||
        length > file.size() - kBeforeMessage - kAfterMessage)
      break;
    const std::string_view message = file.substr(kBeforeMessage, size_t(length));
    if (word(file.substr(kBeforeMessage + size_t(length))) != masked(crc32c(message))) break;
    int64_t step = 0;
    ProtoReader reader(message);
    while (reader.next())
      if (reader.field() == kStep && reader.is_integer()) step = reader.integer();
    const size_t whole = kBeforeMessage + size_t(length) + kAfterMessage;
    if (step <= keep_up_to) out += file.substr(0, whole);
    file.remove_prefix(whole);
  }
  return out;
}

}  // namespace

uint32_t crc32c(std::string_view bytes) {
  static const std::array<uint32_t, 256> table = [] {
    std::array<uint32_t, 256> t{};
    for (uint32_t i = 0; i < 256; ++i) {
      t[i] = i;
      for (int k = 0; k < 8; ++k) t[i] = t[i] >> 1 ^ (t[i] & 1 ? 0x82f63b78u : 0);
    }
    return t;
  }();
  uint32_t crc = ~0u;
  for (const char c : bytes) crc = crc >> 8 ^ table[(crc ^ uint8_t(c)) & 255];
  return ~crc;
}

TensorBoardLog::TensorBoardLog(const std::filesystem::path& folder, int64_t keep_up_to) : path_(folder / kFileName) {
  make_folder(folder);
  std::error_code none;
  std::string before;
  if (keep_up_to > 0 && std::filesystem::is_regular_file(path_, none)) before = kept(read_file(path_), keep_up_to);
  if (before.empty())
    before = record_of(ProtoWriter().wide_real(kWallTime, now()).text(kFileVersion, "brain.Event:2").bytes());
  write_file(path_, before);
}

void TensorBoardLog::event(int64_t step, const ProtoWriter& value) {
  pending_ += record_of(ProtoWriter()
                            .wide_real(kWallTime, now())
                            .integer(kStep, step)
                            .message(kSummary, ProtoWriter().message(kValue, value))
                            .bytes());
}

void TensorBoardLog::scalar(std::string_view tag, int64_t step, double value) {
  event(step, ProtoWriter().text(kTag, tag).real(kSimpleValue, float(value)));
}

void TensorBoardLog::image(std::string_view tag, int64_t step, std::string_view png) {
  constexpr std::string_view kSignature = "\x89PNG\r\n\x1a\n";
  if (png.size() < 33 || !png.starts_with(kSignature)) return;
  const auto big_endian = [&](size_t at) {
    int64_t v = 0;
    for (size_t i = at; i < at + 4; ++i) v = v << 8 | uint8_t(png[i]);
    return v;
  };
  constexpr int64_t kColours[] = {1, 0, 3, 3, 2, 0, 4};  // channels by PNG's type of colour
  const ProtoWriter image = ProtoWriter()
                                .integer(kHeight, big_endian(20))
                                .integer(kWidth, big_endian(16))
                                .integer(kColourSpace, kColours[uint8_t(png[25]) % std::size(kColours)])
                                .text(kEncodedImage, png);
  event(step, ProtoWriter().text(kTag, tag).message(kImage, image));
}

void TensorBoardLog::histogram(std::string_view tag, int64_t step, std::span<const float> values) {
  double low = 0, high = 0, sum = 0, squares = 0, count = 0;
  for (const float v : values) {
    if (!std::isfinite(v)) continue;
    low = count == 0 ? double(v) : std::min(low, double(v)), high = count == 0 ? double(v) : std::max(high, double(v));
    sum += double(v), squares += double(v) * double(v), ++count;
  }
  if (count == 0) return;
  const int buckets = high > low ? kBuckets : 1;
  std::vector<double> limits, counts(size_t(buckets), 0.0);
  for (int i = 1; i <= buckets; ++i) limits.push_back(i == buckets ? high : low + (high - low) * i / buckets);
  for (const float v : values)
    if (std::isfinite(v)) {
      const double at = high > low ? (double(v) - low) / (high - low) * buckets : 0;
      ++counts[size_t(std::clamp(int(at), 0, buckets - 1))];
    }
  const ProtoWriter histogram = ProtoWriter()
                                    .wide_real(kMinimum, low)
                                    .wide_real(kMaximum, high)
                                    .wide_real(kCount, count)
                                    .wide_real(kSum, sum)
                                    .wide_real(kSumOfSquares, squares)
                                    .wide_reals(kBucketLimits, limits)
                                    .wide_reals(kCounts, counts);
  event(step, ProtoWriter().text(kTag, tag).message(kHistogram, histogram));
}

void TensorBoardLog::flush() {
  std::ofstream file(path_, std::ios::binary | std::ios::app);
  errno = 0;
  file.write(pending_.data(), std::streamsize(pending_.size()));
  file.flush();
  check(bool(file), "cannot write ", path_.string(), ": ", std::strerror(errno ? errno : EIO),
        "; free some space, or train with logger=csv");
  pending_.clear();
}

}  // namespace kern::training
