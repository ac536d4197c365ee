#include "kube/client/transport.h"

namespace coracle::kube {
namespace {

class HandlerTransport : public Transport {
 public:
  explicit HandlerTransport(http::Handler& handler) : handler_(handler) {}

  Result<http::Response> send(const Context& context, const http::Request& request) override {
    TRY(context.check());
    return handler_.handle(context, request);
  }

 private:
  http::Handler& handler_;
};

}  // namespace

std::unique_ptr<Transport> make_handler_transport(http::Handler& handler) {
  return std::make_unique<HandlerTransport>(handler);
}

}  // namespace coracle::kube
