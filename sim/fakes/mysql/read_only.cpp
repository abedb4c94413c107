// Closing and opening: SET GLOBAL read_only and super_read_only as the server does them. ON waits for the
// global read lock; super_read_only=ON with read_only off does so twice, and between the two privileged
// clients commit freely (M20a); the variable reads 1 while the statement still waits (M20).
#include <utility>

#include "sim/fakes/mysql/errors.hpp"
#include "sim/fakes/mysql/fake_mysql.hpp"

namespace fixpoint::sim::mysql {

using sql::Variable;

void FakeMysql::take_global_read_lock(SessionId id, Continuation taken, Refused refused) {
    auto shared_refused = std::make_shared<Refused>(std::move(refused));
    with_lock(
        id, statements_lock_, true,
        [this, id, taken = std::move(taken), shared_refused]() mutable {
            with_lock(id, commits_lock_, true, std::move(taken), [this, shared_refused](int error) {
                statements_lock_.release_closer();
                (*shared_refused)(error);
            });
        },
        [shared_refused](int error) { (*shared_refused)(error); });
}

void FakeMysql::release_global_read_lock() {
    commits_lock_.release_closer();
    statements_lock_.release_closer();
}

void FakeMysql::run_set_read_only(SessionId id, bool super, bool on) {
    Session& session = *find(id);
    if (!on) {
        took_effect(session);
        settings_.set(Variable::super_read_only, 0);
        if (!super) settings_.set(Variable::read_only, 0);
        touch();
        return finish(id, sql::Nothing{});
    }
    const bool there_already = var(super ? Variable::super_read_only : Variable::read_only);
    if (there_already) {
        took_effect(session);
        return finish(id, sql::Nothing{});
    }
    ++closings_;
    close_phase(id, super);
}

void FakeMysql::close_phase(SessionId id, bool super) {
    const bool first_of_two = super && !var(Variable::read_only);
    super_read_only_pending_ = first_of_two;
    touch();
    take_global_read_lock(
        id, [this, id, super] { phase_closed(id, super); },
        [this, id](int error) {
            --closings_;
            super_read_only_pending_ = false;
            touch();
            finish(id, std::unexpected(server_error(error)));
        });
}

void FakeMysql::phase_closed(SessionId id, bool super) {
    const bool first_of_two = super && !var(Variable::read_only);
    super_read_only_pending_ = false;
    settings_.set(Variable::read_only, 1);
    if (super && !first_of_two) settings_.set(Variable::super_read_only, 1);
    release_global_read_lock();
    touch();
    if (first_of_two) {
        // Whoever queued is let in before the second phase asks again.
        world_.scheduler.post(process_, [this, id, super] {
            if (!find(id)->killed) return close_phase(id, super);
            --closings_;
            refuse_interrupted(id);
        });
        return;
    }
    --closings_;
    took_effect(*find(id));
    finish(id, sql::Nothing{});
}

// FLUSH TABLES WITH READ LOCK; SET GLOBAL super_read_only=ON; UNLOCK TABLES
void FakeMysql::run_close_in_one_packet(SessionId id) {
    ++closings_;
    touch();
    take_global_read_lock(
        id,
        [this, id] {
            Session& session = *find(id);
            --closings_;
            settings_.set(Variable::read_only, 1);
            settings_.set(Variable::super_read_only, 1);
            took_effect(session);
            release_global_read_lock();
            touch();
            finish(id, sql::Nothing{});
        },
        [this, id](int error) {
            --closings_;
            touch();
            finish(id, std::unexpected(server_error(error)));
        });
}

}  // namespace fixpoint::sim::mysql
