// See child.hpp. Lines are short, so that a pipe takes each of them whole.
#include "property_tests/store_contract/child.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <exception>
#include <filesystem>
#include <iostream>
#include <iterator>
#include <stdexcept>
#include <utility>

namespace fixpoint::store_contract {
namespace {

void require(bool holds, const char* what) {
    if (!holds) throw std::runtime_error(std::string("child process: ") + what);
}

void require_one_thread() {
    const std::filesystem::directory_iterator tasks("/proc/self/task");
    require(std::distance(begin(tasks), end(tasks)) == 1, "forked while threads run");
}

}  // namespace

void Child::Parent::tell(const std::string& line) const {
    const std::string whole = line + "\n";
    require(::write(to_, whole.data(), whole.size()) == static_cast<ssize_t>(whole.size()), "nobody listens");
}

void Child::Parent::wait_for_word() const {
    char word = 0;
    require(::read(from_, &word, 1) == 1, "nobody speaks");
}

Child::Child(const std::function<void(const Parent&)>& body) {
    require_one_thread();
    std::array<int, 2> out{}, in{};
    require(::pipe2(out.data(), O_CLOEXEC) == 0 && ::pipe2(in.data(), O_CLOEXEC) == 0, "no pipe");
    std::cout.flush();
    pid_ = ::fork();
    require(pid_ >= 0, "no fork");
    if (pid_ == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        ::close(out[0]);
        ::close(in[1]);
        int code = 0;
        try {
            body(Parent(out[1], in[0]));
        } catch (const std::exception& error) {
            std::cerr << "child: " << error.what() << std::endl;
            code = 1;
        }
        ::_exit(code);
    }
    ::close(out[1]);
    ::close(in[0]);
    from_child_ = out[0];
    to_child_ = in[1];
}

Child::Child(Child&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      from_child_(std::exchange(other.from_child_, -1)),
      to_child_(std::exchange(other.to_child_, -1)),
      unread_(std::move(other.unread_)) {}

Child::~Child() {
    if (pid_ > 0) {
        ::kill(pid_, SIGKILL);
        ended();
    }
    ::close(from_child_);
    ::close(to_child_);
}

void Child::go() const {
    require(::write(to_child_, "!", 1) == 1, "it listens no more");
}

std::optional<std::string> Child::line(std::chrono::nanoseconds limit) {
    const auto deadline = std::chrono::steady_clock::now() + limit;
    for (;;) {
        if (const std::size_t end = unread_.find('\n'); end != std::string::npos) {
            std::string line = unread_.substr(0, end);
            unread_.erase(0, end + 1);
            return line;
        }
        const auto left =
            std::max(deadline - std::chrono::steady_clock::now(), decltype(deadline)::duration(0));
        const timespec wait{left / std::chrono::seconds(1), (left % std::chrono::seconds(1)).count()};
        pollfd readable{from_child_, POLLIN, 0};
        if (::ppoll(&readable, 1, &wait, nullptr) <= 0) return std::nullopt;
        std::array<char, 4096> bytes{};
        const ssize_t count = ::read(from_child_, bytes.data(), bytes.size());
        if (count <= 0) return std::nullopt;
        unread_.append(bytes.data(), static_cast<std::size_t>(count));
    }
}

void Child::signal(int number) const {
    require(::kill(pid_, number) == 0, "it is gone");
}

void Child::wait_until_stopped() const {
    int status = 0;
    require(::waitpid(pid_, &status, WUNTRACED) == pid_ && WIFSTOPPED(status),
            "it ended where it should stop");
}

int Child::ended() {
    int status = 0;
    require(::waitpid(std::exchange(pid_, -1), &status, 0) > 0, "it cannot be waited for");
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace fixpoint::store_contract
