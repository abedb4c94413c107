// A manager's memory of one shard: its sessions, the records as last read, the looks and what follows from
// several of them (boot marks, high-water mark). All of it may be lost at any moment: nothing rests on it
// but the decision to look more closely.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/sessions.hpp"
#include "engine/view.hpp"
#include "fixpoint/engine/reconciler.hpp"

namespace fixpoint {

class Shard {
  public:
    Shard(ReconcilerConfig config, ReconcilerPorts ports, std::function<void()> wake);

    const ReconcilerConfig& config() const { return config_; }
    ReconcilerPorts& ports() { return ports_; }
    const ShardName& name() const { return config_.shard; }
    const View& view() const { return view_; }
    const Limits& limits() const { return view_.limits(); }
    Instant now() const { return ports_.clock.now(); }

    // All records, linearizable. False: the store did not answer (`store_error`), the records are as before.
    awaitable<bool> read_records();
    awaitable<bool> read_global_records();  // without the tablets', which are evidence of nothing
    const std::string& store_error() const { return store_error_; }

    // A look without locks: every tablet at once, each waited for only as long as limits say.
    // `in_a_hurry`: a pass that follows a repair at once.
    awaitable<void> look_without_locks(bool in_a_hurry);

    // One tablet, on the given session. False: no answer; the tablet counts as not answering in this look.
    awaitable<bool> look_at(TabletAlias alias, SessionRole role, Duration limit);
    awaitable<void> read_journal(TabletAlias alias);
    void begin_look();   // what answered before counts as the previous look
    void finish_look();  // what follows from the looks of several tablets

    bool knows(const TabletAlias& alias) const { return known_.contains(alias); }  // a record names it still
    TabletSessions& sessions(const TabletAlias& alias);
    bool is_my_session(const TabletAlias& alias, std::uint64_t connection_id) const;

    // After a step of ours dropped its relay log, both threads stopped: nothing of before this boot is left
    // in it.
    void relay_log_dropped(const TabletAlias& alias);
    void server_lock_taken(const TabletAlias& alias) { known_.at(alias).had_lock = now(); }
    // The look session through which this boot was first seen still answers: the process is the same.
    awaitable<bool> boot_is_the_same(TabletAlias alias);

    // The record in force as this manager has just written it.
    void recorded(FixpointRecord record, std::int64_t version);
    void shard_written(ShardRecord record, std::int64_t version);
    void tablet_written(const Tablet& tablet, std::int64_t version);

    // Somebody wants this manager to end: no operation sends anything more, but to release its locks.
    void give_up() { given_up_ = true; }
    bool given_up() const { return given_up_; }

    std::uint64_t digest() const;

  private:
    struct Known {
        std::unique_ptr<TabletSessions> sessions;
        std::deque<TabletLookPtr> history;  // oldest first
        std::uint64_t boot_connection = 0;
        Instant boot_seen, had_lock;
        GtidSet received_at_boot;
        bool receiver_has_run = false;
        std::optional<Instant> only_reads_since;
        TabletLookPtr mark;  // of P; see TabletView
        std::int64_t mark_term = 0, mark_revision = 0;
        Answering answering = Answering::silent;
        std::optional<Instant> refuses_since;
        bool contacted = false;  // or tried to
        sql::Error error;
        Uuid uuid;                          // of the server that answered last
        std::optional<Instant> gone_asked;  // when it was last seen whether a forgotten one is another by now
        TabletLookPtr now, previous;
        std::optional<std::vector<sql::JournalRow>> journal;
    };

    std::string decode(const std::vector<topo::Listed>& listed, Records& records);
    void remember(Known& known, TabletLookPtr look);
    void renew_marks();
    void rebuild_view();
    bool is_asked_though_forgotten(const TabletAlias& alias);
    awaitable<void> look_without_locks_at(TabletAlias alias, Duration limit);
    awaitable<void> read_cell(std::string cell);

    ReconcilerConfig config_;
    ReconcilerPorts ports_;
    std::function<void()> wake_;
    View view_;
    std::map<TabletAlias, Known> known_;
    std::map<std::string, std::int64_t> decoded_;  // versions by path, as last decoded
    std::string store_error_;
    std::int64_t term_seen_ = -1;
    bool given_up_ = false;
};

}  // namespace fixpoint
