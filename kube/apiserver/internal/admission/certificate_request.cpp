#include "kube/apiserver/internal/admission/certificate_request.h"

#include <optional>
#include <string>

#include "base/encoding.h"
#include "kube/apiserver/internal/identity/der_reader.h"

namespace coracle::kube::apiserver {
namespace {

constexpr std::string_view kRequestBegin = "-----BEGIN CERTIFICATE REQUEST-----";
constexpr std::string_view kRequestEnd = "-----END CERTIFICATE REQUEST-----";
// 2.5.4.3 and 2.5.4.10
constexpr std::string_view kCommonNameId = "\x55\x04\x03";
constexpr std::string_view kOrganizationId = "\x55\x04\x0a";

Error unreadable_request() {
  return bad_request("the certificate request cannot be read");
}

}  // namespace

Result<tls::Name> certificate_request_subject(std::string_view pem) {
  std::size_t begin = pem.find(kRequestBegin);
  std::size_t end = pem.find(kRequestEnd);
  if (begin == std::string_view::npos || end == std::string_view::npos || end < begin) {
    return bad_request("PEM block type must be CERTIFICATE REQUEST");
  }
  std::string text;
  for (char c : pem.substr(begin + kRequestBegin.size(), end - begin - kRequestBegin.size())) {
    if (c != '\n' && c != '\r' && c != ' ') text += c;
  }
  ASSIGN_OR_RETURN(std::string der, base64_decode(text));
  std::string_view bytes = der;
  std::optional<std::string_view> request = take_der(bytes, kDerSequence);
  std::optional<std::string_view> info = request ? take_der(*request, kDerSequence) : std::nullopt;
  if (!info || !take_der(*info, kDerInteger)) return unreadable_request();
  std::optional<std::string_view> subject = take_der(*info, kDerSequence);
  if (!subject) return unreadable_request();
  tls::Name name;
  while (!subject->empty()) {
    std::optional<std::string_view> set = take_der(*subject, kDerSet);
    std::optional<std::string_view> pair = set ? take_der(*set, kDerSequence) : std::nullopt;
    std::optional<std::string_view> id = pair ? take_der(*pair, kDerObjectId) : std::nullopt;
    std::optional<DerElement> value = id ? take_der_element(*pair) : std::nullopt;
    if (!value) return unreadable_request();
    if (*id == kCommonNameId) name.common_name = value->content;
    if (*id == kOrganizationId) name.organizations.emplace_back(value->content);
  }
  return name;
}

}  // namespace coracle::kube::apiserver
