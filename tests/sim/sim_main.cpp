// Runs scenarios under seeds: see README.md of this folder.
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "base/text.h"
#include "tests/sim/run.h"

namespace coracle::sim {
namespace {

struct Settings {
  std::uint64_t seed = 1;
  std::uint64_t seeds = 1;
  std::string scenario;  // empty: seeds take turns at all of them
  std::size_t lines = kLinesShown;
  bool trace = false;  // print the events of good runs, too
  bool check_faults = false;
};

bool read_settings(int argc, char** argv, Settings& settings) {
  for (int i = 1; i < argc; ++i) {
    const std::string option = argv[i];
    if (option == "--trace" || option == "--check-faults") {
      (option == "--trace" ? settings.trace : settings.check_faults) = true;
      continue;
    }
    if (++i == argc) return false;
    if (option == "--scenario") {
      settings.scenario = argv[i];
      continue;
    }
    const auto number = parse_int<std::uint64_t>(argv[i]);
    if (!number) return false;
    if (option == "--seed") {
      settings.seed = *number;
    } else if (option == "--seeds") {
      settings.seeds = *number;
    } else if (option == "--lines") {
      settings.lines = *number;
    } else {
      return false;
    }
  }
  return settings.scenario.empty() || find_scenario(settings.scenario) != nullptr;
}

void print_run(const Scenario& scenario, std::uint64_t seed, const RunOutcome& outcome) {
  const std::string name(scenario.name);
  std::printf("%s --seed %llu --scenario %s: %s\n", outcome.failure.empty() ? "ok    " : "FAILED",
              static_cast<unsigned long long>(seed), name.c_str(), outcome.failure.c_str());
  for (const std::string& line : outcome.lines) std::printf("  %s\n", line.c_str());
  std::fflush(stdout);
}

// Every kind of fault must have happened, or the runs prove less than they seem to.
bool all_faults_seen(const FaultCounts& counts) {
  bool all = true;
  for (std::size_t i = 0; i < kFaultKinds; ++i) {
    const std::string name(fault_name(static_cast<Fault>(i)));
    std::printf("%10llu %s\n", static_cast<unsigned long long>(counts[i]), name.c_str());
    all = all && counts[i] > 0;
  }
  return all;
}

int run_all(const Settings& settings) {
  FaultCounts faults{};
  std::uint64_t failures = 0;
  for (std::uint64_t seed = settings.seed; seed < settings.seed + settings.seeds; ++seed) {
    const Scenario& scenario =
        settings.scenario.empty() ? scenarios()[seed % scenarios().size()] : *find_scenario(settings.scenario);
    const RunOutcome outcome = run_scenario(scenario, seed, nullptr, settings.lines);
    for (std::size_t i = 0; i < kFaultKinds; ++i) faults[i] += outcome.faults[i];
    if (!outcome.failure.empty()) ++failures;
    if (!outcome.failure.empty() || settings.trace) print_run(scenario, seed, outcome);
  }
  std::printf("%llu seeds, %llu failed\n", static_cast<unsigned long long>(settings.seeds),
              static_cast<unsigned long long>(failures));
  const bool complete = !settings.check_faults || all_faults_seen(faults);
  if (!complete) std::puts("FAILED: a kind of fault never happened");
  return failures == 0 && complete ? 0 : 1;
}

}  // namespace
}  // namespace coracle::sim

int main(int argc, char** argv) {
  coracle::sim::Settings settings;
  if (!coracle::sim::read_settings(argc, argv, settings)) {
    std::fputs(
        "usage: sim [--seed N] [--seeds COUNT] [--scenario NAME] [--lines N] [--trace] [--check-faults]\nscenarios:",
        stderr);
    for (const auto& scenario : coracle::sim::scenarios())
      std::fprintf(stderr, " %s", std::string(scenario.name).c_str());
    std::fputc('\n', stderr);
    return 2;
  }
  return coracle::sim::run_all(settings);
}
