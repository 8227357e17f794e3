#include "engine/block_heap.h"

#include <iterator>

namespace kern {

void BlockHeap::add_gap(size_t place, size_t size) {
  gaps_.emplace(place, size), by_size_.emplace(size, place);
  in_gaps_ += size;
}
void BlockHeap::remove_gap(std::map<size_t, size_t>::iterator gap) {
  in_gaps_ -= gap->second;
  by_size_.erase({gap->second, gap->first});
  gaps_.erase(gap);
}
std::map<size_t, size_t>::const_iterator BlockHeap::last_gap() const {
  if (gaps_.empty()) return gaps_.end();
  const auto last = std::prev(gaps_.end());
  return last->first + last->second == end_ ? last : gaps_.end();
}

std::optional<size_t> BlockHeap::take(size_t size) {
  const auto fits = by_size_.lower_bound({size, 0});
  if (fits == by_size_.end()) return {};
  const auto [available, place] = *fits;
  remove_gap(gaps_.find(place));
  if (available > size) add_gap(place + size, available - size);
  return place;
}

size_t BlockHeap::growth(size_t size) const {
  const auto last = last_gap();
  return size - (last == gaps_.end() ? 0 : last->second);
}
size_t BlockHeap::grow(size_t size) {
  const size_t more = growth(size);
  if (const auto last = last_gap(); last != gaps_.end()) remove_gap(gaps_.find(last->first));
  end_ += more;
  return end_ - size;
}

void BlockHeap::give_back(size_t place, size_t size) {
  auto after = gaps_.lower_bound(place);
  if (after != gaps_.begin()) {
    const auto before = std::prev(after);
    if (before->first + before->second == place) {
      place = before->first, size += before->second;
      remove_gap(before);
    }
  }
  if (after != gaps_.end() && place + size == after->first) {
    size += after->second;
    remove_gap(after);
  }
  add_gap(place, size);
}

void BlockHeap::shrink() {
  const auto last = last_gap();
  if (last == gaps_.end()) return;
  end_ = last->first;
  remove_gap(gaps_.find(last->first));
}

}  // namespace kern
