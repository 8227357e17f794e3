#include "data/image.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <fstream>

#include "engine/atomic_file.h"
#include "kernels/common/error.h"
#include "tests/support/error_of.h"
#include "tests/support/source_files.h"

namespace kern::data {
namespace {
namespace fs = std::filesystem;
const fs::path kFiles = testing::source_file("tests/data/image");  // made by image_files.py, as are the formulas
constexpr int64_t kW = 13, kH = 9;

std::array<int, 3> colour_at(int64_t y, int64_t x) { return {int(16 * x), int(20 * y), int(8 * (x + y))}; }

void expect_colours(const Image& image, int tolerance) {
  ASSERT_EQ(image.H, kH);
  ASSERT_EQ(image.W, kW);
  ASSERT_EQ(image.C, 3);
  for (int64_t y = 0; y < kH; ++y)
    for (int64_t x = 0; x < kW; ++x)
      for (int c = 0; c < 3; ++c)
        ASSERT_LE(std::abs(image.at(y, x)[c] - colour_at(y, x)[size_t(c)]), tolerance) << y << ' ' << x;
}

using kern::testing::error_of, kern::testing::expect_words;

TEST(Image, ReadsColours) {
  expect_colours(read_image(kFiles / "colour.png"), 0);
  expect_colours(read_image(kFiles / "colour.bmp"), 0);
  expect_colours(read_image(kFiles / "alpha.png"), 0);  // alpha is left out
  expect_colours(read_image(kFiles / "colour.jpg"), 12);
  expect_colours(read_image(kFiles / "progressive.jpg"), 12);
}

TEST(Image, GreyImagesAreOfOneChannelUnlessThreeAreWanted) {
  const Image grey = read_image(kFiles / "grey.png"), three = read_image(kFiles / "grey.png", 3);
  EXPECT_EQ(grey.C, 1);
  ASSERT_EQ(three.C, 3);
  for (int64_t i = 0; i < kH * kW; ++i) {
    EXPECT_EQ(grey.pixels[size_t(i)], 8 * (i / kW + i % kW));
    for (int c = 0; c < 3; ++c) EXPECT_EQ(three.pixels[size_t(3 * i + c)], grey.pixels[size_t(i)]);
  }
  EXPECT_EQ(read_image(kFiles / "grey.jpg").C, 1);
  const Image luma = read_image(kFiles / "colour.png", 1);
  EXPECT_EQ(int(luma.at(5, 7)[0]), (299 * 112 + 587 * 100 + 114 * 96 + 500) / 1000);
}

TEST(Image, StoredValuesAreUntouched) {
  const StoredImage index = read_stored(kFiles / "palette.png"), deep = read_stored(kFiles / "grey16.png"),
                    bit = read_stored(kFiles / "bit.png"), alpha = read_stored(kFiles / "alpha.png");
  ASSERT_GE(index.palette.size(), 4u);
  EXPECT_EQ(index.palette[1], (Rgb{250, 0, 0}));
  EXPECT_TRUE(index.info.palette);
  EXPECT_EQ(deep.info.bits, 16);
  EXPECT_EQ(alpha.C, 4);
  for (int64_t y = 0; y < kH; ++y)
    for (int64_t x = 0; x < kW; ++x) {
      EXPECT_EQ(*index.at(y, x), (x + y) % 4);
      EXPECT_EQ(*deep.at(y, x), 4000 * y + x);
      EXPECT_EQ(*bit.at(y, x), (x + y) % 2);
      EXPECT_EQ(alpha.at(y, x)[3], 7);
    }
}

TEST(Image, EightBitsOfPalettesBitsAndDeepValues) {
  const Image colours = read_image(kFiles / "palette.png"), bit = read_image(kFiles / "bit.png"),
              deep = read_image(kFiles / "grey16.png");
  ASSERT_EQ(colours.C, 3);
  EXPECT_EQ((Rgb{colours.at(0, 0)[0], colours.at(0, 0)[1], colours.at(0, 0)[2]}), (Rgb{10, 20, 30}));
  EXPECT_EQ(*bit.at(0, 1), 255);
  EXPECT_EQ(*deep.at(8, 0), std::lround(32000 * 255.0 / 65535));
}

TEST(Image, HeaderAloneTellsTheSize) {
  for (const char* name : {"colour.png", "colour.bmp", "colour.jpg", "progressive.jpg", "palette.png", "grey16.png"}) {
    const ImageInfo info = image_info(kFiles / name);
    EXPECT_EQ(info.H, kH) << name;
    EXPECT_EQ(info.W, kW) << name;
  }
  EXPECT_EQ(image_info(kFiles / "alpha.png").channels, 4);
  EXPECT_EQ(image_info(kFiles / "bit.png").bits, 1);
  const std::string bytes = read_file(kFiles / "colour.png");
  EXPECT_EQ(image_info(bytes.substr(0, 40), "x").W, kW);
}

// An APP1 segment with this orientation after the start of a JPEG, in either byte order.
std::string turned(const std::string& jpeg, int orientation, bool little) {
  std::string tiff = little ? std::string("II*\0\10\0\0\0\1\0\x12\1\3\0\1\0\0\0", 18)
                            : std::string("MM\0*\0\0\0\10\0\1\1\x12\0\3\0\0\0\1", 18);
  tiff += little ? std::string{char(orientation), 0, 0, 0} : std::string{0, char(orientation), 0, 0};
  const std::string body = std::string("Exif\0\0", 6) + tiff;
  return jpeg.substr(0, 2) + std::string{char(0xFF), char(0xE1), 0, char(body.size() + 2)} + body + jpeg.substr(2);
}

TEST(Image, JpegsStandUprightByTheirExifOrientation) {
  const std::string jpeg = read_file(kFiles / "colour.jpg");
  const Image flat = decode_image(jpeg, "x");
  for (int orientation = 1; orientation <= 8; ++orientation)
    for (bool little : {true, false}) {
      const std::string bytes = turned(jpeg, orientation, little);
      const Image up = decode_image(bytes, "x");
      const bool swapped = orientation >= 5;
      ASSERT_EQ(up.H, swapped ? kW : kH);
      EXPECT_EQ(image_info(bytes, "x").H, up.H);
      // Where the stored image's first row and first column are, by the standard's table.
      const bool row_at_end = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
      const bool column_at_end = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
      for (int64_t y = 0; y < kH; ++y)
        for (int64_t x = 0; x < kW; ++x) {
          const int64_t r = row_at_end ? kH - 1 - y : y, c = column_at_end ? kW - 1 - x : x;
          const uint8_t* there = swapped ? up.at(c, r) : up.at(r, c);
          ASSERT_EQ(there[0], flat.at(y, x)[0]) << "orientation " << orientation;
        }
    }
}

// tiff_files.py wrote them, by two programs, in as many ways as TIFF has.
TEST(Image, ReadsTiffsOfEveryKind) {
  for (const char* name : {"colour.tif", "colour_lzw_big_endian.tif", "colour_tiled_deflate.tiff", "colour_planes.tif",
                           "alpha.tif", "colour16.tif", "turned.tif"}) {
    SCOPED_TRACE(name);
    expect_colours(read_image(kFiles / name), 0);
    EXPECT_EQ(image_info(kFiles / name).W, kW);
  }
  expect_colours(read_image(kFiles / "colour_jpeg.tif"), 40);  // half as many colours as pixels
  expect_colours(read_image(kFiles / "cmyk.tif"), 1);
  EXPECT_EQ(image_info(kFiles / "alpha.tif").channels, 4);
  EXPECT_EQ(read_image(kFiles / "bit.tif"), read_image(kFiles / "bit.png"));
  EXPECT_EQ(read_image(kFiles / "palette.tif"), read_image(kFiles / "palette.png"));
  EXPECT_EQ(read_image(kFiles / "grey16.tif"), read_image(kFiles / "grey16.png"));
  EXPECT_EQ(read_image(kFiles / "white_is_zero.tif"), read_image(kFiles / "grey.png"));
  const Image twelve = read_image(kFiles / "grey12_of_16.tif"), grey = read_image(kFiles / "grey.png");
  for (size_t i = 0; i < grey.pixels.size(); ++i) EXPECT_NEAR(twelve.pixels[i], grey.pixels[i], 1);
}

// The library that decodes JBIG is under the GPL and not linked (data/tiff.cpp).
TEST(Image, TiffsCompressedByJbigAreRefused) {
  std::string tiff("II*\0\10\0\0\0\11\0", 10);  // one row of eight pixels, four bytes of data behind the entries
  const auto number = [&](uint32_t v, int bytes) {
    for (int i = 0; i < bytes; ++i) tiff += char(v >> 8 * i & 255);
  };
  for (const auto& [tag, value] : std::vector<std::pair<uint32_t, uint32_t>>{
           {256, 8}, {257, 1}, {258, 1}, {259, 34661}, {262, 0}, {273, 122}, {277, 1}, {278, 1}, {279, 4}})
    number(tag, 2), number(4, 2), number(1, 4), number(value, 4);
  number(0, 4), number(0, 4);
  EXPECT_EQ(image_info(tiff, "fax.tif").W, 8);
  try {
    decode_image(tiff, "fax.tif");
    FAIL();
  } catch (const Error& e) {
    for (const char* word : {"fax.tif", "JBIG", "convert it to PNG"})
      EXPECT_NE(std::string(e.what()).find(word), std::string::npos) << e.what();
  }
}

TEST(Image, StoredValuesOfTiffs) {
  const StoredImage index = read_stored(kFiles / "palette.tif"), deep = read_stored(kFiles / "grey16.tif"),
                    bit = read_stored(kFiles / "bit.tif"), turned = read_stored(kFiles / "turned.tif");
  ASSERT_EQ(index.palette.size(), 256u);
  EXPECT_EQ(index.palette[1], (Rgb{250, 0, 0}));
  EXPECT_EQ(deep.info.bits, 16);
  for (int64_t y = 0; y < kH; ++y)
    for (int64_t x = 0; x < kW; ++x) {
      EXPECT_EQ(*index.at(y, x), (x + y) % 4);
      EXPECT_EQ(*deep.at(y, x), 4000 * y + x);
      EXPECT_EQ(*bit.at(y, x), (x + y) % 2);
      EXPECT_EQ(turned.at(y, x)[0], 16 * x);
    }
}

TEST(Image, PagesOfATiffAreImages) {
  const std::vector<fs::path> pages = pages_of(kFiles / "stack.tif");
  ASSERT_EQ(pages.size(), 11u);
  EXPECT_EQ(pages[0], kFiles / "stack.tif/page_01");
  EXPECT_EQ(pages[10], kFiles / "stack.tif/page_11");
  const Image grey = read_image(kFiles / "grey.png");
  for (size_t page = 0; page < pages.size(); ++page) {
    EXPECT_EQ(file_of(pages[page]), kFiles / "stack.tif");
    EXPECT_EQ(image_info(pages[page]).H, kH);
    const Image image = read_image(pages[page]);
    const StoredImage stored = read_stored(pages[page]);
    for (size_t i = 0; i < grey.pixels.size(); ++i) {
      ASSERT_EQ(image.pixels[i], grey.pixels[i] + page);
      ASSERT_EQ(stored.pixels[i], grey.pixels[i] + page);
    }
  }
  EXPECT_EQ(read_image(kFiles / "stack.tif"), read_image(pages[0]));
  expect_words(error_of([] { read_image(kFiles / "stack.tif/page_12"); }), {"page_12", "11 pages", "page 12"});
  expect_words(error_of([] { image_info(kFiles / "stack.tif/page_12"); }), {"stack.tif", "11 pages"});
  for (const char* one : {"colour.tif", "float.tif", "grey.png", "none.tif"})
    EXPECT_EQ(pages_of(kFiles / one), std::vector<fs::path>{kFiles / one});
  for (const char* other : {"stack.tif/page_", "stack.tif/page_0", "stack.tif/page_1x", "grey.png/page_1"})
    EXPECT_EQ(file_of(kFiles / other), kFiles / other) << "names no page";
}

TEST(Image, RefusesTiffsInSentences) {
  expect_words(error_of([] { read_image(kFiles / "float.tif"); }), {"float.tif", "32-bit floating-point", "8 or 16"});
  expect_words(error_of([] { read_image(kFiles / "five_channels.tif"); }), {"five_channels.tif", "5 values a pixel"});
  for (const char* name : {"colour.tif", "colour_tiled_deflate.tiff", "bit.tif", "grey16.tif", "stack.tif"}) {
    const std::string bytes = read_file(kFiles / name);
    for (size_t kept = 4; kept < bytes.size(); kept += 7) {
      const std::string cut = bytes.substr(0, kept);
      try {  // libtiff fills what is missing of some; it must be told of the others, and never more than was there
        EXPECT_EQ(decode_image(cut, name).W, kW) << name << ' ' << kept;
      } catch (const Error& e) {
        expect_words(e.sentence(), {name});
      }
    }
    expect_words(error_of([&] { decode_image(bytes.substr(0, 10), name); }), {name, "cannot be read as TIFF"});
  }
  std::string vast = read_file(kFiles / "colour.tif");  // its width, then its height, are four bytes each
  const auto tag = [&](const char* number) { return vast.find(std::string(number, 4)); };
  vast.replace(tag("\0\1\4\0") + 8, 4, std::string("\0\0\1\0", 4));
  vast.replace(tag("\1\1\4\0") + 8, 4, std::string("\0\0\1\0", 4));
  expect_words(error_of([&] { image_info(vast, "vast.tif"); }), {"vast.tif", "65536 x 65536", "parts"});
}

TEST(Image, ReadsTheFirstImageOfAGif) {
  EXPECT_EQ(read_image(kFiles / "palette.gif"), read_image(kFiles / "palette.png"));
  const StoredImage index = read_stored(kFiles / "palette.gif"), rows = read_stored(kFiles / "interlaced.gif");
  EXPECT_EQ(index.palette[1], (Rgb{250, 0, 0}));
  EXPECT_TRUE(index.info.palette);
  for (int64_t y = 0; y < kH; ++y)
    for (int64_t x = 0; x < kW; ++x) EXPECT_EQ(*index.at(y, x), (x + y) % 4);
  ASSERT_EQ(rows.H, 21);
  for (int64_t y = 0; y < rows.H; ++y)
    for (int64_t x = 0; x < rows.W; ++x) ASSERT_EQ(*rows.at(y, x), y);
  EXPECT_EQ(read_image(kFiles / "interlaced.gif", 1).at(20, 3)[0], 160);
  EXPECT_TRUE(is_image_name("b.GIF"));
}

TEST(Image, AGifsImageLiesAnywhereOnItsScreen) {
  std::string bytes = read_file(kFiles / "palette.gif");
  bytes[6] = 20, bytes[8] = 15, bytes[11] = 2;  // the screen's width and height, the background
  const size_t part = bytes.find(std::string("\0\0\0\0\x0D\0\x09\0", 8));  // left, top, width, height
  ASSERT_NE(part, bytes.npos);
  bytes[part] = 4, bytes[part + 2] = 5;
  const StoredImage image = decode_stored(bytes, "a.gif");
  ASSERT_EQ(image.W, 20);
  ASSERT_EQ(image.H, 15);
  for (int64_t y = 0; y < 15; ++y)
    for (int64_t x = 0; x < 20; ++x) {
      const bool inside = y >= 5 && y < 5 + kH && x >= 4 && x < 4 + kW;
      EXPECT_EQ(*image.at(y, x), inside ? (x - 4 + y - 5) % 4 : 2);
    }
  bytes[part] = 8;
  expect_words(error_of([&] { decode_stored(bytes, "a.gif"); }), {"a.gif", "13 x 9", "20 x 15", "PNG"});
}

TEST(Image, RefusesGifsInSentences) {
  const std::string bytes = read_file(kFiles / "interlaced.gif");
  for (size_t kept = 6; kept + 8 < bytes.size(); kept += 7)
    expect_words(error_of([&] { decode_image(bytes.substr(0, kept), "cut.gif"); }), {"cut.gif", "again"});
  std::string vast = bytes;
  vast[6] = vast[7] = vast[8] = vast[9] = '\xFF';
  expect_words(error_of([&] { decode_image(vast, "vast.gif"); }), {"vast.gif", "65535 x 65535", "parts"});
  expect_words(error_of([&] { decode_image(bytes.substr(0, 13 + 3 * 32) + ";", "none.gif"); }),
               {"none.gif", "without an image"});
}

TEST(Image, RefusesInSentences) {
  expect_words(error_of([] { read_image(kFiles / "cmyk.jpg"); }), {"cmyk.jpg", "CMYK", "RGB"});
  expect_words(error_of([] { decode_image("", "a.png"); }), {"a.png", "empty"});
  expect_words(error_of([] { decode_image("hello", "a.png"); }), {"a.png", "JPEG, PNG, TIFF, BMP nor GIF"});
  expect_words(error_of([] { read_image("nowhere.png"); }), {"nowhere.png"});
  for (const char* name : {"colour.png", "colour.jpg", "progressive.jpg", "colour.bmp", "grey16.png"}) {
    const std::string bytes = read_file(kFiles / name);
    for (const size_t kept : {bytes.size() - 20, bytes.size() / 2, size_t(10)}) {
      expect_words(error_of([&] { decode_image(bytes.substr(0, kept), name); }), {name, "cut short"});
      expect_words(error_of([&] { decode_stored(bytes.substr(0, kept), name); }), {name, "cut short"});
    }
  }
  std::string bad = read_file(kFiles / "colour.png");
  bad[50] = char(bad[50] ^ 0x55);
  expect_words(error_of([&] { decode_image(bad, "bad.png"); }), {"bad.png", "damaged PNG"});
  for (const char* name : {"colour.jpg", "progressive.jpg"}) {  // the first of its tables, and the last
    const std::string whole = read_file(kFiles / name);
    for (const size_t at : {whole.find("\xFF\xC4"), whole.rfind("\xFF\xC4")}) {
      std::string codes = whole;
      codes.replace(at + 5, 2, "\xFF\xFF");
      expect_words(error_of([&] { decode_image(codes, name); }), {name, "damaged JPEG", "256 are possible"});
    }
  }
  std::string without = read_file(kFiles / "grey.jpg");  // its tables become a comment
  for (size_t at = 0; (at = without.find("\xFF\xC4", at)) != without.npos;) without[at + 1] = char(0xFE);
  expect_words(error_of([&] { decode_image(without, "grey.jpg"); }), {"grey.jpg", "tables", "missing"});
  std::string none = read_file(kFiles / "colour.png");
  none.replace(16, 4, std::string(4, '\0'));
  expect_words(error_of([&] { decode_image(none, "none.png"); }), {"none.png", "without pixels", "0 x 9"});
  std::string vast = read_file(kFiles / "colour.png");
  vast.replace(16, 8, std::string("\0\1\0\0\0\1\0\0", 8));
  expect_words(error_of([&] { image_info(vast, "vast.png"); }), {"vast.png", "65536 x 65536", "parts"});
}

// stb refuses a component that the frame lacks without a reason of its own: it once left a null pointer, or the reason
// of whatever it had refused before.
TEST(Image, AScanThatNamesAComponentTheFrameLacks) {
  for (const char* name : {"colour.jpg", "grey.jpg", "progressive.jpg"}) {
    std::string first = read_file(kFiles / name);
    first[first.find("\xFF\xDA") + 5] ^= 0x40;
    expect_words(error_of([&] { decode_image(first, name); }), {name, "damaged JPEG", "component", "frame"});
    expect_words(error_of([&] { decode_stored(first, name); }), {name, "damaged JPEG", "component", "frame"});
  }
  std::string other = read_file(kFiles / "colour.jpg"), last = read_file(kFiles / "progressive.jpg");
  other[other.find("\xFF\xDA") + 3] ^= 1;  // a scan header of another length
  last[last.rfind("\xFF\xDA") + 5] ^= 0x40;
  const std::string before = error_of([&] { decode_image(last, "last.jpg"); });
  expect_words(before, {"last.jpg", "(damaged data)"});
  expect_words(error_of([&] { decode_image(other, "other.jpg"); }), {"other.jpg", "cannot be read as JPEG ("});
  EXPECT_EQ(error_of([&] { decode_image(last, "last.jpg"); }), before) << "what came before must not matter";
}

TEST(Image, WritesWhatItReads) {
  Image index = make_raster(5, 7, 1);
  for (size_t i = 0; i < index.pixels.size(); ++i) index.pixels[i] = uint8_t(i % 3);
  const std::vector<Rgb> palette{{1, 2, 3}, {4, 5, 6}, {255, 0, 9}};
  const StoredImage back = decode_stored(encode_png(index, palette), "x");
  EXPECT_EQ(back.palette, palette);
  for (size_t i = 0; i < index.pixels.size(); ++i) EXPECT_EQ(back.pixels[i], index.pixels[i]);
  const Image colour = read_image(kFiles / "colour.png");
  EXPECT_EQ(decode_image(encode_png(colour), "x"), colour);
  EXPECT_EQ(decode_image(encode_png(index), "x"), index);
  const Image wide = make_raster(1, 30000, 3, uint8_t(9));
  EXPECT_EQ(decode_image(encode_png(wide), "x"), wide);
  EXPECT_EQ(decode_image(encode_png(make_raster(1, 1, 1)), "x"), make_raster(1, 1, 1));
  expect_words(error_of([&] { encode_png(index, std::span(palette).first(2)); }), {"2 colours", "index 2"});
}

TEST(Image, ResizesMeansAndNeverMixesIndices) {
  const Image flat = make_raster(31, 17, 3, uint8_t(77));
  for (const auto& [h, w] : {std::pair{1, 1}, {31, 17}, {62, 40}, {7, 90}, {500, 3}}) {
    EXPECT_EQ(resize(flat, h, w), make_raster(h, w, 3, uint8_t(77)));
    EXPECT_EQ(resize_nearest(flat, h, w), make_raster(h, w, 3, uint8_t(77)));
  }
  Image stripes = make_raster(8, 64, 1);  // finer than the new pixels: only their mean is left
  for (int64_t y = 0; y < 8; ++y)
    for (int64_t x = 0; x < 64; ++x) *stripes.at(y, x) = x % 2 ? 200 : 100;
  const Image mean = resize(stripes, 2, 8);
  for (int64_t x = 0; x < 8; ++x) EXPECT_NEAR(*mean.at(1, x), 150, x == 0 || x == 7 ? 10 : 1) << x;  // edges repeat
  EXPECT_EQ(*resize_nearest(stripes, 4, 32).at(0, 0), 200);
  Image ramp = make_raster(4, 40, 1);
  for (int64_t y = 0; y < 4; ++y)
    for (int64_t x = 0; x < 40; ++x) *ramp.at(y, x) = uint8_t(6 * x);
  const Image part = resize_part(ramp, 1, 10, 2, 20, 4, 40);
  for (int64_t x = 0; x < 40; ++x) EXPECT_NEAR(*part.at(2, x), 60 + 3 * x - 1.5, 2) << x;
  expect_words(error_of([&] { resize_part(ramp, 1, 30, 2, 20, 4, 40); }), {"not inside", "40 x 4"});
}

TEST(Image, NamesAndColours) {
  EXPECT_TRUE(is_image_name("a/b.JPG"));
  EXPECT_TRUE(is_image_name("b.jpeg"));
  EXPECT_TRUE(is_image_name("b.tif"));
  EXPECT_TRUE(is_image_name("b.TIFF"));
  EXPECT_FALSE(is_image_name("b.txt"));
  EXPECT_EQ(parse_colour("#e69F00"), (Rgb{0xe6, 0x9f, 0}));
  expect_words(error_of([] { parse_colour("red"); }), {"red", "#rrggbb"});
}

TEST(Image, FilesOfNamesBeyondAscii) {
  const fs::path path = fs::temp_directory_path() / "Größe 写真.png";
  write_file(path, encode_png(make_raster(2, 3, 1)));
  EXPECT_EQ(read_image(path).W, 3);
  fs::remove(path);
}

}  // namespace
}  // namespace kern::data
