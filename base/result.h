#pragma once

#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

#include "base/error.h"

namespace coracle {

namespace internal {
// Ends the process: a Result died unread, or the wrong side of it was taken. Defined in result.cpp.
[[noreturn]] void result_misused(const char* what, const Error* error);

// In builds with CORACLE_CHECK_RESULTS a Result that holds an error must be looked at before it dies.
class ReadMark {
#ifdef CORACLE_CHECK_RESULTS
 public:
  ReadMark() = default;
  ReadMark(const ReadMark&) = default;
  ReadMark& operator=(const ReadMark&) = default;
  ReadMark(ReadMark&& other) noexcept : read_(std::exchange(other.read_, true)) {}
  ReadMark& operator=(ReadMark&& other) noexcept {
    read_ = std::exchange(other.read_, true);
    return *this;
  }
  void mark() const {
    read_ = true;
  }
  bool read() const {
    return read_;
  }

 private:
  mutable bool read_ = false;
#else
 public:
  void mark() const {}
  bool read() const {
    return true;
  }
#endif
};
}  // namespace internal

// Either a T or an Error. Converts from both, so `return value;` and `return Error(...)` work.
template <class T>
class [[nodiscard]] Result {
 public:
  template <class U = T>
  requires(std::is_constructible_v<T, U&&> && !std::is_same_v<std::remove_cvref_t<U>, Result> &&
           !std::is_same_v<std::remove_cvref_t<U>, Error>) Result(U&& value)
      : state_(std::in_place_index<0>, std::forward<U>(value)) {}            // NOLINT: implicit by design
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT: implicit by design

  Result(const Result&) = default;
  Result(Result&&) noexcept = default;
  Result& operator=(const Result&) = default;
  Result& operator=(Result&&) noexcept = default;
  ~Result() {
    if (!mark_.read() && state_.index() == 1) internal::result_misused("an error was never looked at", &error());
  }

  bool ok() const {
    mark_.mark();
    return state_.index() == 0;
  }
  explicit operator bool() const { return ok(); }

  T& value() & { return *checked(); }
  const T& value() const& { return *const_cast<Result*>(this)->checked(); }
  T&& value() && { return std::move(*checked()); }
  T& operator*() & { return *checked(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*checked()); }
  T* operator->() { return checked(); }
  const T* operator->() const { return const_cast<Result*>(this)->checked(); }

  const Error& error() const {
    mark_.mark();
    const Error* error = std::get_if<1>(&state_);
    if (error == nullptr) internal::result_misused("error() of a success", nullptr);
    return *error;
  }

  template <class U>
  T value_or(U&& fallback) && {
    return ok() ? std::move(*checked()) : static_cast<T>(std::forward<U>(fallback));
  }

  // Drops a possible error on purpose; `why` is for the reader.
  void ignore(std::string_view why) const {
    (void)why;
    mark_.mark();
  }

 private:
  T* checked() {
    mark_.mark();
    T* value = std::get_if<0>(&state_);
    if (value == nullptr) internal::result_misused("value() of an error", std::get_if<1>(&state_));
    return value;
  }

  std::variant<T, Error> state_;
  internal::ReadMark mark_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // NOLINT: implicit by design

  Result(const Result&) = default;
  Result(Result&&) noexcept = default;
  Result& operator=(const Result&) = default;
  Result& operator=(Result&&) noexcept = default;
  ~Result() {
    if (!mark_.read() && error_) internal::result_misused("an error was never looked at", &*error_);
  }

  bool ok() const {
    mark_.mark();
    return !error_.has_value();
  }
  explicit operator bool() const { return ok(); }

  const Error& error() const {
    mark_.mark();
    if (!error_) internal::result_misused("error() of a success", nullptr);
    return *error_;
  }

  void ignore(std::string_view why) const {
    (void)why;
    mark_.mark();
  }

 private:
  std::optional<Error> error_;
  internal::ReadMark mark_;
};

}  // namespace coracle

#define CORACLE_CONCAT_INNER(a, b) a##b
#define CORACLE_CONCAT(a, b) CORACLE_CONCAT_INNER(a, b)

// Returns the error of `expression` from the enclosing function, if it has one.
#define TRY(expression)                                       \
  do {                                                        \
    if (auto coracle_try = (expression); !coracle_try.ok()) { \
      return coracle_try.error();                             \
    }                                                         \
  } while (false)

// ASSIGN_OR_RETURN(auto name, expression): binds the value, or returns the error.
#define ASSIGN_OR_RETURN(declaration, expression) \
  ASSIGN_OR_RETURN_INNER(CORACLE_CONCAT(coracle_result_, __LINE__), declaration, expression)
#define ASSIGN_OR_RETURN_INNER(name, declaration, expression) \
  auto name = (expression);                                   \
  if (!name.ok()) return name.error();                        \
  declaration = std::move(name).value()
