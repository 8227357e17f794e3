#include "engine/rank_gradient_sums.h"

#include "engine/communicator.h"
#include "engine/dry_run.h"

namespace kern {

RankGradientSums::RankGradientSums(ParameterArena& arena, int64_t piece) : arena_(arena) {
  check(arena.gradients().device() == Device::cpu, "sums over ranks beside a backward pass are for the CPU");
  for (size_t i = 0; i < arena.parameters().size(); ++i) {
    const int64_t begin = arena.begin_of(i);
    if (pieces_.empty() || begin - pieces_.back().begin >= piece) pieces_.push_back({.begin = begin, .end = begin});
    ++pieces_.back().missing;
    piece_of_[&arena.parameters()[i].impl()] = pieces_.size() - 1;
  }
  for (size_t i = 0; i < pieces_.size(); ++i)
    pieces_[i].end = i + 1 < pieces_.size() ? pieces_[i + 1].begin : arena.size();
  waiting_ = pieces_.size();
}

void RankGradientSums::begin_last() {
  const Piece& p = pieces_[--waiting_];
  communicator().begin_sum({arena_.gradients().mutate() + p.begin, size_t(p.end - p.begin)});
}

std::unique_ptr<FinalGradients> RankGradientSums::watch() {
  return std::make_unique<FinalGradients>([this](const Tensor& leaf) {
    if (communicator().alone() || in_dry_run()) return;
    const auto found = piece_of_.find(&leaf.impl());
    if (found == piece_of_.end()) return;
    --pieces_[found->second].missing;
    while (waiting_ > 0 && pieces_[waiting_ - 1].missing == 0) begin_last();
    communicator().progress();
  });
}

void RankGradientSums::finish() {
  if (communicator().alone() || in_dry_run()) return;
  while (waiting_ > 0) begin_last();
  communicator().finish_sums();
}

}  // namespace kern
