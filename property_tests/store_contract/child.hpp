// Another process on the same file. It is forked from the test before the test opens a store of its own (a
// connection must not be carried over a fork, and threads are not), talks back in lines, and dies with the
// test.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <optional>
#include <string>

namespace fixpoint::store_contract {

class Child {
  public:
    // What a child may do with its parent.
    class Parent {
      public:
        explicit Parent(int to, int from) : to_(to), from_(from) {}
        void tell(const std::string& line) const;
        void wait_for_word() const;  // a go() of the parent's

      private:
        int to_, from_;
    };

    explicit Child(const std::function<void(const Parent&)>& body);
    ~Child();
    Child(Child&& other) noexcept;
    Child& operator=(Child&&) = delete;

    pid_t pid() const { return pid_; }
    void go() const;
    // The next line; nothing when the child has ended or stays silent for that long.
    std::optional<std::string> line(std::chrono::nanoseconds limit = std::chrono::seconds(30));
    void signal(int number) const;
    void wait_until_stopped() const;  // by a SIGSTOP
    // How it ended: its exit code, or minus the signal.
    int ended();

  private:
    pid_t pid_ = -1;
    int from_child_ = -1, to_child_ = -1;
    std::string unread_;
};

}  // namespace fixpoint::store_contract
