#include "store/backend.h"

namespace coracle::store {

KeyRange KeyRange::prefix(std::string_view prefix) {
  std::string end(prefix);
  while (!end.empty() && static_cast<unsigned char>(end.back()) == 0xff) end.pop_back();
  if (end.empty()) {
    // Keys are UTF-8, in which this byte never occurs.
    end = "\xff";
  } else {
    end.back() = static_cast<char>(static_cast<unsigned char>(end.back()) + 1);
  }
  return {std::string(prefix), std::move(end)};
}

}  // namespace coracle::store
