#include "engine/model_file.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "engine/atomic_file.h"
#include "tests/support/error_of.h"

namespace kern {
namespace {

using kern::testing::error_of;
std::filesystem::path temporary(const char* name) { return std::filesystem::path(::testing::TempDir()) / name; }

std::string file_bytes(const std::string& header, const std::string& data) {
  const uint64_t length = header.size();
  std::string out(8, '\0');
  std::memcpy(out.data(), &length, 8);
  return out + header + data;
}

TEST(ModelFile, round_trip_keeps_values_shapes_and_metadata) {
  const auto path = temporary("kern_round.safetensors");
  const Tensor a = Tensor::from({2, 3}, std::vector<float>{1, -2, 3, 4, 5, 6.5f}),
               b = Tensor::from({2}, std::vector<int32_t>{7, -8});
  save_tensors(path, {{"z.weight", a.channel_slice(1, 3)}, {"a", b}},
               {{"kern.model", "unet"}, {"text", "line\n\"quoted\" \xc3\xa9"}});
  const TensorFile f = load_tensors(path);
  ASSERT_EQ(f.tensors.size(), 2u);
  EXPECT_EQ(f.find("z.weight")->values(), (std::vector<float>{-2, 3, 5, 6.5f}));
  EXPECT_EQ(f.find("a")->integers(), (std::vector<int32_t>{7, -8}));
  EXPECT_EQ(f.metadata.at("text"), "line\n\"quoted\" \xc3\xa9");
  const std::string first = read_file(path);
  save_tensors(path, {{"a", b}, {"z.weight", a.channel_slice(1, 3)}}, f.metadata);
  EXPECT_EQ(read_file(path), first) << "same content, same bytes";
}

TEST(ModelFile, a_configuration_is_no_model) {
  const auto path = temporary("kern_text.safetensors");
  write_file(path, "model: unet\nepochs: 25\n");
  for (const auto& load :
       {std::function<void()>([&] { load_tensors(path); }), std::function<void()>([&] { load_metadata(path); })})
    try {
      load();
      ADD_FAILURE() << "text was read as a model";
    } catch (const Error& e) {
      EXPECT_NE(std::string(e.what()).find("is text, not a model"), std::string::npos) << e.what();
    }
}

TEST(ModelFile, metadata_is_read_without_the_tensors) {
  const auto path = temporary("kern_metadata.safetensors");
  const Metadata metadata{{"kern.task", "wells"}, {"text", "line\n"}};
  save_tensors(path, {{"a", Tensor::from({2}, std::vector<float>{1, 2})}}, metadata);
  EXPECT_EQ(load_metadata(path), metadata);
  std::string bytes = read_file(path);
  std::string other = bytes;
  other.replace(other.size() - 8, 8, 8, '\xff');  // its tensors are not looked at
  write_file(path, other);
  EXPECT_EQ(load_metadata(path), metadata);
  for (const size_t cut : {size_t{0}, size_t{5}, size_t{8}, size_t{20}, bytes.size() - 8, bytes.size() - 1}) {
    write_file(path, bytes.substr(0, cut));
    EXPECT_THROW(load_metadata(path), Error) << cut;
  }
  EXPECT_THROW(load_metadata(path.parent_path()), Error);
  EXPECT_THROW(load_metadata(path.string() + ".none"), Error);
}

TEST(ModelFile, reads_half_precision_and_wide_types) {
  const std::string h =
      R"({"h":{"dtype":"F16","shape":[4],"data_offsets":[0,8]},"b":{"dtype":"BF16","shape":[1],"data_offsets":[8,10]},)"
      R"("d":{"dtype":"F64","shape":[1],"data_offsets":[10,18]},"i":{"dtype":"I64","shape":[1],"data_offsets":[18,26]}})";
  std::string data("\x00\x3c\x00\xc0\x01\x00\x00\x7c", 8);  // 1, -2, 2^-24, inf
  data += std::string("\x80\x3f", 2);                       // 1
  double d = 0.1;
  int64_t i = -5;
  data.append(reinterpret_cast<char*>(&d), 8).append(reinterpret_cast<char*>(&i), 8);
  const TensorFile f = parse_tensors(file_bytes(h, data), "x");
  EXPECT_EQ(f.find("h")->values(), (std::vector<float>{1, -2, 0x1p-24f, INFINITY}));
  EXPECT_EQ(f.find("b")->item(), 1);
  EXPECT_EQ(f.find("d")->item(), 0.1f);
  EXPECT_EQ(f.find("i")->integers(), (std::vector<int32_t>{-5}));
}

TEST(ModelFile, damage_is_named) {
  auto parse = [](const std::string& header, const std::string& data = "") {
    return error_of([&] { parse_tensors(file_bytes(header, data), "m"); });
  };
  EXPECT_EQ(error_of([] { parse_tensors("short", "m"); }), "m: not a safetensors file, it has only 5 bytes");
  EXPECT_NE(error_of([] { parse_tensors(std::string(8, '\x7f') + "x", "m"); }).find("cut short"), std::string::npos);
  EXPECT_NE(parse("nonsense").find("not a JSON object"), std::string::npos);
  EXPECT_NE(parse(R"({"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}})", "1234").find("cut short or damaged"),
            std::string::npos);
  EXPECT_NE(parse(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", "1234").find("needs 8 bytes"),
            std::string::npos);
  EXPECT_NE(parse(R"({"a":{"dtype":"Q4","shape":[1],"data_offsets":[0,4]}})", "1234").find("type Q4"),
            std::string::npos);
  EXPECT_NE(parse(R"({"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", "1234").find("not a size"),
            std::string::npos);
  EXPECT_NE(parse(R"({"a":{"dtype":"F32","shape":[1099511627776,1099511627776],"data_offsets":[0,4]}})", "1234")
                .find("larger than any memory"),
            std::string::npos);
  EXPECT_NE(
      parse(
          R"({"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},"b":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}})",
          "1234")
          .find("overlap"),
      std::string::npos);
  EXPECT_EQ(parse(R"({"n":{"dtype":"I64","shape":[1],"data_offsets":[0,8]}})", std::string(8, '\x7f')),
            "m: tensor 'n': its integer 9187201950435737471 does not fit 32 bits; convert the tensor to I32");
  EXPECT_NE(parse(std::string(100000, '[')).find("nested too deeply"), std::string::npos);
}

