// The words that descriptions in model files have for choices.
#pragma once
#include <string>
#include <utility>

#include "kernels/common/error.h"
#include "models/mobilenet_v2.h"

namespace kern::apps {

template <class E, size_t N>
std::string word_of(const std::pair<E, const char*> (&words)[N], E value) {
  for (const auto& [v, word] : words)
    if (v == value) return word;
  throw InternalError("a choice without a word");
}
template <class E, size_t N>
E value_of(const std::pair<E, const char*> (&words)[N], const std::string& word) {
  for (const auto& [v, w] : words)
    if (word == w) return v;
  throw Error("no such word: " + word);
}

inline constexpr std::pair<models::InputScaling, const char*> kScalingWords[] = {
    {models::InputScaling::none, "none"},
    {models::InputScaling::imagenet, "imagenet"},
    {models::InputScaling::symmetric, "symmetric"}};
inline constexpr std::pair<models::PaddingConvention, const char*> kPaddingWords[] = {
    {models::PaddingConvention::torch, "torch"}, {models::PaddingConvention::tensorflow, "tensorflow"}};

}  // namespace kern::apps
