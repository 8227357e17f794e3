// One visible table per op. A row is an implementation: a struct that begins with name, device and supports(spec),
// followed by its entries. Order is preference; some row of each device supports everything (a test asserts it).
//
//   struct ReluRow { const char* name; Device device; bool (*supports)(const ReluSpec&); void (*forward)(...); ... };
//   const Table<ReluRow>& relu_table();
//   const ReluRow& row = select(relu_table(), x.device(), spec);
//
// KERN_IMPL="conv2d=reference,relu=avx2" prefers a row; where that row does not support a case, the table's order
// serves. An op or row that does not exist is an error that lists those that do. KERN_TUNE=on chooses by measuring.
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

template <class Row>
struct Table {
  std::string_view op;
  std::span<const Row> rows;
};

struct RowInfo {
  std::string_view name;
  Device device;
};
struct OpInfo {  // a table without its types: for `kern info --ops`, docs and checks
  std::string_view op;
  std::vector<RowInfo> rows;
};
template <class Row>
OpInfo info_of(const Table<Row>& table) {
  OpInfo info{table.op, {}};
  for (const Row& row : table.rows) info.rows.push_back({row.name, row.device});
  return info;
}

// Of an op that has rows for values kept as bf16 too, in a table of their own (`x_table<Bf16>()`), most of them only on
// a GPU.
template <class Row, class RowOfBf16>
OpInfo info_of(const Table<Row>& table, const Table<RowOfBf16>& of_bf16) {
  OpInfo info = info_of(table);
  const std::vector<RowInfo> more = info_of(of_bf16).rows;
  info.rows.insert(info.rows.end() - 1, more.begin(), more.end());  // the reference stands last
  return info;
}

// For a row's supports and workspace when it takes every case and needs no scratch.
inline constexpr auto supports_all = [](const auto&) { return true; };
inline constexpr auto no_workspace = [](const auto&) { return size_t{0}; };

// The row that KERN_IMPL or a PreferRow in scope names for this op; empty when none does.
std::string_view preferred_row(std::string_view op);
void note_row_used(std::string_view op, std::string_view row);
// Every (op, row) that served since the program began, sorted: part of a run's record.
std::vector<std::pair<std::string, std::string>> rows_used();

// Prefers a row within a scope, as KERN_IMPL does for a whole program. "op=row", several separated by commas.
class PreferRow {
 public:
  explicit PreferRow(std::string_view preferences, SourceLocation at = SourceLocation::current());
  ~PreferRow();
  PreferRow(const PreferRow&) = delete;
  PreferRow& operator=(const PreferRow&) = delete;

 private:
  std::vector<std::pair<std::string, std::string>> before_;
};

// Every case that select() was asked for while this is in scope: how a benchmark learns a model's shapes.
class SpecLog {
 public:
  struct Entry {
    const void* table;  // of an op, or its second one for bf16
    std::any spec;
  };
  SpecLog();
  ~SpecLog();
  SpecLog(const SpecLog&) = delete;
  SpecLog& operator=(const SpecLog&) = delete;
  const std::vector<Entry>& entries() const { return entries_; }

  static SpecLog* current();
  void add(const void* table, std::any spec) { entries_.push_back({table, std::move(spec)}); }

 private:
  SpecLog* before_;
  std::vector<Entry> entries_;
};

// The row of a device whose entries choose among the table's by what they measured (engine/tuner.h); null while nothing
// is tuned. A row type that several tables share cannot have one.
template <class Row>
inline const Row* tuned_row[2] = {};

template <class Row, class Spec>
const Row& select(const Table<Row>& table, Device device, const Spec& spec,
                  SourceLocation at = SourceLocation::current()) {
  const std::string_view preferred = preferred_row(table.op);
  const Row* found = nullptr;
  for (const Row& row : table.rows) {
    if (row.device != device || !row.supports(spec)) continue;
    if (!found) found = &row;
    if (preferred.empty() || row.name == preferred) {
      found = &row;
      break;
    }
  }
  check({found != nullptr, at}, table.op, ": no implementation for device ", device);
  if (SpecLog* log = SpecLog::current()) log->add(&table, spec);
  const Row* const tuned = preferred.empty() ? tuned_row<Row>[int(device)] : nullptr;  // notes itself what serves
  if (tuned) found = tuned;
  if (meta_rows()) return meta_twin(*found);
  if (!tuned) note_row_used(table.op, found->name);
  return *found;
}

}  // namespace kern::kernels
