// One visible registry per op. An implementation is a struct that begins with name, device and supports(spec),
// followed by its entries. Order is preference; some implementation of each device supports everything (a test asserts it).
//
//   struct ReluImpl { const char* name; Device device; bool (*supports)(const ReluSpec&); void (*forward)(...); ... };
//   const Registry<ReluImpl>& relu_registry();
//   const ReluImpl& implementation = select(relu_registry(), x.device(), spec);
//
// KERN_IMPL="conv2d=reference,relu=avx2" prefers an implementation; where that implementation does not support a case, the registry's order
// serves. An op or implementation that does not exist is an error that lists those that do. KERN_TUNE=on chooses by measuring.
#pragma once
#include <any>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kernels/common/device.h"
#include "kernels/common/error.h"
#include "kernels/common/meta.h"

namespace kern::kernels {

template <class Impl>
struct Registry {
  std::string_view op;
  std::span<const Impl> impls;
};

struct ImplInfo {
  std::string_view name;
  Device device;
};
struct OpInfo {  // a registry without its types: for `kern info --ops`, docs and checks
  std::string_view op;
  std::vector<ImplInfo> impls;
};
template <class Impl>
OpInfo info_of(const Registry<Impl>& registry) {
  OpInfo info{registry.op, {}};
  for (const Impl& impl : registry.impls) info.impls.push_back({impl.name, impl.device});
  return info;
}

// Of an op that has implementations for values kept as bf16 too, in a registry of their own (`x_registry<Bf16>()`), most of them only on
// a GPU.
template <class Impl, class ImplOfBf16>
OpInfo info_of(const Registry<Impl>& registry, const Registry<ImplOfBf16>& of_bf16) {
  OpInfo info = info_of(registry);
  const std::vector<ImplInfo> more = info_of(of_bf16).impls;
  info.impls.insert(info.impls.end() - 1, more.begin(), more.end());  // the reference stands last
  return info;
}

// For an implementation's supports and workspace when it takes every case and needs no scratch.
inline constexpr auto supports_all = [](const auto&) { return true; };
inline constexpr auto no_workspace = [](const auto&) { return size_t{0}; };

// The implementation that KERN_IMPL or a PreferImpl in scope names for this op; empty when none does.
std::string_view preferred_impl(std::string_view op);
void note_impl_used(std::string_view op, std::string_view impl);
// Every (op, implementation) that served since the program began, sorted: part of a run's record.
std::vector<std::pair<std::string, std::string>> impls_used();

// Prefers an implementation within a scope, as KERN_IMPL does for a whole program. "op=implementation", several separated by commas.
class PreferImpl {
 public:
  explicit PreferImpl(std::string_view preferences, SourceLocation at = SourceLocation::current());
  ~PreferImpl();
  PreferImpl(const PreferImpl&) = delete;
  PreferImpl& operator=(const PreferImpl&) = delete;

 private:
  std::vector<std::pair<std::string, std::string>> before_;
};

// Every case that select() was asked for while this is in scope: how a benchmark learns a model's shapes.
class SpecLog {
 public:
  struct Entry {
    const void* registry;  // of an op, or its second one for bf16
    std::any spec;
  };
  SpecLog();
  ~SpecLog();
  SpecLog(const SpecLog&) = delete;
  SpecLog& operator=(const SpecLog&) = delete;
  const std::vector<Entry>& entries() const { return entries_; }

  static SpecLog* current();
  void add(const void* registry, std::any spec) { entries_.push_back({registry, std::move(spec)}); }

 private:
  SpecLog* before_;
  std::vector<Entry> entries_;
};

// The implementation of a device whose entries choose among the registry's by what they measured (engine/tuner.h); null while nothing
// is tuned. An implementation type that several registries share cannot have one.
template <class Impl>
inline const Impl* tuned_impl[2] = {};

template <class Impl, class Spec>
const Impl& select(const Registry<Impl>& registry, Device device, const Spec& spec,
                   SourceLocation at = SourceLocation::current()) {
  const std::string_view preferred = preferred_impl(registry.op);
  const Impl* found = nullptr;
  for (const Impl& impl : registry.impls) {
    if (impl.device != device || !impl.supports(spec)) continue;
    if (!found) found = &impl;
    if (preferred.empty() || impl.name == preferred) {
      found = &impl;
      break;
    }
  }
  check({found != nullptr, at}, registry.op, ": no implementation for device ", device);
  if (SpecLog* log = SpecLog::current()) log->add(&registry, spec);
  const Impl* const tuned = preferred.empty() ? tuned_impl<Impl>[int(device)] : nullptr;  // notes itself what serves
  if (tuned) found = tuned;
  if (meta_impls()) return meta_twin(*found);
  if (!tuned) note_impl_used(registry.op, found->name);
  return *found;
}

}  // namespace kern::kernels
