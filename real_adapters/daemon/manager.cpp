// See manager.hpp.
#include "real_adapters/daemon/manager.hpp"

#include <boost/asio/co_spawn.hpp>

#include <fmt/format.h>

#include <algorithm>

#include "fixpoint/engine/record_codec.hpp"
#include "real_adapters/daemon/clock.hpp"
#include "real_adapters/daemon/told_store.hpp"
#include "real_adapters/daemon/words.hpp"

namespace fixpoint::real {

namespace {

constexpr std::size_t kept_endings = 100;

class SilentEventLog final : public EventLog {
  public:
    void append(Event /*event*/) override {}
    bool wants_text() const override { return false; }
};

ReconcilerConfig config_of(const Site& site, const ShardName& shard) {
    return {.manager = site.configuration.manager_name,
            .shard = shard,
            .cells = {},
            .instance = new_instance(site.clock)};
}

bool is_ending(EventKind kind) {
    return kind == EventKind::recovery_succeeded || kind == EventKind::recovery_refused ||
           kind == EventKind::recovery_failed;
}

}  // namespace

std::uint64_t new_instance(const Clock& clock) {
    static std::uint64_t last = 0;
    const auto ms = static_cast<std::uint64_t>(clock.wall_now().ns / 1'000'000);
    last = std::max(ms, last + 1);
    return last;
}

Manager::Manager(const Site& site, ShardName shard, std::unique_ptr<topo::Store> store)
    : clock_(site.clock),
      log_(site.log),
      shard_(std::move(shard)),
      store_(std::make_unique<ToldStore>(std::move(store), log_, shard_)),
      events_(site.configuration.manager_name, shard_, site.log, site.history),
      reconciler_(config_of(site, shard_), ReconcilerPorts{site.clock, site.sql, *store_, events_}) {}

void Manager::heard(const Event& event, Signal* changed) {
    if (event.kind == EventKind::looked) {
        seen_ = reconciler_.report();
        ++looks_;
        say_what_needs_a_person();
    }
    if (is_ending(event.kind)) {
        endings_.push_back({event.kind, event.key, event.recovery, event.reason, event.text});
        if (endings_.size() > kept_endings) endings_.pop_front();
    }
    if (callback_) callback_(event);
    changed->raise();
}

// Each thing once, for as long as it lasts: what exactly it is, and what to do about it.
void Manager::say_what_needs_a_person() {
    std::map<ProblemKey, std::set<std::string>> still;
    for (const ProblemReport& p : seen_.problems) {
        const std::string remedy = remedy_of(p);
        if (remedy.empty()) continue;
        std::set<std::string>& said = still.insert_or_assign(p.key, said_[p.key]).first->second;
        const std::string what =
            p.refusal == Reason::none ? p.detail : fmt::format("refused: {}", p.refusal_text);
        if (!said.insert(what).second) continue;
        HistoryEntry entry;
        entry.time = to_rfc3339(clock_.wall_now());
        entry.shard = shard_.to_string();
        entry.problem = to_string(p.key.problem);
        if (p.key.tablet) entry.tablet = p.key.tablet.to_string();
        entry.text = fmt::format("{}{}{}; {}", p.meaning, what.empty() ? "" : ": ", what, remedy);
        log_.write(LogLevel::warning, entry);
    }
    said_ = std::move(still);
}

void Manager::start(boost::asio::any_io_executor executor, Signal& changed) {
    started_ = true;
    events_.on_event([this, &changed](const Event& event) { heard(event, &changed); });
    boost::asio::co_spawn(executor, reconciler_.run(), [this, &changed](const std::exception_ptr& error) {
        ended_ = true;
        try {
            if (error) std::rethrow_exception(error);
        } catch (const std::exception& e) {
            died_of_ = e.what();
        }
        changed.raise();
    });
}

awaitable<void> Manager::stop(Signal& changed, const Signal& hurry, Duration grace) {
    if (!started_) co_return;
    reconciler_.stop();
    const Instant deadline = clock_.now() + grace;
    constexpr Duration slice = std::chrono::milliseconds(100);  // how soon a second wish to stop is seen
    while (!ended_ && clock_.now() < deadline && hurry.count() < 2)
        co_await changed.wait(changed.count(), slice);
    reconciler_.give_up();
    while (!ended_) co_await changed.wait(changed.count(), slice);
}

awaitable<Shown> look_on(const Site& site, topo::Store& store, ShardName shard,
                         std::vector<ProposedRecord> proposed) {
    OnlookerStore records(&store, std::move(proposed));
    OnlookerConnector sql(site.sql);
    SilentEventLog silent;
    Reconciler core(config_of(site, shard), ReconcilerPorts{site.clock, sql, records, silent});
    Shown shown;
    shown.report = co_await core.look();
    if (shown.report.store_error.empty()) {
        co_await site.clock.sleep_until(site.clock.now() + site.between_looks);
        shown.report = co_await core.look();
    }
    auto holder = co_await store.lock_holder(shard_lock_path(shard), shown.report.goal.limits.statement);
    if (holder) shown.lock = *holder;
    co_return shown;
}

}  // namespace fixpoint::real
