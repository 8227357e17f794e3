#pragma once
#include <vector>

#include "kernels/common/dispatch.h"

namespace kern::kernels {

// Every op of the engine with its rows, sorted by name. Generated from the add_op() lines of kernels/CMakeLists.txt.
const std::vector<OpInfo>& op_list();

// Eight hex digits that change when a source of this folder, the compiler or the type of build does: what was measured
// with one says nothing of another.
std::string_view kernels_id();

}  // namespace kern::kernels
