// PNG through libpng, in memory. What is in the file is checked by image.cpp before.
#pragma once
#include <span>
#include <string>
#include <string_view>

#include "data/image.h"

namespace kern::data {

// 8 bits: palettes expanded, alpha left out, all bit depths scaled to 0..255; C is 1 or 3.
Image read_png(std::string_view bytes, const std::string& name);
// The values as stored.
Raster<uint16_t> read_png_stored(std::string_view bytes, const std::string& name, std::vector<Rgb>& palette);
std::string write_png(const Image& image, std::span<const Rgb> palette, int level);

}  // namespace kern::data
