#include <catch2/catch.hpp>

#include "kube/apiserver/internal/media_type.h"
#include "kube/apiserver/internal/request_info.h"

namespace coracle::kube::apiserver {

namespace {

http::Request make_request(std::string method, std::string path, std::string query = {}) {
  http::Request request;
  request.method = std::move(method);
  request.path = std::move(path);
  request.query = std::move(query);
  return request;
}

struct InfoCase {
  const char* method;
  const char* path;
  const char* query;
  const char* verb;
  const char* group;
  const char* version;
  const char* ns;
  const char* resource;
  const char* subresource;
  const char* name;
};

http::Request accepting(std::string accept, std::string agent = "kubectl/v1.36") {
  http::Request request = make_request("GET", "/api/v1/pods");
  request.headers = {{"Accept", std::move(accept)}, {"User-Agent", std::move(agent)}};
  return request;
}

}  // namespace

TEST_CASE("request information comes from method, path and query", "[request_info]") {
  const InfoCase cases[] = {
      {"GET", "/api/v1/namespaces/default/pods/p", "", "get", "", "v1", "default", "pods", "", "p"},
      {"GET", "/api/v1/namespaces/default/pods", "", "list", "", "v1", "default", "pods", "", ""},
      {"GET", "/api/v1/pods", "watch=1", "watch", "", "v1", "", "pods", "", ""},
      {"GET", "/api/v1/pods", "watch=false", "list", "", "v1", "", "pods", "", ""},
      {"GET", "/api/v1/watch/pods", "", "watch", "", "v1", "", "pods", "", ""},
      {"GET", "/api/v1/watch/namespaces/d/pods/p", "", "watch", "", "v1", "d", "pods", "", "p"},
      {"GET", "/api/v1/namespaces/d/pods/p", "watch=true", "get", "", "v1", "d", "pods", "", "p"},
      {"GET", "/api/v1/namespaces", "", "list", "", "v1", "", "namespaces", "", ""},
      {"GET", "/api/v1/namespaces/d", "", "get", "", "v1", "d", "namespaces", "", "d"},
      {"PUT", "/api/v1/namespaces/d/finalize", "", "update", "", "v1", "d", "namespaces", "finalize", "d"},
      {"PATCH", "/api/v1/namespaces/d/status", "", "patch", "", "v1", "d", "namespaces", "status", "d"},
      {"POST", "/apis/apps/v1/namespaces/d/deployments", "", "create", "apps", "v1", "d", "deployments", "", ""},
      {"DELETE", "/apis/apps/v1/namespaces/d/deployments", "", "deletecollection", "apps", "v1", "d", "deployments", "",
       ""},
      {"GET", "/apis/apps/v1/namespaces/d/deployments/x/scale", "", "get", "apps", "v1", "d", "deployments", "scale",
       "x"},
      {"GET", "/api/v1/nodes", "fieldSelector=metadata.name%3Dn1", "list", "", "v1", "", "nodes", "", "n1"},
      {"GET", "/api/v1/nodes", "fieldSelector=metadata.name%3Dn2,metadata.name%3Dn1", "list", "", "v1", "", "nodes", "",
       "n1"},
      {"GET", "/api/v1/nodes", "fieldSelector=metadata.name!%3Dn1", "list", "", "v1", "", "nodes", "", ""},
      {"GET", "/api/v1/nodes", "fieldSelector=spec.x%3Da%5C,metadata.name%3Dn1", "list", "", "v1", "", "nodes", "", ""},
      {"GET", "/api/v1/nodes", "fieldSelector=metadata.name%3Da%2Fb", "list", "", "v1", "", "nodes", "", ""},
      {"GET", "/api/v1/watch/nodes", "fieldSelector=metadata.name%3Dn1", "watch", "", "v1", "", "nodes", "", ""},
      {"GET", "/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Anode", "", "get", "rbac.authorization.k8s.io",
       "v1", "", "clusterroles", "", "system:node"},
      {"GET", "/api/v1/namespaces/d/pods/", "", "list", "", "v1", "d", "pods", "", ""},
      {"GET", "/api/v1/namespaces/d/pods/a%2Flog", "", "get", "", "v1", "d", "pods", "log", "a"},
      {"GET", "/api/v1/namespaces//pods", "", "list", "", "v1", "", "pods", "", ""},
      {"GET", "/apis/apps/v1/namespaces//deployments/d", "", "get", "apps", "v1", "", "deployments", "", "d"},
  };
  for (const InfoCase& each : cases) {
    INFO(each.method << " " << each.path << "?" << each.query);
    const RequestInfo info = read_request_info(make_request(each.method, each.path, each.query));
    CHECK(info.resource_request);
    CHECK(info.verb == each.verb);
    CHECK(info.group == each.group);
    CHECK(info.version == each.version);
    CHECK(info.namespace_ == each.ns);
    CHECK(info.resource == each.resource);
    CHECK(info.subresource == each.subresource);
    CHECK(info.name == each.name);
  }
}

TEST_CASE("selectors count for authorization where the verb is not in the path", "[request_info]") {
  const char* query = "fieldSelector=spec.nodeName%3Dn1&labelSelector=a%3Db";
  const RequestInfo info = read_request_info(make_request("GET", "/api/v1/pods", query));
  CHECK(info.field_selector == "spec.nodeName=n1");
  CHECK(info.label_selector == "a=b");
  const RequestInfo old = read_request_info(make_request("GET", "/api/v1/watch/pods", query));
  CHECK(old.verb == "watch");
  CHECK(old.field_selector.empty());
  CHECK(old.label_selector.empty());
}

TEST_CASE("empty segments make a path odd, but for a namespace that is left out", "[request_info]") {
  const auto odd = [](const char* path) { return read_request_info(make_request("GET", path)).odd_path; };
  for (const char* path :
       {"/api/v1/pods", "/api/v1/pods/", "/apis/apps/v1/namespaces//deployments", "/", "/healthz/"}) {
    INFO(path);
    CHECK_FALSE(odd(path));
  }
  for (const char* path : {"//api/v1/pods", "/api//v1/pods", "/api/v1//pods", "/api/v1/namespaces/d//pods",
                           "/api/v1/namespaces/d/pods//p", "/api/v1/namespaces/d/pods//"}) {
    INFO(path);
    CHECK(odd(path));
  }
}

TEST_CASE("paths outside the API are no resource requests", "[request_info]") {
  for (const char* path : {"/", "/healthz", "/api", "/api/v1", "/apis", "/apis/apps", "/apis/apps/v1", "/version"}) {
    const RequestInfo info = read_request_info(make_request("GET", path));
    INFO(path);
    CHECK_FALSE(info.resource_request);
    CHECK(info.verb == "get");
  }
  CHECK(read_request_info(make_request("GET", "/api/v1/namespaces/d/pods/p/proxy/a/b")).rest == "a/b");
}

TEST_CASE("the first clause that can be served wins", "[media_type]") {
  OutputOffer offer;
  offer.table = true;
  const char* kubectl =
      "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json";
  CHECK(negotiate_output(accepting(kubectl), offer)->transform == Transform::Table);
  offer.table = false;
  CHECK(negotiate_output(accepting(kubectl), offer)->transform == Transform::None);
  CHECK(negotiate_output(accepting("application/vnd.kubernetes.protobuf,application/json"), offer)->encoding ==
        MediaType::Protobuf);
  offer.protobuf = false;
  CHECK(negotiate_output(accepting("application/vnd.kubernetes.protobuf,application/json"), offer)->encoding ==
        MediaType::Json);
  CHECK(negotiate_output(accepting("application/json;q=0.5,application/yaml"), offer)->encoding == MediaType::Yaml);
  CHECK(negotiate_output(accepting(""), offer)->encoding == MediaType::Json);
  CHECK(negotiate_output(accepting("application/*"), offer)->encoding == MediaType::Json);
  CHECK_FALSE(negotiate_output(accepting("text/html"), offer).ok());
  CHECK_FALSE(negotiate_output(accepting("application/JSON"), offer).ok());
  CHECK_FALSE(negotiate_output(accepting("application/json;v=v1"), offer).ok());
}

TEST_CASE("the router wants a type that is served, to the letter", "[media_type]") {
  for (const char* good : {"", "*/*", "application/json;q=0", "text/html, */*;q=0.1", "text/*,application/yaml;as=x"}) {
    CHECK(check_accept(accepting(good), false).ok());
  }
  const std::string types = "application/json, application/yaml, application/vnd.kubernetes.protobuf";
  const std::string refused = "406: Not Acceptable\n\nAvailable representations: " + types;
  for (const char* bad : {"application/*", "application/JSON", "*", "text/html", "application/cbor"}) {
    CHECK(check_accept(accepting(bad), false).error().message() == refused);
    CHECK(check_accept(accepting(bad), true).error().message() ==
          refused + ", application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch");
  }
}

TEST_CASE("errors are told in the first encoding that wants nothing made of the object", "[media_type]") {
  CHECK(negotiate_error(accepting("application/yaml")).encoding == MediaType::Yaml);
  CHECK(negotiate_error(accepting("application/yaml;as=Table;g=meta.k8s.io;v=v1")).encoding == MediaType::Json);
  CHECK(negotiate_error(accepting("application/vnd.kubernetes.protobuf;as=Table;g=meta.k8s.io;v=v1,application/yaml"))
            .encoding == MediaType::Yaml);
}

TEST_CASE("the type of a body must be readable to the end", "[media_type]") {
  const auto encoding = [](std::string type) {
    http::Request request = make_request("POST", "/api/v1/namespaces");
    request.headers.set("Content-Type", std::move(type));
    return input_encoding(request, true);
  };
  for (const char* good :
       {"application/json", "application/JSON; charset=utf-8", "application/json;", "application/yaml; a=\"b\""}) {
    CHECK(encoding(good).ok());
  }
  for (const char* bad : {"application/json;foo", "application/json;;;", "application/json;charset", "text/json"}) {
    CHECK_FALSE(encoding(bad).ok());
  }
}

TEST_CASE("requests for one object are told from the rest", "[request_info]") {
  const auto one = [](const char* method, const char* path) { return concerns_one_object(make_request(method, path)); };
  for (const char* path : {"/api/v1/namespaces/a/configmaps/b", "/api/v1/nodes/a", "/api/v1/namespaces/a",
                           "/api/v1/namespaces/a/status", "/apis/apps/v1/namespaces/a/deployments/b/scale"}) {
    INFO(path);
    CHECK(one("GET", path));
    CHECK(one("PATCH", path));
    CHECK(one("DELETE", path));
  }
  for (const char* path : {"/api/v1/namespaces/a/configmaps", "/api/v1/namespaces", "/apis/apps/v1/deployments"}) {
    INFO(path);
    CHECK(one("POST", path));
    CHECK_FALSE(one("GET", path));
    CHECK_FALSE(one("DELETE", path));
  }
  for (const char* path : {"/", "/healthz", "/api", "/api/v1", "/apis/apps/v1", "/openapi/v2", "/version/a/b/c",
                           "/api/v1/watch/namespaces/a/pods/b", "/api/v1/namespaces/a/pods/b/log",
                           "/api/v1/namespaces/a/pods/b/exec", "/api/v1/nodes/a/proxy/x"}) {
    INFO(path);
    CHECK_FALSE(one("GET", path));
    CHECK_FALSE(one("POST", path));
  }
}

TEST_CASE("people get pretty JSON", "[media_type]") {
  const OutputOffer offer;
  CHECK(negotiate_output(accepting("", "curl/8.1"), offer)->pretty);
  CHECK(negotiate_output(accepting("*/*", "Mozilla/5.0 (X11)"), offer)->pretty);
  CHECK_FALSE(negotiate_output(accepting("application/yaml", "curl/8.1"), offer)->pretty);
  CHECK_FALSE(negotiate_output(accepting(""), offer)->pretty);
  http::Request asked = accepting("");
  asked.query = "pretty=true";
  CHECK(negotiate_output(asked, offer)->pretty);
}

}  // namespace coracle::kube::apiserver
