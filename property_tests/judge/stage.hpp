// A stage for the judge's own tests: a state made by hand, a judge, and events played to it in the tests' own
// words. Why: each checker is seen to fire, and not to, on a sequence that can be read in a few lines. It
// refuses to simulate: nothing happens between two events but what the test writes into the state.
#pragma once

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "property_tests/support/state_builder.hpp"
#include "sim/checkers/books.hpp"
#include "sim/checkers/judge.hpp"

namespace fixpoint::sim::testing {

class Stage : private WorldView {
  public:
    explicit Stage(int tablets = 3, DurabilityPolicy policy = semi_sync(1), std::vector<Fault> faults = {})
        : b(tablets, policy), judge(scenario(tablets, policy, std::move(faults)), *this) {
        play(PhaseBegan{Phase::safety});
    }

    static Scenario scenario(int tablets, DurabilityPolicy policy, std::vector<Fault> faults) {
        Scenario s;
        s.policy = policy;
        for (int n = 1; n <= tablets; ++n) {
            ScenarioTablet t;
            t.alias = alias_of(n);
            t.type = n == 1 ? TabletType::primary : TabletType::replica;
            s.tablets.push_back(t);
        }
        s.managers = {{"m1", "zone1"}};
        s.faults = std::move(faults);
        return s;
    }

    void play(const JudgeEvent& event) { judge.on(now_, event); }
    void after(Duration d) { now_ += d; }
    Instant at() const { return now_; }

    // ---- clients
    void begin(WriteId id, int n, bool privileged = false) { play(WriteBegun{id, alias_of(n), privileged}); }
    void acknowledge(WriteId id, int n, bool privileged = false, bool by_shutdown = false) {
        play(WriteAcknowledged{id, alias_of(n), privileged, by_shutdown});
        play(WriteAnswered{id, alias_of(n), WriteAnswered::Outcome::acknowledged, 0});
    }
    // Begun and acknowledged by n, executed there and on its replicas.
    void write(WriteId id, int n, std::vector<int> on) {
        begin(id, n);
        for (const int t : on) execute(id, t);
        acknowledge(id, n);
    }
    void execute(WriteId id, int n) {
        b.server(n).writes.insert(id);
        b.server(n).writes_in_log.insert(id);
    }
    void forget(WriteId id, int n) {
        b.server(n).writes.erase(id);
        b.server(n).writes_in_log.erase(id);
    }

    // ---- faults, managers, store
    void fault(FaultKind kind, int n, bool permanent = false) {
        Fault f;
        f.kind = kind;
        f.tablet = alias_of(n);
        f.permanent = permanent;
        play(FaultHappened{f, FaultStage::requested});
        play(FaultHappened{f, FaultStage::delivered});
        play(FaultHappened{f, FaultStage::observed});
    }
    void lock(std::int64_t id, const std::string& manager = "m1") { play(ShardLockTaken{manager, id}); }
    void server_lock(std::int64_t id, int n, const std::string& manager = "m1") {
        play(ServerLockTaken{manager, alias_of(n), 7, id});
    }
    void statement(sql::Statement s, int n, std::int64_t id, const std::string& manager = "m1") {
        StatementTookEffect e;
        e.manager = manager;
        e.tablet = alias_of(n);
        e.session = 7;
        e.lock_id = id;
        e.mutating = sql::is_mutating(s);
        e.statement = std::move(s);
        play(e);
    }
    // A commit point: n becomes primary in force, and its server serves.
    void record_primary(int n, const std::string& manager = "m1", std::int64_t id = 1) {
        RecordWritten e;
        e.manager = manager;
        e.lock_id = id;
        e.before = b.state.store.fixpoint;
        FixpointRecord after = b.record();
        after.past_primaries.push_back(after.primary);
        after.primary = recorded(n);
        ++after.term;
        after.revision = 0;
        after.opened_at = b.row(n).gtid_executed;
        std::erase_if(after.ackers, [&](const RecordedServer& a) { return a.alias == alias_of(n); });
        e.after = after;
        e.shard_changed = true;
        play(e);
        b.state.store.fixpoint = after;
        b.state.store.shard->primary_alias = alias_of(n);
    }
    void say(EventKind kind, Problem problem, int n = 0, Reason reason = Reason::none,
             const std::string& manager = "m1") {
        ManagerSaid e;
        e.manager = manager;
        e.event.kind = kind;
        e.event.key = {problem, n == 0 ? TabletAlias{} : alias_of(n)};
        e.event.reason = reason;
        if (kind == EventKind::looked) e.event.problems = {e.event.key};
        play(e);
    }
    void looked(std::vector<ProblemKey> problems = {}) {
        ManagerSaid e;
        e.manager = "m1";
        e.event.kind = EventKind::looked;
        e.event.problems = std::move(problems);
        play(e);
    }

    Judgement finish(const std::optional<Probe>& probe = std::nullopt) {
        play(PhaseBegan{Phase::end});
        return judge.finish(now_, probe);
    }
    // The invariants that were violated, each once, in alphabetical order.
    std::string violated() const {
        std::set<std::string> names;
        for (const Violation& v : judge.violations()) names.insert(v.invariant);
        std::string all;
        for (const std::string& name : names) all += (all.empty() ? "" : " ") + name;
        return all;
    }
    std::string violated_at_end() {
        std::set<std::string> names;
        for (const Violation& v : finish().violations) names.insert(v.invariant);
        names.erase("I8"), names.erase("I9");  // of the end as a whole, tested apart
        std::string all;
        for (const std::string& name : names) all += (all.empty() ? "" : " ") + name;
        return all;
    }

    StateBuilder b;
    Judge judge;

  private:
    const WorldState& now() override { return b.state; }
    Instant now_ = Instant(std::chrono::seconds(100));
};

}  // namespace fixpoint::sim::testing
