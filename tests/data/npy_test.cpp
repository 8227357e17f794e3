#include "data/npy.h"

#include <gtest/gtest.h>

#include <numeric>

#include "engine/atomic_file.h"
#include "tests/support/error_of.h"

namespace kern::data {
namespace {
// A file as numpy.save writes it: version 1.0.
std::string npy(const std::string& type, const std::string& shape, const std::string& bytes, bool fortran = false) {
  std::string header =
      "{'descr': '" + type + "', 'fortran_order': " + (fortran ? "True" : "False") + ", 'shape': " + shape + ", }";
  header.append(63 - (10 + header.size()) % 64, ' ');
  header += '\n';
  std::string file = "\x93NUMPY";
  file += {'\x01', '\x00', char(header.size() & 0xff), char(header.size() >> 8)};
  return file + header + bytes;
}

std::filesystem::path file_of_npy() { return std::filesystem::path(::testing::TempDir()) / "kern_npy.npy"; }

TEST(Npy, WhatIsWrittenIsRead) {
  std::vector<float> values(24);
  std::iota(values.begin(), values.end(), -3.5f);
  const std::vector<int64_t> shape{2, 3, 4};
  NpyWriter writer(file_of_npy(), shape);
  writer.write(std::span(values).first(10));
  writer.write(std::span(values).subspan(10));
  writer.commit();
  const NpyFile file(file_of_npy());
  EXPECT_EQ(file.shape(), shape);
  std::vector<float> read(24), middle(5);
  file.read(0, read);
  EXPECT_EQ(read, values);
  file.read(7, middle);
  EXPECT_EQ(middle, std::vector<float>(values.begin() + 7, values.begin() + 12));
}

TEST(Npy, AllKindsOfNumbers) {
  const auto two = [&](const std::string& type, const std::string& bytes) {
    write_file(file_of_npy(), npy(type, "(2,)", bytes));
    const NpyFile file(file_of_npy());
    std::vector<float> v(2);
    file.read(0, v);
    return v;
  };
  using namespace std::string_literals;
  EXPECT_EQ(two("|i1", "\x05\xfe"s), (std::vector<float>{5, -2}));
  EXPECT_EQ(two("|u1", "\x05\xfe"s), (std::vector<float>{5, 254}));
  EXPECT_EQ(two("|b1", "\x00\x01"s), (std::vector<float>{0, 1}));
  EXPECT_EQ(two("<i2", "\x05\x00\xfe\xff"s), (std::vector<float>{5, -2}));
  EXPECT_EQ(two(">i2", "\x00\x05\xff\xfe"s), (std::vector<float>{5, -2}));
  EXPECT_EQ(two("<f4", "\x00\x00\x80\x3f\x00\x00\x00\xc0"s), (std::vector<float>{1, -2}));
  EXPECT_EQ(two(">f8", "\x3f\xf0\x00\x00\x00\x00\x00\x00\xc0\x00\x00\x00\x00\x00\x00\x00"s),
            (std::vector<float>{1, -2}));
}

TEST(Npy, WhatCannotBeReadIsNamed) {
  const std::filesystem::path path = file_of_npy();
  const auto says = [&](const std::string& bytes) {
    write_file(path, bytes);
    return kern::testing::error_of([&] { NpyFile file(path); });
  };
  EXPECT_NE(says("").find("ends before its data do"), std::string::npos);
  EXPECT_NE(says("PK\x03\x04 an archive of several arrays").find("is no .npy file"), std::string::npos);
  EXPECT_NE(says(npy("<c8", "(1,)", "12345678")).find("'<c8'; save it as float32"), std::string::npos);
  EXPECT_NE(says(npy("|O", "(1,)", "12345678")).find("save it as float32"), std::string::npos);
  EXPECT_NE(says(npy("<f4", "(1, 2)", "12345678", true)).find("Fortran order"), std::string::npos);
  EXPECT_NE(says(npy("<f4", "(3,)", "12345678")).find("cut short"), std::string::npos);
  EXPECT_NE(says(npy("<f4", "(-3,)", "12345678")).find("makes no sense"), std::string::npos);
  EXPECT_NE(says(npy("<f4", "(99999999999, 99999999999)", "")).find("makes no sense"), std::string::npos);
  EXPECT_NE(says(npy("<f4", "3", "12345678")).find("does not say its shape"), std::string::npos);
  EXPECT_NE(kern::testing::error_of([] { NpyFile file("missing.npy"); }).find("missing.npy"), std::string::npos);
}

}  // namespace
}  // namespace kern::data
