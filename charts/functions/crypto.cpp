// sprig's certificates, keys and password hashes. Certificates get RSA keys as in Helm, because
// charts hand them to programs that expect that form.

#include <algorithm>

#include "base/encoding.h"
#include "base/tls/tls.h"
#include "charts/functions/convert.h"
#include "charts/internal/password_hash.h"
#include "charts/template/evaluator.h"
#include "charts/template/function.h"
#include "charts/template/go_format.h"

namespace coracle::charts {
namespace {

using Output = Result<GoValue>;

constexpr std::int64_t kMaxDays = 36500;
// What a new RSA key and a password's hash take, in steps: some tenths of a second.
constexpr std::uint64_t kStepsOfKey = 100'000;
constexpr std::uint64_t kStepsOfHash = 30'000;

GoValue certificate(std::string certificate_pem, std::string key_pem) {
  return GoValue::object(make_struct("sprig.certificate", {{"Cert", GoValue::string(std::move(certificate_pem))},
                                                           {"Key", GoValue::string(std::move(key_pem))}}));
}

Result<std::vector<std::string>> string_list(const GoValue& value, std::string_view what) {
  std::vector<std::string> texts;
  if (value.is_nil()) return texts;
  for (const GoValue& item : value.as_list().items) {
    if (!item.is_string())
      return bad_request("error parsing " + std::string(what) + ": " + go_print(item) + " is not a string");
    texts.push_back(item.text());
  }
  return texts;
}

Result<std::string> make_rsa_key(const Call& call) {
  TRY(call.evaluator.steps().count(kStepsOfKey));
  return tls::make_rsa_key();
}

Result<std::string> password_hash(const Call& call, const std::string& password) {
  TRY(call.evaluator.steps().count(kStepsOfHash));
  return bcrypt_hash(password, call.evaluator.environment().random);
}

tls::CertificateRequest make_request(const Call& call, std::int64_t days) {
  tls::CertificateRequest request;
  request.subject.common_name = call.text(0);
  request.not_before = call.evaluator.environment().clock.wall();
  request.not_after = request.not_before + std::chrono::hours(24) * std::clamp<std::int64_t>(days, 0, kMaxDays);
  return request;
}

// genSignedCert and genSelfSignedCert: name, addresses, DNS names, days.
Result<tls::CertificateRequest> make_leaf_request(const Call& call) {
  tls::CertificateRequest request = make_request(call, call.integer(3));
  request.usage = tls::Usage::ServerAndClient;
  ASSIGN_OR_RETURN(request.ip_addresses, string_list(call[1], "ip"));
  ASSIGN_OR_RETURN(request.dns_names, string_list(call[2], "alternate dns name"));
  return request;
}

Output make_authority(const Call& call, std::string key_pem) {
  tls::CertificateRequest request = make_request(call, call.integer(1));
  request.usage = tls::Usage::Authority;
  ASSIGN_OR_RETURN(std::string pem, tls::make_authority(request, key_pem));
  return certificate(std::move(pem), std::move(key_pem));
}

Output crypto_ca(const Call& call) {
  ASSIGN_OR_RETURN(std::string key, make_rsa_key(call));
  return make_authority(call, std::move(key));
}

Output crypto_ca_with_key(const Call& call) {
  return make_authority(call, call.text(2));
}

const std::string& certificate_part(const GoValue& value, std::string_view part) {
  return value.as_object().field(part)->text();
}

Output sign_leaf(const Call& call, const GoValue& authority, std::string key_pem) {
  ASSIGN_OR_RETURN(const tls::CertificateRequest request, make_leaf_request(call));
  ASSIGN_OR_RETURN(std::string pem, tls::issue_certificate(request, key_pem, certificate_part(authority, "Cert"),
                                                           certificate_part(authority, "Key")));
  return certificate(std::move(pem), std::move(key_pem));
}

Output crypto_signed(const Call& call) {
  ASSIGN_OR_RETURN(std::string key, make_rsa_key(call));
  return sign_leaf(call, call[4], std::move(key));
}

Output crypto_signed_with_key(const Call& call) {
  return sign_leaf(call, call[4], call.text(5));
}

// A certificate that is its own authority.
Output self_sign(const Call& call, std::string key_pem) {
  ASSIGN_OR_RETURN(const tls::CertificateRequest request, make_leaf_request(call));
  tls::CertificateRequest authority = request;
  authority.usage = tls::Usage::Authority;
  ASSIGN_OR_RETURN(std::string pem, tls::make_authority(authority, key_pem));
  return certificate(std::move(pem), std::move(key_pem));
}

Output crypto_self_signed(const Call& call) {
  ASSIGN_OR_RETURN(std::string key, make_rsa_key(call));
  return self_sign(call, std::move(key));
}

Output crypto_self_signed_with_key(const Call& call) {
  return self_sign(call, call.text(4));
}

Output crypto_private_key(const Call& call) {
  const std::string& type = call.text(0);
  if (type == "rsa" || type == "ecdsa" || type.empty()) {
    ASSIGN_OR_RETURN(std::string key, type == "ecdsa" ? tls::make_ec_key() : make_rsa_key(call));
    return GoValue::string(std::move(key));
  }
  if (type == "dsa" || type == "ed25519") {
    return unsupported("keys of type " + type + " are not supported, only rsa and ecdsa");
  }
  return GoValue::string("Unknown type " + type);
}

Output crypto_custom_certificate(const Call& call) {
  auto pem = base64_decode(call.text(0));
  if (!pem.ok()) return bad_request("unable to decode base64 certificate");
  auto key = base64_decode(call.text(1));
  if (!key.ok()) return bad_request("unable to decode base64 private key");
  ASSIGN_OR_RETURN(const tls::CertificateInfo info, tls::inspect_certificate(*pem));
  return certificate(std::move(pem).value(), std::move(key).value());
}

Output crypto_bcrypt(const Call& call) {
  ASSIGN_OR_RETURN(std::string hash, password_hash(call, call.text(0)));
  return GoValue::string(std::move(hash));
}

Output crypto_htpasswd(const Call& call) {
  if (call.text(0).find(':') != std::string::npos) {
    return GoValue::string("invalid username: " + call.text(0));
  }
  ASSIGN_OR_RETURN(const std::string hash, password_hash(call, call.text(1)));
  return GoValue::string(call.text(0) + ":" + hash);
}

Output crypto_rand_bytes(const Call& call) {
  if (call.integer(0) < 0 || call.integer(0) > 1'000'000)
    return bad_request("randBytes: a length from 0 to 1000000 is expected");
  std::string bytes(static_cast<std::size_t>(call.integer(0)), '\0');
  call.evaluator.environment().random.fill(std::as_writable_bytes(std::span(bytes)));
  return GoValue::string(base64_encode(bytes));
}

constexpr Function kCrypto[] = {
    {"genPrivateKey", "s", crypto_private_key},
    {"genCA", "si", crypto_ca},
    {"genCAWithKey", "sis", crypto_ca_with_key},
    {"genSelfSignedCert", "sLLi", crypto_self_signed},
    {"genSelfSignedCertWithKey", "sLLis", crypto_self_signed_with_key},
    {"genSignedCert", "sLLic", crypto_signed},
    {"genSignedCertWithKey", "sLLics", crypto_signed_with_key},
    {"buildCustomCert", "ss", crypto_custom_certificate},
    {"bcrypt", "s", crypto_bcrypt},
    {"htpasswd", "ss", crypto_htpasswd},
    {"randBytes", "i", crypto_rand_bytes},
    {"uuidv4", "", [](const Call& c) -> Output { return GoValue::string(c.evaluator.environment().random.uuid()); }},
};

}  // namespace

std::span<const Function> crypto_functions() {
  return kCrypto;
}

}  // namespace coracle::charts
