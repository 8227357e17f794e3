#include "data/image.h"
#include "tests/fuzz/entry.h"

using namespace kern;
using kern::fuzz::accepted;
using kern::fuzz::expect;

// Whatever is decoded has the size that its header told, and all its values. Images of more than a million pixels are
// left alone: they are slow, not interesting.
int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes = fuzz::text_of(data, size);
  data::ImageInfo info;
  if (!accepted([&] { info = data::image_info(bytes, "fuzz"); })) return 0;
  expect(info.H > 0 && info.W > 0 && info.H <= data::kMaxPixels / info.W, "an image has pixels, and not too many");
  if (info.H * info.W > 1 << 20) return 0;
  for (const int channels : {0, 1, 3})
    accepted([&] {
      const data::Image image = data::decode_image(bytes, "fuzz", channels);
      expect(image.H == info.H && image.W == info.W && int64_t(image.pixels.size()) == image.H * image.W * image.C,
             "an image has its header's size");
      expect(channels == 0 || image.C == channels, "an image has the channels asked for");
    });
  accepted([&] {
    const data::StoredImage image = data::decode_stored(bytes, "fuzz");
    expect(int64_t(image.pixels.size()) == info.H * info.W * image.C, "every value is there");
  });
  return 0;
}
