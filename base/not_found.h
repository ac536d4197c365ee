#pragma once

#include <optional>
#include <utility>

#include "base/result.h"

// For what may not exist, or not any more: NotFound is no failure.
namespace coracle {

// The value, or nothing where there is none.
template <class T>
Result<std::optional<T>> if_there(Result<T> result) {
  if (result.ok()) return std::optional<T>(std::move(result).value());
  if (result.error().reason() == Reason::NotFound) return std::optional<T>();
  return result.error();
}

template <class T>
Result<void> even_if_gone(const Result<T>& result) {
  if (result.ok() || result.error().reason() == Reason::NotFound) return {};
  return result.error();
}

}  // namespace coracle
