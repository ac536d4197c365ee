#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "base/json/json.h"
#include "kube/object/object.h"
#include "kube/object/status.h"
#include "tests/sim/faults.h"

namespace coracle::sim {
namespace {

// How often, in a thousand lines.
constexpr unsigned kLate = 80;
constexpr unsigned kMerged = 500;
constexpr unsigned kDropped = 4;
constexpr unsigned kEnded = 6;
constexpr Duration kLongestLateness = std::chrono::seconds(8);
constexpr std::size_t kInnerPull = 256 * 1024;

struct WatchLine {
  MonotonicTime due;
  std::string text;  // with its line feed
  std::string type;
  kube::ObjectKey key;
};

class FaultyWatch : public http::BodySource {
 public:
  FaultyWatch(Executor& executor, std::unique_ptr<http::BodySource> inner, Faults& faults, std::string component,
              WatchObserver observe)
      : executor_(executor),
        inner_(std::move(inner)),
        faults_(faults),
        component_(std::move(component)),
        observe_(std::move(observe)) {}

  void on_ready(std::function<void()> wake) override {
    wake_ = std::move(wake);
    inner_->on_ready(wake_);
  }

  State pull(std::vector<http::Bytes>& out, std::size_t) override {
    if (over_) return State::End;
    read_inner();
    const MonotonicTime now = executor_.clock().monotonic();
    while (!lines_.empty() && lines_.front().due <= now) {
      out.push_back(http::bytes(std::move(lines_.front().text)));
      lines_.pop_front();
    }
    if (lines_.empty() && (inner_ended_ || cut_)) {
      over_ = true;
      return State::End;
    }
    timer_ = lines_.empty() ? nullptr : executor_.call_at(lines_.front().due, [wake = wake_] { wake(); });
    return State::Pending;
  }

 private:
  void read_inner() {
    if (inner_ended_) return;
    std::vector<http::Bytes> pieces;
    State state = State::More;
    while (state == State::More) state = inner_->pull(pieces, kInnerPull);
    inner_ended_ = state == State::End;
    for (const http::Bytes& piece : pieces) partial_ += *piece;
    std::size_t begin = 0;
    for (std::size_t end; (end = partial_.find('\n', begin)) != std::string::npos; begin = end + 1) {
      const std::string_view line = std::string_view(partial_).substr(begin, end - begin);
      if (observe_) observe_(line);
      add(line);
    }
    partial_.erase(0, begin);
  }

  void add(std::string_view text) {
    if (cut_) return;
    if (faults_.happens(Fault::DroppedEvents, kDropped, component_, "watch")) return expire();
    const Result<Value> event = json::read(text);
    WatchLine line{due(), std::string(text) + "\n", "", {}};
    if (event.ok()) {
      line.type = (*event)["type"].as_string();
      line.key = kube::Object((*event)["object"]).key();
    }
    if (faults_.happens(Fault::EndedWatch, kEnded, component_, "watch")) {
      // The connection broke within the line.
      cut_ = true;
      line.text.resize(line.text.size() / 2);
      lines_.push_back(std::move(line));
      return;
    }
    if (!event.ok() || !merge(*event, line)) lines_.push_back(std::move(line));
  }

  // Never before what came earlier.
  MonotonicTime due() {
    MonotonicTime time = executor_.clock().monotonic();
    if (faults_.happens(Fault::LateEvents, kLate, component_, "watch")) time += faults_.some(kLongestLateness);
    last_due_ = std::max(last_due_, time);
    return last_due_;
  }

  void expire() {
    cut_ = true;
    const Value status = kube::to_status(Error(Reason::Expired, "injected: too old resource version"));
    const Value event = Value::object({{"type", "ERROR"}, {"object", status}});
    last_due_ = std::max(last_due_, executor_.clock().monotonic() + faults_.some(kLongestLateness));
    lines_.push_back({last_due_, json::write(event) + "\n", "ERROR", {}});
  }

  // One event instead of two that have not been seen yet.
  bool merge(const Value& event, WatchLine& line) {
    if (lines_.empty() || lines_.back().key != line.key) return false;
    WatchLine& last = lines_.back();
    const bool continues = last.type == "ADDED" || last.type == "MODIFIED";
    const bool joins = line.type == "MODIFIED" || (line.type == "DELETED" && last.type == "MODIFIED");
    if (!continues || !joins || !faults_.happens(Fault::MergedEvents, kMerged, component_, line.key.text())) {
      return false;
    }
    if (last.type == "ADDED") {
      line.type = "ADDED";
      line.text = json::write(event.with("type", "ADDED")) + "\n";
    }
    last = std::move(line);
    return true;
  }

  Executor& executor_;
  const std::unique_ptr<http::BodySource> inner_;
  Faults& faults_;
  const std::string component_;
  const WatchObserver observe_;
  std::function<void()> wake_;
  std::string partial_;  // a line that has not arrived whole
  std::deque<WatchLine> lines_;
  MonotonicTime last_due_{};
  std::unique_ptr<Timer> timer_;
  bool inner_ended_ = false;
  bool cut_ = false;   // nothing more comes in
  bool over_ = false;  // and nothing more goes out
};

}  // namespace

std::unique_ptr<http::BodySource> make_faulty_watch(Executor& executor, std::unique_ptr<http::BodySource> inner,
                                                    Faults& faults, std::string component, WatchObserver observe) {
  return std::make_unique<FaultyWatch>(executor, std::move(inner), faults, std::move(component), std::move(observe));
}

}  // namespace coracle::sim
