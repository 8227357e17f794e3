// TensorBoard's event files (https://www.tensorflow.org/tensorboard): scalars, images and histograms by tag and step.
//
//   TensorBoardLog log(run.file("tensorboard"), last_finished_epoch);
//   log.scalar("validation/mean_iou", epoch, 0.9);
//   log.histogram("weights/head.weight", epoch, values);
//   log.flush();
//
// A file is a sequence of records: length, its checksum, an Event message, its checksum, by masked CRC-32C. One file a
// run; a run that is resumed drops what lies beyond the step that it goes on from, so that no step stands twice.
#pragma once
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/protobuf.h"

namespace kern::training {

// Castagnoli's CRC-32, as in RFC 3720.
uint32_t crc32c(std::string_view bytes);

class TensorBoardLog {
 public:
  // Begins a file in the folder, which is made, or goes on with the one there after the events of steps above
  // `keep_up_to`, and whatever is damaged, were taken out. Errors: the folder or file cannot be written.
  TensorBoardLog(const std::filesystem::path& folder, int64_t keep_up_to);

  void scalar(std::string_view tag, int64_t step, double value);
  // A PNG file's bytes. Left out where they are none.
  void image(std::string_view tag, int64_t step, std::string_view png);
  // Those of the values that are finite, in kBuckets of one width.
  void histogram(std::string_view tag, int64_t step, std::span<const float> values);
  // What was given since the last call is appended to the file. Error: the disk is full.
  void flush();

  static constexpr int kBuckets = 64;
  static constexpr const char* kFileName = "events.out.tfevents.0000000000.kern";

 private:
  void event(int64_t step, const ProtoWriter& value);
  std::filesystem::path path_;
  std::string pending_;
};

}  // namespace kern::training
