#include "kube/apiserver/internal/admission/certificate_request.h"

#include <optional>
#include <string>
#include <utility>

#include "base/encoding.h"
#include "base/utf8.h"
#include "kube/apiserver/internal/identity/der_reader.h"

namespace coracle::kube::apiserver {
namespace {

constexpr std::string_view kRequestBegin = "-----BEGIN CERTIFICATE REQUEST-----";
constexpr std::string_view kRequestEnd = "-----END CERTIFICATE REQUEST-----";
// 2.5.4.3 and 2.5.4.10
constexpr std::string_view kCommonNameId = "\x55\x04\x03";
constexpr std::string_view kOrganizationId = "\x55\x04\x0a";

constexpr unsigned char kDerUtf8String = 0x0c;
constexpr unsigned char kDerNumericString = 0x12;
constexpr unsigned char kDerPrintableString = 0x13;
constexpr unsigned char kDerTeletexString = 0x14;
constexpr unsigned char kDerIa5String = 0x16;
constexpr unsigned char kDerUniversalString = 0x1c;
constexpr unsigned char kDerBmpString = 0x1e;

// Big-endian characters of a fixed number of bytes as UTF-8.
std::optional<std::string> wide_text(std::string_view content, std::size_t width) {
  if (content.size() % width != 0) return std::nullopt;
  std::string text;
  for (std::size_t at = 0; at < content.size(); at += width) {
    char32_t rune = 0;
    for (const char c : content.substr(at, width)) rune = rune << 8U | static_cast<unsigned char>(c);
    append_rune(text, rune);
  }
  return text;
}

// A string of any type as UTF-8, as it is read again when the certificate is shown: what is compared as bytes could
// hide a name in another type. Nothing for what is no string.
std::optional<std::string> string_text(const DerElement& element) {
  switch (element.tag) {
    case kDerUtf8String:
      if (!is_utf8(element.content)) return std::nullopt;
      return std::string(element.content);
    case kDerNumericString:
    case kDerPrintableString:
    case kDerTeletexString:
    case kDerIa5String:
      return wide_text(element.content, 1);
    case kDerBmpString:
      return wide_text(element.content, 2);
    case kDerUniversalString:
      return wide_text(element.content, 4);
    default:
      return std::nullopt;
  }
}

// The attributes of one set: there may be several ("CN=x+O=y").
bool read_name_set(std::string_view set, tls::Name& name) {
  if (set.empty()) return false;
  while (!set.empty()) {
    std::optional<std::string_view> pair = take_der(set, kDerSequence);
    std::optional<std::string_view> id = pair ? take_der(*pair, kDerObjectId) : std::nullopt;
    std::optional<DerElement> value = id ? take_der_element(*pair) : std::nullopt;
    if (!value) return false;
    if (*id != kCommonNameId && *id != kOrganizationId) continue;
    std::optional<std::string> text = string_text(*value);
    if (!text) return false;
    if (*id == kCommonNameId) {
      name.common_name = std::move(*text);
    } else {
      name.organizations.push_back(std::move(*text));
    }
  }
  return true;
}

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
    if (!set || !read_name_set(*set, name)) return unreadable_request();
  }
  return name;
}

}  // namespace coracle::kube::apiserver
