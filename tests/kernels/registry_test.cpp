// What holds for every op's table, whatever the op.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "all_registries.h"
#include "kernels/common/op_list.h"
#include "tests/support/kernel_check.h"

namespace kern::kernels {
namespace {

TEST(OpRegistries, every_op_has_rows_with_unique_names_and_ends_in_a_reference) {
  ASSERT_GE(op_list().size(), 2u);
  for (const OpInfo& op : op_list()) {
    SCOPED_TRACE(op.op);
    ASSERT_FALSE(op.impls.empty());
    EXPECT_EQ(op.impls.back().name, "reference");
    std::set<std::pair<Device, std::string_view>> names;
    for (const ImplInfo& r : op.impls) EXPECT_TRUE(names.emplace(r.device, r.name).second) << r.name << " stands twice";
  }
}

// select() must find a row whatever the spec: no sample of specs shows that, so supports() of some implementation must be
// supports_all itself. What stands behind that row serves when it is named or chosen by time: a library's implementation.
TEST(OpRegistries, a_row_of_every_device_supports_everything) {
  std::vector<std::string_view> seen;
  for_each_registry([&](const auto& table) {
    SCOPED_TRACE(table.op);
    seen.push_back(table.op);
    using Supports = std::remove_cvref_t<decltype(table.impls.front().supports)>;
    const Supports everything = supports_all;
    std::set<Device> served;
    for (const auto& impl : table.impls) {
      const std::string_view name = impl.name;
      const bool waits = name == "reference" || name == "cudnn" || name == "cublaslt";
      EXPECT_TRUE(waits || !served.contains(impl.device)) << text(name, " on ", impl.device, " never has its turn");
      if (impl.supports == everything) served.insert(impl.device);
    }
    EXPECT_TRUE(served.contains(Device::cpu));
#ifdef KERN_CUDA
    EXPECT_TRUE(served.contains(Device::cuda)) << "an op brings its CUDA implementation";
#endif
  });
  std::vector<std::string_view> listed;
  for (const OpInfo& op : op_list()) listed.push_back(op.op);
  std::sort(seen.begin(), seen.end());
  EXPECT_EQ(seen, listed);
}

TEST(Dispatch, prefers_named_rows_and_refuses_unknown_ones) {
  const UnarySpec<Relu> g{.rows = 1};
  const auto rows = unary_registry<Relu>().impls;
  const UnaryImpl<Relu>& first = *std::find_if(rows.begin(), rows.end(), [&](const UnaryImpl<Relu>& impl) {
    return impl.device == Device::cpu && impl.supports(g);
  });
  EXPECT_STREQ(select(unary_registry<Relu>(), Device::cpu, g).name, first.name);
  {
    PreferImpl prefer("relu=reference");
    EXPECT_STREQ(select(unary_registry<Relu>(), Device::cpu, g).name, "reference");
  }
  EXPECT_STREQ(select(unary_registry<Relu>(), Device::cpu, g).name, first.name);
#ifdef KERN_CUDA
  const char *of_gpus = "cuda, ", *of_gpus_bf16 = "cuda_bf16, ";
#else
  const char *of_gpus = "", *of_gpus_bf16 = "";
#endif
  auto sentence = [](const char* list) {
    try {
      PreferImpl prefer(list);
    } catch (const Error& e) {
      return e.sentence();
    }
    return std::string("no error");
  };
  EXPECT_EQ(sentence("relu=cuda9"), text("KERN_IMPL: op 'relu' has no implementation 'cuda9'; its implementations are ",
                                         of_gpus, "avx512, avx2, simd, ", of_gpus_bf16, "cpu_bf16, reference"));
  EXPECT_EQ(sentence("rleu=cpu").substr(0, 41), "KERN_IMPL: there is no op 'rleu'; the ops");
  EXPECT_EQ(sentence("relu"), "KERN_IMPL: 'relu' is not of the form op=implementation");
  bool seen = false;
  for (const auto& [op, row] : impls_used()) seen |= op == "relu" && row == "reference";
  EXPECT_TRUE(seen);
}

TEST(Dispatch, no_row_for_a_device_is_a_sentence) {
  try {
    select(Registry<UnaryImpl<Relu>>{"relu", unary_registry<Relu>().impls.last(1)}, Device::cuda,
           UnarySpec<Relu>{.rows = 1});
    FAIL() << "no error";
  } catch (const Error& e) {
    EXPECT_EQ(e.sentence(), "relu: no implementation for device cuda");
  }
}

TEST(Comparator, fails_on_nan_and_on_one_wrong_element_and_on_broken_guards) {
  using testing::Array;
  using testing::close;
  auto a = Array<>::integers(5, 3, 4, 1), b = a;
  EXPECT_TRUE(close(a, b));
  b.at(4, 2) += 1;
  EXPECT_FALSE(close(a, b));
  EXPECT_TRUE(close(a, b, {.absolute = 1}));
  b = a;
  a.at(0, 0) = std::nanf("");
  EXPECT_FALSE(close(a, b, {.absolute = 1e30}));
  a = b;
  a.data()[3] = 0;  // the gap behind row 0
  EXPECT_FALSE(close(a, b));
}

}  // namespace
}  // namespace kern::kernels
