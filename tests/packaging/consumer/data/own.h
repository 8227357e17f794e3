#pragma once
inline constexpr float kOwnValue = 0.5f;
