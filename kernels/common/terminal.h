// Colours for a person at a terminal.
#pragma once
#include <string>
#include <string_view>

namespace kern {

enum class Colour { red = 31, yellow = 33 };

// The word in a bold colour, where standard error is a terminal that knows colours; NO_COLOR (https://no-color.org) turns
// them off.
std::string painted(std::string_view word, Colour colour);

}  // namespace kern
