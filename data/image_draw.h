// Images for people: masks in their classes' colours, laid over images, and sheets of several.
#pragma once
#include <filesystem>
#include <span>
#include <vector>

#include "data/masks.h"

namespace kern::data {

// [H,W,3]: every class in its colour; what takes no part in dark grey.
Image coloured(const Labels& labels, std::span<const Rgb> palette);
// The image in colours, its classes laid over it. Class 0 stays clear where `background` says so.
Image overlay(const Image& image, const Labels& labels, std::span<const Rgb> palette, double opacity = 0.5,
              bool background_clear = false);
// Where a prediction is right and wrong, on the image [H,W,3] in grey. `binary`: class 1 is an object, green where it
// was found, orange where it was found wrongly, blue where it was missed; otherwise orange is what is wrong.
Image mistakes(const Image& image, const Labels& truth, const Labels& predicted, bool binary);
// Grey as three equal channels.
Image in_colours(Image image);
// Cells of C = 3, scaled to fit cell x cell, in rows of so many columns on white.
Image sheet(const std::vector<Image>& cells, int columns, int64_t cell = 160);
// That as a PNG file; its folder is made.
void write_sheet(const std::filesystem::path& path, const std::vector<Image>& cells, int columns);
// No side longer than this; smaller images stay as they are.
Image at_most(Image image, int64_t side);

}  // namespace kern::data