// An empty tensor has no bytes: its offsets may point anywhere in the file.
TEST(ModelFile, empty_tensors_overlap_nothing) {
  const TensorFile f = parse_tensors(
      file_bytes(
          R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"e":{"dtype":"F32","shape":[0,3],"data_offsets":[2,2]}})",
          std::string("\0\0\x80\x3f", 4)),
      "m");
  EXPECT_EQ(f.find("a")->item(), 1);
  EXPECT_EQ(f.find("e")->shape(), (Shape{0, 3}));
}

TEST(ModelFile, strict_load_lists_everything_at_once) {
  const auto path = temporary("kern_strict.safetensors");
  save_tensors(path,
               {{"m.a", Tensor::full({2}, 1)},
                {"m.b", Tensor::full({3}, 2)},
                {"m.extra", Tensor::full({1}, 0)},
                {"other", Tensor::full({1}, 0)}},
               {});
  Tensor a = Tensor::zeros({2}), b = Tensor::zeros({4}), c = Tensor::zeros({1});
  const std::string s = error_of([&] { load_into({{"a", a}, {"b", b}, {"c", c}}, load_tensors(path), "m."); });
  EXPECT_NE(s.find("Missing: m.c."), s.npos) << s;
  EXPECT_NE(s.find("Not in the model: m.extra."), s.npos) << s;
  EXPECT_NE(s.find("m.b (file [3] f32, model [4] f32)"), s.npos) << s;
  EXPECT_EQ(a.values(), (std::vector<float>{0, 0})) << "nothing is loaded when anything is wrong";
}

}  // namespace
}  // namespace kern
