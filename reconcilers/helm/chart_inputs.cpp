#include "reconcilers/helm/chart_inputs.h"

#include <utility>

#include "base/encoding.h"
#include "base/http/url.h"
#include "base/not_found.h"
#include "kube/client/resources.h"

namespace coracle::reconcilers {
namespace {

Result<std::string> decoded_key(const kube::Object& secret, std::string_view key) {
  Result<std::string> text = base64_decode(secret["data"][key].as_string());
  if (!text.ok())
    return text.error().in("Secret \"" + std::string(secret.name()) + "\" key \"" + std::string(key) + "\"");
  return text;
}

void add_pem(std::string& all, std::string_view pem) {
  if (!all.empty() && !all.ends_with('\n')) all += '\n';
  all += pem;
}

}  // namespace

ChartInputs::ChartInputs(const kube::Client& client, ChartFetcher& fetcher, std::string api_ca_pem)
    : client_(client), fetcher_(fetcher), api_ca_pem_(std::move(api_ca_pem)) {}

Result<LayeredValues> ChartInputs::values(const Context& context, const kube::Object& chart,
                                          const std::optional<kube::Object>& config) const {
  const Value config_spec = config ? (*config)["spec"] : Value();
  SecretContents secrets;
  for (const std::string& name : values_secrets(chart["spec"], config_spec)) {
    const Result<std::optional<kube::Object>> secret =
        if_there(client_.get(context, kube::resources::secrets(), {std::string(chart.namespace_()), name}));
    if (!secret.ok()) return secret.error().in("spec.valuesSecrets");
    if (*secret) secrets[name] = (**secret)["data"];
  }
  return layer_values(chart["spec"], config_spec, secrets);
}

Result<charts::Chart> ChartInputs::fetch(const Context& context, ChartTurns::Turn& turn, const HelmSpec& spec,
                                         const ChartLocation& from) const {
  const Result<std::string> archive = turn.wait(
      context, [&](const Context& waiting) { return fetcher_.fetch(waiting.with_timeout(spec.timeout), from); });
  if (!archive.ok() && archive.error().reason() == Reason::Timeout) {
    return archive.error().in("the chart has not come within " + format_duration(spec.timeout) + " (spec.timeout)");
  }
  TRY(archive);
  Result<charts::Chart> loaded = charts::load_archive(*archive);
  if (!loaded.ok()) return loaded.error().in("chart " + http::printable_url(spec.chart));
  return loaded;
}

// Base64 with the line ends that tools and editors put in.
Result<charts::Chart> ChartInputs::from_content(const HelmSpec& spec) {
  std::string joined;
  for (const char c : spec.chart_content) {
    if (c != '\n' && c != '\r' && c != ' ' && c != '\t') joined += c;
  }
  const Result<std::string> archive = base64_decode(joined);
  if (!archive.ok()) return archive.error().in("spec.chartContent");
  Result<charts::Chart> chart = charts::load_archive(*archive);
  if (!chart.ok()) return chart.error().in("spec.chartContent");
  return chart;
}

Result<ChartLocation> ChartInputs::location(const Context& context, const kube::Object& chart,
                                            const HelmSpec& spec) const {
  ChartLocation location;
  location.source = {spec.chart, spec.repository, spec.version};
  std::string& home = spec.repository.empty() ? location.source.chart : location.source.repository;
  http::Remote& remote = location.remote;
  remote.url = home;
  remote.pass_credentials = chart["spec"]["authPassCredentials"].as_bool();
  remote.insecure_skip_verify = chart["spec"]["insecureSkipTLSVerify"].as_bool();
  if (spec.from_own_api) add_pem(remote.ca_pem, api_ca_pem_);
  TRY(add_authorities(context, chart, remote));
  TRY(add_credentials(context, chart, remote));
  remote = http::without_user(std::move(remote));
  home = remote.url;
  return location;
}

Result<void> ChartInputs::add_authorities(const Context& context, const kube::Object& chart,
                                          http::Remote& remote) const {
  if (const std::string_view pem = chart["spec"]["repoCA"].as_string(); !pem.empty()) add_pem(remote.ca_pem, pem);
  const std::string name(chart["spec"]["repoCAConfigMap"]["name"].as_string());
  if (name.empty()) return {};
  const Result<kube::Object> config_map =
      client_.get(context, kube::resources::config_maps(), {std::string(chart.namespace_()), name});
  if (!config_map.ok()) return config_map.error().in("spec.repoCAConfigMap");
  for (const Value::Member& member : (*config_map)["data"].members()) {
    add_pem(remote.ca_pem, member.value.as_string());
  }
  return {};
}

Result<void> ChartInputs::add_credentials(const Context& context, const kube::Object& chart,
                                          http::Remote& remote) const {
  const std::string name(chart["spec"]["authSecret"]["name"].as_string());
  if (name.empty()) return {};
  const Result<kube::Object> secret =
      client_.get(context, kube::resources::secrets(), {std::string(chart.namespace_()), name});
  if (!secret.ok()) return secret.error().in("spec.authSecret");
  ASSIGN_OR_RETURN(remote.username, decoded_key(*secret, "username"));
  ASSIGN_OR_RETURN(remote.password, decoded_key(*secret, "password"));
  ASSIGN_OR_RETURN(remote.certificate_pem, decoded_key(*secret, "tls.crt"));
  ASSIGN_OR_RETURN(remote.key_pem, decoded_key(*secret, "tls.key"));
  const bool has_certificate = !remote.certificate_pem.empty() && !remote.key_pem.empty();
  if (remote.username.empty() && !has_certificate) {
    return bad_request("spec.authSecret: Secret \"" + name +
                       "\" must hold username and password, or tls.crt and tls.key");
  }
  return {};
}

}  // namespace coracle::reconcilers
