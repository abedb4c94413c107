// The replica's applier: one transaction at a time, in the order of the relay log, through the same commit as
// every other write (so it waits for acknowledgements where source-side semi-sync is on, M36, and for whoever
// holds the global read lock). A data error stops it; the receiver goes on, and goes on acknowledging (M5).
#include <algorithm>
#include <utility>

#include "fixpoint/model/assert.hpp"
#include "sim/fakes/mysql/errors.hpp"
#include "sim/fakes/mysql/fake_mysql.hpp"

namespace fixpoint::sim::mysql {

void FakeMysql::start_applier() {
    if (applier_.running) return;
    applier_ = {};
    applier_.running = true;
    touch();
    applier_kick();
}

bool FakeMysql::clients_table_locked() const {
    return applier_blocked_ ||
           std::ranges::any_of(sessions_, [](const auto& session) { return session->holds_read_lock; });
}

// Something has changed that may let it go on. Safe to call at any time.
void FakeMysql::applier_kick() {
    Applier& a = applier_;
    if (!a.running) return;
    if (a.busy) {
        if (a.waits_for_table && !clients_table_locked()) {
            a.waits_for_table = false;
            world_.scheduler.post(process_, [this] { apply_locked(); });
        }
        return;
    }
    const RelayLog& relay = disk_.relay_log;
    if (a.stop_requested || relay.applier_at == relay.transactions.size()) return;
    if (relay.index == RelayIndex::goes_round) return;
    a.busy = true;
    // A slow applier lags by a constant time, like one with a SOURCE_DELAY: it keeps up with the rate of the
    // writers.
    const Duration lag = std::max(disk_.channel->delay, apply_delay_);
    const Instant not_before = relay.transactions[relay.applier_at]->made_at + lag;
    if (not_before > now()) {
        a.sleeping = true;
        a.timer = world_.scheduler.at(process_, not_before, [this] {
            applier_.sleeping = false;
            apply_begin();
        });
        return;
    }
    a.timer = after(draw(timing::application), [this] { apply_begin(); });
}

void FakeMysql::apply_begin() {
    const RelayLog& relay = disk_.relay_log;
    if (disk_.executed.contains(relay.transactions[relay.applier_at]->gtid)) return applied();
    applier_.ticket = statements_lock_.take_as_writer([this] {
        world_.scheduler.post(process_, [this] {
            applier_.holds_statement_lock = true;
            apply_locked();
        });
    });
    if (applier_.ticket != 0) return;
    applier_.holds_statement_lock = true;
    apply_locked();
}

void FakeMysql::apply_locked() {
    const TransactionPtr transaction = disk_.relay_log.transactions[disk_.relay_log.applier_at];
    if (transaction->payload == Payload::rows && clients_table_locked()) {
        applier_.waits_for_table = true;
        return;
    }
    if (const int error = std::exchange(applier_failure_, 0); error != 0) {
        return applier_failed(error, "Worker failed executing transaction");
    }
    if (const int error = disk_.rows.conflict(*transaction); error != 0) {
        return applier_failed(error, "Worker failed executing transaction");
    }
    applier_.ticket = commits_lock_.take_as_writer([this] {
        world_.scheduler.post(process_, [this] {
            applier_.holds_commit_lock = true;
            apply_commit();
        });
    });
    if (applier_.ticket != 0) return;
    applier_.holds_commit_lock = true;
    apply_commit();
}

void FakeMysql::apply_commit() {
    const TransactionPtr transaction = disk_.relay_log.transactions[disk_.relay_log.applier_at];
    applier_.committing = true;
    append(transaction, 0, true);
}

void FakeMysql::applied() {
    Applier& a = applier_;
    a.busy = a.committing = false;
    ++disk_.relay_log.applier_at;
    touch();
    if (std::exchange(a.holds_commit_lock, false)) commits_lock_.release_writer();
    if (std::exchange(a.holds_statement_lock, false)) statements_lock_.release_writer();
    if (a.stop_requested) return applier_stopped();
    applier_kick();
}

void FakeMysql::applier_failed(int error, std::string text) {
    Applier& a = applier_;
    a.busy = false;
    a.error = error;
    a.text = std::move(text);
    if (std::exchange(a.holds_commit_lock, false)) commits_lock_.release_writer();
    if (std::exchange(a.holds_statement_lock, false)) statements_lock_.release_writer();
    applier_stopped();
}

void FakeMysql::applier_stopped() {
    applier_.running = applier_.busy = applier_.sleeping = applier_.stop_requested = false;
    touch();
    auto told = std::exchange(applier_.when_stopped, {});
    for (auto& when_stopped : told) when_stopped();
}

}  // namespace fixpoint::sim::mysql
