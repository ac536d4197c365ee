#pragma once

#include <atomic>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace coracle {

// Something that only grows. Thread-safe, as all instruments are.
class Counter {
 public:
  void add(std::uint64_t amount = 1) { value_.fetch_add(amount, std::memory_order_relaxed); }
  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

// Something that goes up and down.
class Gauge {
 public:
  void set(double value) { value_.store(value, std::memory_order_relaxed); }
  void add(double amount) { value_.fetch_add(amount, std::memory_order_relaxed); }
  double value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> value_{0};
};

// How often values fell into which range.
class Histogram {
 public:
  // Upper bounds of the buckets, ascending; values above the last count for +Inf alone.
  explicit Histogram(std::vector<double> bounds);
  void observe(double value);
  std::uint64_t count() const;
  double sum() const { return sum_.load(std::memory_order_relaxed); }
  const std::vector<double>& bounds() const { return bounds_; }
  // Observations of bucket `index` alone; the one past the last bound is +Inf's.
  std::uint64_t bucket(std::size_t index) const { return counts_[index].load(std::memory_order_relaxed); }

 private:
  const std::vector<double> bounds_;
  std::vector<std::atomic<std::uint64_t>> counts_;
  std::atomic<double> sum_{0};
};

// In the order in which they are to be printed.
using MetricLabels = std::vector<std::pair<std::string, std::string>>;

// All instruments of a process, printed in Prometheus' text format 0.0.4. Asking again with the
// same name and labels answers the same instrument, which lives as long as the registry: keep the
// reference where it is used often. A name has one kind and one help text, those of its first use.
class MetricRegistry {
 public:
  // Series of one name; what comes later shares one series whose label values are "other".
  static constexpr std::size_t kMaxSeriesPerName = 5000;

  MetricRegistry();
  ~MetricRegistry();

  Counter& counter(std::string_view name, std::string_view help, const MetricLabels& labels = {});
  Gauge& gauge(std::string_view name, std::string_view help, const MetricLabels& labels = {});
  Histogram& histogram(std::string_view name, std::string_view help, std::span<const double> bounds,
                       const MetricLabels& labels = {});
  // Names and label sets in ascending order.
  std::string print() const;

 private:
  template <class Instrument>
  struct Families;
  template <class Instrument, class Make>
  Instrument& find(Families<Instrument>& families, std::string_view name, std::string_view help,
                   const MetricLabels& labels, const Make& make);

  mutable std::mutex mutex_;
  std::unique_ptr<Families<Counter>> counters_;
  std::unique_ptr<Families<Gauge>> gauges_;
  std::unique_ptr<Families<Histogram>> histograms_;
};

}  // namespace coracle
