#include "kernels/common/meta.h"

#include <gtest/gtest.h>

#include "all_registries.h"

namespace kern::kernels {
namespace {

// Compares a row's members with its twin's, one by one.
struct Compare {
  int values = 0, entries = 0;
  template <class T>
  void operator()(const T& a, const T& b) {
    ++values;
    EXPECT_TRUE(a == b);
  }
  template <class... A>
  void operator()(void (*const& a)(A...), void (*const& b)(A...)) {
    ++entries;
    EXPECT_EQ(a == nullptr, b == nullptr);
    if (a) {
      EXPECT_TRUE(b == detail::do_nothing<A...>);
    }
  }
};

void compare_members(Compare& compare, const auto& impl, const auto& twin) {
  for_each_member(impl, [&](const auto& a) {
    for_each_member(twin, [&](const auto& b) {
      const auto at = [](const auto& owner, const auto& member) {
        return reinterpret_cast<const char*>(&member) - reinterpret_cast<const char*>(&owner);
      };
      if constexpr (std::is_same_v<decltype(a), decltype(b)>) {
        if (at(impl, a) != at(twin, b)) return;
        constexpr bool is_prepared =
            std::is_same_v<decltype(a), const PreparedConv2d&> || std::is_same_v<decltype(a), const PreparedLinear&>;
        if constexpr (is_prepared) compare_members(compare, a, b);
        else compare(a, b);
      }
    });
  });
}

TEST(Meta, a_twin_is_its_row_without_the_entries) {
  for_each_registry([](const auto& table) {
    for (const auto& impl : table.impls) {
      SCOPED_TRACE(text(table.op, " ", impl.name));
      const auto& twin = meta_twin(impl);
      EXPECT_EQ(&twin, &meta_twin(impl)) << "made once";
      Compare compare;
      compare_members(compare, impl, twin);
      EXPECT_GE(compare.values, 3);  // name, device, supports
      EXPECT_GE(compare.entries, 1);
    }
  });
}

TEST(Meta, select_hands_out_twins_and_does_not_count_them_as_used) {
  const UnarySpec<Relu> g{.rows = 1};
  const PreferImpl reference("relu=reference");
  const UnaryImpl<Relu>& impl = select(unary_registry<Relu>(), Device::cpu, g);
  const bool before = set_meta_impls(true);
  const UnaryImpl<Relu>& twin = select(unary_registry<Relu>(), Device::cpu, g);
  EXPECT_FALSE(before);
  EXPECT_TRUE(set_meta_impls(before));
  EXPECT_EQ(&twin, &meta_twin(impl));
  EXPECT_EQ(&select(unary_registry<Relu>(), Device::cpu, g), &impl);
  twin.forward({}, g, nullptr, nullptr);
  const size_t used = impls_used().size();
  set_meta_impls(true);
  select(unary_registry<Tanh>(), Device::cpu, UnarySpec<Tanh>{.rows = 1});
  set_meta_impls(false);
  EXPECT_EQ(impls_used().size(), used);
}

}  // namespace
}  // namespace kern::kernels
