#include "engine/protobuf.h"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

namespace kern {
namespace {

std::string hex(const std::string& bytes) {
  std::string out;
  for (const char c : bytes) {
    constexpr const char* kDigits = "0123456789abcdef";
    out += kDigits[uint8_t(c) >> 4], out += kDigits[uint8_t(c) & 15];
  }
  return out;
}

// The examples of https://protobuf.dev/programming-guides/encoding/.
TEST(Protobuf, WritesTheExamplesOfItsSpecification) {
  EXPECT_EQ(hex(ProtoWriter().integer(1, 150).bytes()), "089601");
  EXPECT_EQ(hex(ProtoWriter().text(2, "testing").bytes()), "120774657374696e67");
  EXPECT_EQ(hex(ProtoWriter().message(3, ProtoWriter().integer(1, 150)).bytes()), "1a03089601");
  const std::vector<int64_t> packed{3, 270, 86942};
  EXPECT_EQ(hex(ProtoWriter().integers(6, packed).bytes()), "3206038e029ea705");
  EXPECT_EQ(hex(ProtoWriter().integer(1, -2).bytes()), "08feffffffffffffffff01");
}

TEST(Protobuf, ReadsWhatItWrote) {
  const std::vector<double> wide{0.1, -1e300};
  const std::string bytes =
      ProtoWriter().integer(1, -7).real(2, 1.5f).wide_real(3, 0.1).text(1000, "abc").wide_reals(5, wide).bytes();
  ProtoReader r(bytes);
  ASSERT_TRUE(r.next());
  EXPECT_TRUE(r.field() == 1 && r.is_integer() && r.integer() == -7);
  ASSERT_TRUE(r.next());
  const auto bits = uint32_t(r.integer());
  float real = 0;
  std::memcpy(&real, &bits, 4);
  EXPECT_TRUE(r.field() == 2 && !r.is_integer() && real == 1.5f);
  ASSERT_TRUE(r.next());
  const int64_t wide_bits = r.integer();
  double value = 0;
  std::memcpy(&value, &wide_bits, 8);
  EXPECT_TRUE(r.field() == 3 && value == 0.1);
  ASSERT_TRUE(r.next());
  EXPECT_TRUE(r.field() == 1000 && r.is_bytes() && r.bytes() == "abc");
  ASSERT_TRUE(r.next());
  EXPECT_EQ(r.bytes().size(), 16u);
  EXPECT_FALSE(r.next());
  EXPECT_FALSE(r.damaged());
}

TEST(Protobuf, SaysThatAMessageIsDamaged) {
  const std::string damaged[] = {
      std::string("\x08", 1),                                               // no value
      std::string("\x12\x07tes", 5),                                        // shorter than its length
      std::string("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12),  // longer than any number
      std::string("\x0b", 1),                                               // a group
      std::string("\x00\x01", 2),                                           // field 0
      std::string("\x0d\x01\x02", 3),                                       // three of four bytes
      std::string("\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11),      // a length of nearly 2^64
  };
  for (const std::string& bytes : damaged) {
    ProtoReader r(bytes);
    while (r.next()) {
    }
    EXPECT_TRUE(r.damaged()) << hex(bytes);
  }
}

}  // namespace
}  // namespace kern
