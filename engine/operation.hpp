// One operation under the shard lock: its lock and lease, its server locks, its looks and its statements.
// Every mutating statement goes through `change`, on the lock session of its server (or `close` on the
// helper), and is refused when the lease would run out first. Nothing that an operation began outlives it.
#pragma once

#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "engine/shard.hpp"

namespace fixpoint {

// What a recovery ends in. A success is checked by the next look, not believed.
struct Outcome {
    bool refused = false;
    Reason reason = Reason::none;
    std::string text;
};
inline Outcome succeeded() {
    return {};
}
inline Outcome refused(Reason reason, std::string text = {}) {
    return {true, reason, std::move(text)};
}

// Thrown where the operation can go no further: the lock is lost, an answer is lost, a server that it rests
// on does not answer. Only the loop catches.
struct OperationEnded : std::runtime_error {
    OperationEnded(Reason why, const std::string& text) : std::runtime_error(text), reason(why) {}
    Reason reason;
};

class Operation {
  public:
    Operation(Shard& shard, topo::LockKey lock, ProblemKey key, Recovery recovery, std::string id);

    Shard& shard() { return shard_; }
    const View& view() const { return shard_.view(); }
    // What is in force. Throws OperationEnded where somebody has taken it away since this operation began.
    const FixpointRecord& record() const;
    const Limits& limits() const { return shard_.limits(); }
    const ProblemKey& key() const { return key_; }
    const std::string& id() const { return id_; }

    void step(std::string text);    // into the event log
    void report(std::string text);  // something for a person

    // ---- the shard lock
    void go_on() const;  // throws where the manager was asked to give up
    const topo::LockKey& lock() const { return lock_; }
    void renewed(Instant taken_at) { lock_.taken_at = taken_at; }
    Duration lease_left() const;
    void require_lease(Duration limit) const;     // throws where less is left
    Duration within_lease(Duration limit) const;  // as much of it as is left; throws where next to nothing is
    awaitable<void> verify_lock();                // linearizable; throws where the key is gone

    // ---- server locks, in the order of protocol 3; tablets that cannot be had count as unreached
    awaitable<void> lock_servers(std::vector<TabletAlias> aliases);
    awaitable<void> lock_all_servers();
    awaitable<void> release_server_locks();
    bool locked(const TabletAlias& alias) const;
    std::vector<TabletAlias> locked_tablets() const;
    void require_locked(const TabletAlias& alias) const;  // throws

    // ---- looks over the lock sessions, P first; one that does not answer is unlocked from then on. After
    // lock_all_servers what is not locked counts as not answering; else P is looked at without a lock and the
    // others' looks of this pass stand.
    awaitable<void> look();
    awaitable<void> look_at_primary();  // once more, after the others (protocol 8)
    // What the last look says under the record that was written since, over the same lock sessions.
    void judge_by_the_new_record() { shard_.finish_look(); }
    ShardFacts facts() const;

    // ---- statements
    template <class S>
    awaitable<std::expected<typename S::Answer, sql::Error>> ask(TabletAlias alias, S statement,
                                                                 Duration limit);
    // On the lock session, fenced. Throws where the session is lost; gives MySQL's own error as a value.
    awaitable<std::expected<void, sql::Error>> change(TabletAlias alias, sql::Statement statement,
                                                      Duration limit);
    awaitable<std::expected<void, sql::Error>> change(TabletAlias alias,
                                                      sql::Statement statement);  // limits().statement
    // The same, and any error of MySQL's throws.
    awaitable<void> must(TabletAlias alias, sql::Statement statement);
    awaitable<void> must(TabletAlias alias, sql::Statement statement, Duration limit);
    // On the helper session: it can only close.
    awaitable<std::expected<void, sql::Error>> close(TabletAlias alias, sql::Statement statement,
                                                     Duration limit);

    // Runs `task` for each tablet at once; one that throws for its own server only is unlocked, the others go
    // on.
    awaitable<void> for_each(std::vector<TabletAlias> aliases,
                             std::function<awaitable<void>(TabletAlias)> task);

    // ---- records: one transaction, conditional on the versions and on my own lock key
    awaitable<void> write_record(FixpointRecord next, std::optional<ShardRecord> shard = {});
    awaitable<void> write_shard(ShardRecord next);
    awaitable<void> write_tablet(Tablet next);

    bool acks_in_effect_at_first(const TabletAlias& alias) const;
    // Marks t as closed by this operation: a closing's own OK was seen.
    void closed(const TabletAlias& alias) { closed_.insert(alias); }
    bool is_closed(const TabletAlias& alias) const { return closed_.contains(alias); }
    // Marks t as having executed all that it received, both threads stopped by this operation.
    void at_rest(const TabletAlias& alias) { at_rest_.insert(alias); }
    bool is_at_rest(const TabletAlias& alias) const { return at_rest_.contains(alias); }

  private:
    struct Lost : std::runtime_error {  // of one server's session
        Lost(TabletAlias which, const std::string& text)
            : std::runtime_error(text), alias(std::move(which)) {}
        TabletAlias alias;
    };

    awaitable<void> lock_server(TabletAlias alias);
    awaitable<void> look_at(TabletAlias alias);
    awaitable<void> look_at_into(TabletAlias alias, bool* answered);
    bool can_do_without(const TabletAlias& alias) const;
    awaitable<void> guarded(TabletAlias alias, const std::function<awaitable<void>(TabletAlias)>& task);
    awaitable<bool> take(TabletAlias alias, SessionRole role, std::string name,
                         std::optional<std::uint64_t> holder);
    awaitable<std::expected<void, sql::Error>> execute(TabletAlias alias, SessionRole role,
                                                       sql::Statement statement, Duration limit);
    awaitable<std::vector<topo::Version>> transact(std::vector<topo::Put> puts);
    awaitable<std::vector<topo::Version>> transact_without_key(std::vector<topo::Put> puts);  // a canary's
    void unlock(const TabletAlias& alias);

    Shard& shard_;
    topo::LockKey lock_;
    ProblemKey key_;
    Recovery recovery_;
    std::string id_;
    std::set<TabletAlias> locked_;
    std::set<TabletAlias> had_locks_;
    std::set<TabletAlias> closed_, at_rest_;
    bool all_servers_ = false;
    std::map<TabletAlias, bool> acks_at_first_;
};

template <class S>
awaitable<std::expected<typename S::Answer, sql::Error>> Operation::ask(TabletAlias alias, S statement,
                                                                        Duration limit) {
    go_on();
    SqlSession* session = locked(alias) ? shard_.sessions(alias).alive(SessionRole::lock) : nullptr;
    if (!session) throw Lost(alias, alias.to_string() + ": its lock session is gone");
    auto answer = co_await run(*session, std::move(statement), limit);
    if (!answer && answer.error().is_maybe()) {
        unlock(alias);
        throw Lost(alias, alias.to_string() + ": " + answer.error().text);
    }
    co_return answer;
}

}  // namespace fixpoint
