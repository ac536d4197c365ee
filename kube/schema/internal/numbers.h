#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "base/value.h"
#include "kube/schema/schema.h"

// Numbers of custom resources, judged as kube-openapi judges what Go has read: a literal without point and exponent is
// a 64-bit integer, everything else a double.
namespace coracle::kube::internal {

// Go's %v: 1e+10, 0.5.
std::string number_text(double number);
// Is a double an integer in JSON's sense: within 53 bits, and so close to a whole number that nobody could tell?
bool is_json_integer(double number);
// Width, multiples and bounds.
void check_number(const Value& value, const Schema& schema, const std::string& path, std::vector<Cause>& problems);

}  // namespace coracle::kube::internal
