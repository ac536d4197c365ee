#pragma once

#include <curl/curl.h>

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/http/client.h"

namespace coracle::http::internal {

struct EasyDeleter {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct MultiDeleter {
  void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
};
struct ListDeleter {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

// A transfer at a time and the connections that earlier ones left open.
struct CurlHandle {
  // The multi handle owns the connections and can be woken from other threads.
  std::unique_ptr<CURLM, MultiDeleter> multi;
  std::unique_ptr<CURL, EasyDeleter> easy;
  std::string origin;  // scheme and authority of the last transfer
};

class CurlClient : public Client {
 public:
  explicit CurlClient(ClientOptions options);
  ~CurlClient() override;

  Result<Response> send(const Context& context, const std::string& url, const Request& request) override;
  Result<std::unique_ptr<Incoming>> open(const Context& context, const std::string& url, Request request) override;

 private:
  class Answer;

  Result<CurlHandle> take(const std::string& origin);
  void give_back(CurlHandle handle);

  const ClientOptions options_;
  std::mutex mutex_;
  std::vector<CurlHandle> idle_;
};

}  // namespace coracle::http::internal
