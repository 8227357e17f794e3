#pragma once
#include <vector>

#include "kernels/common/dispatch.h"

namespace kern::kernels {

// Every op of the engine with its rows, sorted by name. Generated from the add_op() lines of kernels/CMakeLists.txt.
const std::vector<OpInfo>& op_list();

}  // namespace kern::kernels
