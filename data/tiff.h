// TIFF through libtiff: strips and tiles, every compression that it knows, 1 to 16 bits a value, several pages.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "data/image.h"

namespace kern::data {

bool is_tiff(std::string_view bytes);  // by the first four

// How many images the file holds; thumbnails and transparency masks are none. Error when it cannot be read.
int64_t tiff_pages(const std::filesystem::path& file);

// `page` counts from 0. What is in the header is checked by image.cpp. Error: floating-point, complex or signed values,
// more than 16 bits.
ImageInfo tiff_info(const std::filesystem::path& file, int64_t page);
ImageInfo tiff_info(std::string_view bytes, int64_t page, const std::string& name);

// The values as stored, but that white is always the larger one; C is 1 to 4. What is stored as no plain grey, palette
// or RGB (CMYK, YCbCr, CIE L*a*b*) comes as RGB of 8 bits. Turned upright by image.cpp.
StoredImage read_tiff(std::string_view bytes, int64_t page, const std::string& name);

}  // namespace kern::data
