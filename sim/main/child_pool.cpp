// See child_pool.hpp. POSIX: fork, pipe, poll. Frames are index, length, bytes.
#include "sim/main/child_pool.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <vector>

#include <fmt/format.h>

#include "fixpoint/model/assert.hpp"
#include "sim/main/run_wire.hpp"

namespace fixpoint::sim {
namespace {

using WallClock = std::chrono::steady_clock;  // how long a child is silent; nothing in a run sees it

struct Child {
    pid_t pid = 0;
    int results = -1;
    int errors = -1;
    std::size_t next = 0, end = 0;  // the case that it is at, and the end of its batch
    std::string received, said;
    WallClock::time_point heard{};
};

void write_all(int fd, const void* data, std::size_t size) {
    const char* at = static_cast<const char*>(data);
    while (size > 0) {
        const ssize_t written = ::write(fd, at, size);
        if (written <= 0) _exit(1);
        at += written;
        size -= static_cast<std::size_t>(written);
    }
}

[[noreturn]] void be_child(const Child& child, int results, int errors,
                           const std::function<Run(std::size_t)>& work) {
    ::dup2(errors, STDERR_FILENO);
    for (std::size_t i = child.next; i < child.end; ++i) {
        const std::string bytes = to_bytes(work(i));
        const std::uint64_t size = bytes.size();
        write_all(results, &size, sizeof size);
        write_all(results, bytes.data(), bytes.size());
    }
    _exit(0);
}

Child start(std::size_t begin, std::size_t end, const std::function<Run(std::size_t)>& work) {
    Child child;
    child.next = begin;
    child.end = end;
    child.heard = WallClock::now();
    int results[2], errors[2];
    FIXPOINT_ASSERT(::pipe2(results, O_CLOEXEC) == 0 && ::pipe2(errors, O_CLOEXEC) == 0,
                    "a pipe can be made");
    std::fflush(nullptr);  // else the child would print again what is still buffered here
    child.pid = ::fork();
    FIXPOINT_ASSERT(child.pid >= 0, "a child can be forked");
    if (child.pid == 0) {
        ::close(results[0]);
        ::close(errors[0]);
        be_child(child, results[1], errors[1], work);
    }
    ::close(results[1]);
    ::close(errors[1]);
    child.results = results[0];
    child.errors = errors[0];
    return child;
}

// False at the end of the stream.
bool read_some(int fd, std::string& into) {
    char buffer[65536];
    const ssize_t got = ::read(fd, buffer, sizeof buffer);
    if (got <= 0) return false;
    into.append(buffer, static_cast<std::size_t>(got));
    return true;
}

void take_results(Child& child, const std::function<void(std::size_t, Run)>& done) {
    for (;;) {
        std::uint64_t size = 0;
        if (child.received.size() < sizeof size) return;
        std::memcpy(&size, child.received.data(), sizeof size);
        if (child.received.size() < sizeof size + size) return;
        auto run = run_from_bytes(std::string_view(child.received).substr(sizeof size, size));
        FIXPOINT_ASSERT(run.has_value(), "parent and child agree on what a run is");
        child.received.erase(0, sizeof size + size);
        child.heard = WallClock::now();
        done(child.next++, std::move(*run));
    }
}

Run crashed(const Child& child, bool hung, int status) {
    Run run;
    run.verdict = Verdict::violation;
    std::string what =
        hung ? "hung: no result in time, killed"
        : WIFSIGNALED(status)
            ? fmt::format("crashed: signal {} ({})", WTERMSIG(status), ::strsignal(WTERMSIG(status)))
            : fmt::format("crashed: the process ended with {}", WEXITSTATUS(status));
    std::string said = child.said.size() > 2000 ? child.said.substr(child.said.size() - 2000) : child.said;
    while (!said.empty() && said.back() == '\n') said.pop_back();
    if (!said.empty()) what += "; it said: " + said;
    run.why = what;
    run.violations.push_back({"crash", Instant{}, what});
    return run;
}

// The child is gone or has to go. What is left of its batch is what the caller starts anew.
void finish(Child& child, bool hung, const std::function<void(std::size_t, Run)>& done) {
    if (hung) ::kill(child.pid, SIGKILL);
    int status = 0;
    ::waitpid(child.pid, &status, 0);
    while (read_some(child.errors, child.said)) {
    }
    ::close(child.results);
    ::close(child.errors);
    if (child.next < child.end) {
        done(child.next, crashed(child, hung, status));
        ++child.next;
    }
}

// Waits for something of any child; true in `over[i]` where it has ended or is silent for too long.
void wait_for_any(std::vector<Child>& children, double silent_seconds, std::vector<int>& over,
                  const std::function<void(std::size_t, Run)>& done) {
    std::vector<pollfd> fds;
    for (const Child& child : children) {
        fds.push_back({child.results, POLLIN, 0});
        fds.push_back({child.errors, POLLIN, 0});
    }
    ::poll(fds.data(), fds.size(), 200);
    const auto now = WallClock::now();
    over.assign(children.size(), 0);
    for (std::size_t i = 0; i < children.size(); ++i) {
        Child& child = children[i];
        if ((fds[2 * i + 1].revents & POLLIN) != 0) read_some(child.errors, child.said);
        if ((fds[2 * i].revents & (POLLIN | POLLHUP)) != 0) {
            if (!read_some(child.results, child.received)) over[i] = 1;
            take_results(child, done);
        }
        const double silent = std::chrono::duration<double>(now - child.heard).count();
        if (over[i] == 0 && silent > silent_seconds) over[i] = 2;
    }
}

}  // namespace

bool run_in_children(std::size_t count, const PoolOptions& options,
                     const std::function<Run(std::size_t)>& work,
                     const std::function<void(std::size_t, Run)>& done) {
    std::vector<Child> children;
    std::size_t next = 0;
    std::vector<int> over;
    for (;;) {
        while (children.size() < static_cast<std::size_t>(std::max(1, options.jobs)) && next < count &&
               !options.stop()) {
            const std::size_t end = std::min(count, next + std::max<std::size_t>(1, options.batch));
            children.push_back(start(next, end, work));
            next = end;
        }
        if (children.empty()) return next >= count;
        wait_for_any(children, options.silent_seconds, over, done);
        for (std::size_t i = children.size(); i-- > 0;) {
            if (over[i] == 0) continue;
            Child child = std::move(children[i]);
            children.erase(children.begin() + static_cast<std::ptrdiff_t>(i));
            finish(child, over[i] == 2, done);
            if (child.next < child.end) children.push_back(start(child.next, child.end, work));
        }
    }
}

}  // namespace fixpoint::sim
