// A small data set of images: a bright square on dark ground, its mask 255 where the square is.
#pragma once
#include <filesystem>
#include <string>

#include "data/image.h"
#include "engine/atomic_file.h"
#include "engine/random.h"

namespace kern::testing {

inline data::Image square_image(uint64_t seed, int64_t H, int64_t W, data::Image& mask) {
  RandomSequence random(seed, RandomStream::synthesize);
  data::Image image = data::make_raster(H, W, 3);
  mask = data::make_raster(H, W, 1);
  const int64_t side = std::min(H, W) / 2, y = random.below(uint32_t(H - side + 1)),
                x = random.below(uint32_t(W - side + 1));
  for (int64_t i = 0; i < H; ++i)
    for (int64_t j = 0; j < W; ++j) {
      const bool inside = i >= y && i < y + side && j >= x && j < x + side;
      *mask.at(i, j) = inside ? 255 : 0;
      for (int c = 0; c < 3; ++c) image.at(i, j)[c] = uint8_t((inside ? 180 : 20) + random.below(40));
    }
  return image;
}

// folder/images/image_0.png .., folder/masks/ likewise.
inline void write_squares(const std::filesystem::path& folder, int count, int64_t H = 24, int64_t W = 32) {
  make_folder(folder / "images");
  make_folder(folder / "masks");
  for (int i = 0; i < count; ++i) {
    data::Image mask;
    const std::string name = "image_" + std::to_string(i) + ".png";
    write_file(folder / "images" / name, data::encode_png(square_image(uint64_t(i) + 1, H, W, mask)));
    write_file(folder / "masks" / name, data::encode_png(mask));
  }
}

}  // namespace kern::testing
