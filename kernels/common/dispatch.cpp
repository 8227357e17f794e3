#include "kernels/common/dispatch.h"

#include <cstdlib>
#include <map>
#include <mutex>
#include <set>

#include "kernels/common/op_list.h"

namespace kern::kernels {
namespace {
using Preferences = std::vector<std::pair<std::string, std::string>>;

Preferences parse(std::string_view list, SourceLocation at) {
  Preferences out;
  while (!list.empty()) {
    const auto comma = std::min(list.find(','), list.size());
    const std::string_view item = list.substr(0, comma);
    list.remove_prefix(std::min(comma + 1, list.size()));
    const auto equals = item.find('=');
    check({equals != item.npos, at}, "KERN_IMPL: '", item, "' is not of the form op=implementation");
    const std::string_view op = item.substr(0, equals), impl = item.substr(equals + 1);
    const OpInfo* info = nullptr;
    std::string ops, impls;
    for (const OpInfo& i : op_list()) {
      ops += (ops.empty() ? "" : ", ") + std::string(i.op);
      if (i.op == op) info = &i;
    }
    check({info != nullptr, at}, "KERN_IMPL: there is no op '", op, "'; the ops are ", ops);
    bool known = false;
    for (const ImplInfo& r : info->impls) {
      impls += (impls.empty() ? "" : ", ") + std::string(r.name);
      known |= r.name == impl;
    }
    check({known, at}, "KERN_IMPL: op '", op, "' has no implementation '", impl, "'; its implementations are ", impls);
    out.emplace_back(op, impl);
  }
  return out;
}

Preferences& preferences() {
  static Preferences p = [] {
    const char* list = std::getenv("KERN_IMPL");
    return list ? parse(list, SourceLocation::current()) : Preferences{};
  }();
  return p;
}

std::mutex used_mutex;
std::set<std::pair<std::string_view, std::string_view>>& used() {
  static std::set<std::pair<std::string_view, std::string_view>> s;
  return s;
}
}  // namespace

std::string_view preferred_impl(std::string_view op) {
  const Preferences& all = preferences();
  for (auto it = all.rbegin(); it != all.rend(); ++it)  // the innermost preference wins
    if (it->first == op) return it->second;
  return {};
}

void note_impl_used(std::string_view op, std::string_view impl) {
  std::lock_guard lock(used_mutex);
  used().emplace(op, impl);
}

std::vector<std::pair<std::string, std::string>> impls_used() {
  std::lock_guard lock(used_mutex);
  return {used().begin(), used().end()};
}

namespace {
thread_local SpecLog* current_log = nullptr;
thread_local bool meta = false;
}  // namespace
bool meta_impls() { return meta; }
bool set_meta_impls(bool on) { return std::exchange(meta, on); }
const void* detail::made_once(const void* impl, const void* (*make)(const void* impl)) {
  static std::mutex mutex;
  static auto& made = *new std::map<const void*, const void*>;
  std::lock_guard lock(mutex);
  const void*& twin = made[impl];
  if (!twin) twin = make(impl);
  return twin;
}

SpecLog::SpecLog() : before_(std::exchange(current_log, this)) {}
SpecLog::~SpecLog() { current_log = before_; }
SpecLog* SpecLog::current() { return current_log; }

PreferImpl::PreferImpl(std::string_view list, SourceLocation at) : before_(preferences()) {
  for (auto& p : parse(list, at)) preferences().push_back(std::move(p));
}
PreferImpl::~PreferImpl() { preferences() = std::move(before_); }

}  // namespace kern::kernels
