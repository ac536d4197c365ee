#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "base/value.h"

namespace coracle {
class Context;
}

namespace coracle::charts {

struct SchemaViolation {
  std::string path;  // JSON pointer of the value
  std::string message;
};

// Checks a value against a JSON schema: the keywords of draft 7, and prefixItems, dependentRequired,
// dependentSchemas and $defs of 2020-12. References within the document are followed; others are
// taken for `true` with a warning, never fetched. Unsupported keywords that would decide (such as
// unevaluatedProperties) are an Unsupported error that names them. The work is bounded, and ends with the context.
Result<std::vector<SchemaViolation>> check_schema(const Value& schema, const Value& value,
                                                  std::vector<std::string>* warnings, const Context* context = nullptr);

}  // namespace coracle::charts
