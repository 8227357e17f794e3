// GIF through giflib: the first image of a file, as indices of its palette.
#pragma once
#include <string>
#include <string_view>

#include "data/image.h"

namespace kern::data {

bool is_gif(std::string_view bytes);  // by the first six

// What is in the header is checked by image.cpp.
ImageInfo gif_info(std::string_view bytes, const std::string& name);

// Indices (C is 1) and the palette of the first image; what it leaves uncovered of the screen has the background's
// index. The other images of an animation are not looked at. Error: cut short, damaged, no image.
StoredImage read_gif(std::string_view bytes, const std::string& name);

}  // namespace kern::data
