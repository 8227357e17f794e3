// The conversation with OpendTect, on file descriptors.
#pragma once
#include <functional>

#include "apps/faults/opendtect/tiles.h"

namespace kern::apps::opendtect {

// Answers requests from `in` on `out` until either is closed or the process that started this one has ended, then
// returns 0: there is no other goodbye. What cannot be computed is answered with NaN and said on stderr, once; when
// settings() or network() throws that holds for all answers. Returns 1 when the stream makes no sense.
int serve(int in, int out, const std::function<Settings()>& settings, const std::function<SectionNetwork()>& network);

}  // namespace kern::apps::opendtect
