// Which images show the same thing: pieces of one sheet, exposures of one part, neighbours of a sequence. They are more
// alike than images to come will be, so they stay together in every split and in every fold.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace kern::data {

// each: every image is a thing of its own.
// name: those of a folder whose names differ in the last part alone, cut off at the last '_', '-', '.' or space:
//       sheet_01_1.png and sheet_01_2.png.
// number: those of a folder whose names' last numbers follow one another with gaps of no more than `gap`:
//       frame_101.png, frame_103.png and frame_104.png with gap 2. A name without a number is a thing of its own.
enum class Grouping { each, name, number };
struct GroupOptions {
  Grouping by = Grouping::each;
  int64_t gap = 1;
};
// ids: paths with "/" between folders. A number for each, from 0 in the order of their first image. Error: gap below 0.
std::vector<int64_t> group_images(const std::vector<std::string>& ids, const GroupOptions& options);

}  // namespace kern::data
