#include "tests/sim/run.h"

namespace coracle::sim {
namespace {

const WallTime kFirstMorning{std::chrono::seconds(1767225600)};
// Between two actions; sometimes everything has time to settle.
constexpr Duration kShortPause = std::chrono::seconds(15);
constexpr Duration kLongPause = std::chrono::minutes(8);
constexpr std::uint64_t kLongPauseEvery = 6;
// From the last fault until all is as desired. Back-off has doubled while faults lasted.
constexpr Duration kConvergeWithin = std::chrono::hours(2);
constexpr Duration kConvergePoll = std::chrono::seconds(5);
// Then nothing more may happen, but for stragglers.
constexpr Duration kQuietTime = std::chrono::minutes(15);
constexpr std::uint64_t kQuietWrites = 2;

void act_out(World& world, Play& play, const Scenario& scenario, const PlantedBug* bug) {
  play.prepare();
  for (unsigned i = 0; i < scenario.actions && !world.journal().failed(); ++i) {
    const bool long_pause = world.random().below(kLongPauseEvery) == 0;
    world.pause(long_pause ? kLongPause : kShortPause);
    if (i == scenario.actions / 2 && bug != nullptr && bug->deed) {
      const Result<void> done = bug->deed(world);
      if (!done.ok()) world.journal().note("planted", "failed", done.error().message());
    }
    play.act();
  }
  world.pause(kShortPause);
  play.finish();
}

// What is not as it should be; empty when there is nothing.
std::string whats_left(World& world, const Play& play) {
  world.invariants().drain();
  return play.problem();
}

void converge(World& world, const Play& play) {
  const MonotonicTime end = world.executor().clock().monotonic() + kConvergeWithin;
  while (!world.journal().failed() && world.executor().clock().monotonic() < end) {
    if (world.idle() && whats_left(world, play).empty()) return;
    world.context().sleep(kConvergePoll).ignore("the context ends with the run");
  }
  if (world.journal().failed()) return;
  const std::string problem = whats_left(world, play);
  if (problem.empty()) {
    world.journal().fail(invariant::kQueuesIdle, world.busy_component() + " still has something to do");
  } else {
    world.journal().fail(invariant::kConverges, problem);
  }
}

void stay_quiet(World& world, const Play& play) {
  world.invariants().begin_quiet_time();
  world.context().sleep(kQuietTime).ignore("the context ends with the run");
  const std::string problem = whats_left(world, play);
  if (!problem.empty()) world.journal().fail(invariant::kConverges, "no longer: " + problem);
  world.invariants().check_quiet_time(kQuietWrites);
}

void run_world(SimExecutor& executor, const Scenario& scenario, std::uint64_t seed, const PlantedBug* bug,
               std::size_t lines_kept, RunOutcome& outcome) {
  Journal journal(executor.clock(), lines_kept);
  {
    World world(executor, seed, journal, bug);
    const Result<void> started = world.start(scenario.components);
    if (!started.ok()) journal.fail("start", started.error().message());
    const std::unique_ptr<Play> play = scenario.make(world);
    if (!journal.failed()) act_out(world, *play, scenario, bug);
    world.calm_down();
    if (!journal.failed()) converge(world, *play);
    if (!journal.failed()) stay_quiet(world, *play);
    outcome.faults = world.faults().counts();
  }
  outcome.broken_invariant = journal.broken_invariant();
  outcome.failure = journal.failure().value_or("");
  outcome.lines.assign(journal.lines().begin(), journal.lines().end());
}

}  // namespace

RunOutcome run_scenario(const Scenario& scenario, std::uint64_t seed, const PlantedBug* bug, std::size_t lines_kept) {
  RunOutcome outcome;
  const std::unique_ptr<SimExecutor> executor = SimExecutor::make(seed, kFirstMorning);
  executor->run([&] { run_world(*executor, scenario, seed, bug, lines_kept, outcome); });
  outcome.schedule_hash = executor->schedule_hash();
  return outcome;
}

}  // namespace coracle::sim
