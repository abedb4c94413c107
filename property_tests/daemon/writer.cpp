// The client of stage.hpp: one thread, one session, one row after the other.
#include <fmt/format.h>

#include <atomic>
#include <mutex>
#include <thread>

#include "property_tests/daemon/stage.hpp"

namespace fixpoint::daemon_tests {

struct Writer::State {
    State(Stage& of, std::int64_t from, std::chrono::milliseconds between)
        : stage(of), pause(between), next(from) {}
    Stage& stage;
    std::chrono::milliseconds pause;
    std::atomic<int> target = 0;
    std::atomic<bool> ending = false;
    std::int64_t next;
    mutable std::mutex mutex;
    std::vector<std::int64_t> acknowledged;
    std::thread thread;
    std::atomic<bool> done = false;
    std::mutex session_mutex;
    std::optional<real::BlockingSession>
        session;  // made and dropped by the thread; broken off by whoever ends it

    void drop() {
        const std::scoped_lock lock(session_mutex);
        session.reset();
    }

    void run() {
        int connected_to = -1;
        while (!ending) {
            const int to = target;
            if (to < 0) {
                std::this_thread::sleep_for(5ms);
                continue;
            }
            if (!session || connected_to != to || session->seen_closed()) {
                drop();
                auto opened = real::BlockingSession::connect(
                    stage.server(to).address(), {"client", stage.client_password(), real::Tls::off, ""}, 1s);
                if (!opened) {
                    std::this_thread::sleep_for(5ms);
                    continue;
                }
                const std::scoped_lock lock(session_mutex);
                session = *std::move(opened);
                connected_to = to;
            }
            const std::int64_t id = next++;
            const real::RawAnswer answer =
                session->query(fmt::format("INSERT INTO contract.`rows` VALUES ({})", id));
            if (answer.error) {
                if (answer.error->is_maybe()) drop();
                std::this_thread::sleep_for(5ms);
                continue;
            }
            {
                const std::scoped_lock lock(mutex);
                acknowledged.push_back(id);
            }
            if (pause > 0ms) std::this_thread::sleep_for(pause);
        }
        done = true;
    }
};

Writer::Writer(Stage& stage, std::int64_t first, std::chrono::milliseconds pause)
    : state_(std::make_unique<State>(stage, first, pause)) {
    state_->target = stage.primary();
    state_->thread = std::thread([this] { state_->run(); });
}

Writer::~Writer() {
    end();
}

void Writer::point_at(int server) {
    state_->target = server;
}

std::vector<std::int64_t> Writer::end() {
    state_->ending = true;
    if (state_->thread.joinable()) {
        if (!eventually(5s, [this] { return state_->done.load(); })) {  // it waits for an acknowledgement
            const std::scoped_lock lock(state_->session_mutex);
            if (state_->session) state_->session->break_off();
        }
        state_->thread.join();
    }
    const std::scoped_lock lock(state_->mutex);
    return state_->acknowledged;
}

std::size_t Writer::acknowledged() const {
    const std::scoped_lock lock(state_->mutex);
    return state_->acknowledged.size();
}

}  // namespace fixpoint::daemon_tests
