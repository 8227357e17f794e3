#include "training/report/cube_page.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "data/gzip.h"
#include "training/report/svg.h"

namespace kern::training {
namespace {

TEST(CubePage, HoldsTheCubeAndNoLinkLeavesIt) {
  CubePage page{.title = "<b>a & b</b>",
                .text = "Text.",
                .size = {3, 4, 5},
                .amplitude = std::vector<uint8_t>(60),
                .probability = std::vector<uint8_t>(60, 7),
                .axes = {{{"inline", "", 100, 1}, {"crossline", "", 300, 2}, {"slice", "</script>", 0, 4}}}};
  std::iota(page.amplitude.begin(), page.amplitude.end(), uint8_t(90));
  const std::string html = cube_page(page);
  EXPECT_NE(html.find("<title>&lt;b&gt;a &amp; b&lt;/b&gt;</title>"), html.npos);
  EXPECT_EQ(html.find("http"), html.npos);
  EXPECT_EQ(html.find("\"</script>\""), html.npos);
  // The very samples are inside, packed.
  const std::string bytes(page.amplitude.begin(), page.amplitude.end());
  EXPECT_EQ(data::gunzip(data::gzip(bytes), "cube"), bytes);
  EXPECT_NE(html.find("id=\"amplitude\">" + base64(data::gzip(bytes)) + "<"), html.npos);
  EXPECT_NE(html.find(R"("size":[3,4,5])"), html.npos);
}

TEST(CubePage, AmplitudesAsBytes) {
  EXPECT_EQ(amplitude_byte(0), 128);
  EXPECT_EQ(amplitude_byte(3), 255);
  EXPECT_EQ(amplitude_byte(-30), 1);
  EXPECT_EQ(amplitude_byte(std::nanf("")), 128);
}

TEST(CubePage, BytesBeyondABlockOfZlib) {
  std::string bytes(3 << 20, 'x');
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = char(i * 2654435761u >> 13);
  EXPECT_EQ(data::gunzip(data::gzip(bytes), "bytes"), bytes);
  EXPECT_EQ(data::gunzip(data::gzip(""), "nothing"), "");
}

}  // namespace
}  // namespace kern::training
