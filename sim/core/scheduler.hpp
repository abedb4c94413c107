// The virtual clock and the one run queue of a simulated world. All work belongs to a Process and runs at an
// instant; time passes only by jumping to the next piece of work. Events run by (time, order of scheduling),
// or, with Order::drawn, the process that runs next among those with work due is drawn from the chooser's
// stream "scheduler": each process keeps its own order, so no order is made that a real process could not
// see. It refuses to wait (nothing left to run is reported, not slept through), to run work of a dead
// process, and to read any clock but its own. Single-threaded. Knows nothing of MySQL, networks or Asio.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fixpoint/model/time.hpp"
#include "sim/core/action.hpp"
#include "sim/core/chooser.hpp"

namespace fixpoint::sim {

class Scheduler;
class Process;
struct Event;

// Goes into the event hash and the trace: what sort of work an event is.
enum class EventKind : std::uint8_t { timer, post, delivery, completion, client, fault, checker, other };

// A scheduled piece of work. Default-constructed: none. Stays valid (and useless) after the work ran.
struct TimerId {
    Event* event = nullptr;
    std::uint64_t sequence = 0;
    explicit operator bool() const { return event != nullptr; }
};

// Told of the end of a process, after its work was destroyed (not run). Not owned.
class KillListener {
  public:
    virtual ~KillListener() = default;
    virtual void on_kill(Process& process) = 0;
};

// Whatever can be killed, paused and restarted on its own: a manager, a mysqld, a store member, a client, and
// the nemesis and the checkers too. Made by Scheduler::add_process, lives as long as the scheduler.
class Process {
  public:
    const std::string& name() const { return name_; }
    std::uint32_t id() const { return id_; }
    bool alive() const { return alive_; }
    bool paused() const { return paused_; }
    // 1 at first; one more at each restart. Compare it to tell "the same process" from "its successor".
    std::uint32_t incarnation() const { return incarnation_; }

    void listen(KillListener& listener);
    void stop_listening(KillListener& listener);

    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;

  private:
    friend class Scheduler;
    struct Queue {  // of due events, oldest first
        Event* head = nullptr;
        Event* tail = nullptr;
    };
    Process(std::string name, std::uint32_t id) : name_(std::move(name)), id_(id) {}

    std::string name_;
    std::uint32_t id_;
    std::uint32_t incarnation_ = 1;
    bool alive_ = true;
    bool paused_ = false;
    bool sweep_pending_ = false;  // killed itself: swept when the running action has returned
    Queue ready_;                 // due, waiting for its turn (Order::drawn) or for the resume
    std::vector<KillListener*> listeners_;
};

enum class Order : std::uint8_t {
    fifo,   // by (time, order of scheduling); draws nothing
    drawn,  // among the processes with work due, one is drawn
};

// How a run_* call ended. `nothing_left` is an error of the world: somebody should have had a timer.
enum class RunEnd : std::uint8_t { reached, nothing_left, stopped, event_limit };

struct SchedulerCounters {
    std::uint64_t events = 0;        // actions run
    std::uint64_t timers = 0;        // of these: that had waited for an instant
    std::uint64_t cancelled = 0;     // taken back by cancel()
    std::uint64_t dropped_dead = 0;  // scheduled for a dead process, or swept at a kill
    std::uint64_t kills = 0, restarts = 0, pauses = 0, resumes = 0;
};

class Scheduler {
  public:
    // The chooser must outlive the scheduler.
    explicit Scheduler(Chooser& chooser, Order order = Order::drawn);
    // Kills every process, in the order in which they were added.
    ~Scheduler();
    Scheduler(const Scheduler&) = delete;
    Scheduler& operator=(const Scheduler&) = delete;

    // Virtual time; begins at Instant{}.
    Instant now() const { return now_; }

    Process& add_process(std::string name);
    const std::vector<std::unique_ptr<Process>>& processes() const { return processes_; }
    // Whose action runs now; nullptr outside of step().
    Process* current() const { return current_; }

    // Runs `action` as `process` at `when` (an instant in the past means now), after `delay`, or as soon as
    // its turn comes; never inside the call. For a dead process the action is destroyed at once and TimerId{}
    // returned. For a paused one it is held.
    TimerId at(Process& process, Instant when, Action action, EventKind kind = EventKind::timer);
    TimerId after(Process& process, Duration delay, Action action, EventKind kind = EventKind::timer);
    TimerId post(Process& process, Action action, EventKind kind = EventKind::post);

    // Takes the work back and destroys its action; false if it ran already, was cancelled or swept. Harmless
    // then.
    bool cancel(TimerId timer);
    bool pending(TimerId timer) const;

    // Destroys all work of the process without running it, then tells its listeners. A process that kills
    // itself is dead at once (what it schedules is dropped) and swept when its action has returned.
    void kill(Process& process);
    // A dead process lives again, with nothing to do. (Not in the action in which it killed itself.)
    void restart(Process& process);
    // Work that falls due is held in its order, and all runs, in that order, from the resume on (SIGSTOP).
    void pause(Process& process);
    void resume(Process& process);

    // Runs one event; false when nothing can run (no work, or only work held by paused processes).
    bool step();
    // Runs everything due up to and at `end`, then sets the clock to `end`. With nothing left before `end`:
    // nothing_left, the clock where it was.
    RunEnd run_until(Instant end);
    // Runs until `pred()` is false (asked before each event: reached), or time would pass `limit` (stopped).
    template <class Pred>
    RunEnd run_while(Pred pred, Instant limit = Instant::max()) {
        stop_requested_ = false;
        while (pred()) {
            if (const RunEnd end = advance(limit); end != RunEnd::reached) return end;
        }
        return RunEnd::reached;
    }
    // From inside an action: the run_* call returns `stopped` before the next event.
    void request_stop() { stop_requested_ = true; }
    // run_* returns event_limit once that many events ran in all (a guard against loops that pass no time).
    void set_event_limit(std::uint64_t events) { event_limit_ = events; }

    // The earliest instant at which an event may run; nullopt when there is none. (The events found there may
    // turn out to be a paused process's.)
    std::optional<Instant> next_event_at() const;

    Order order() const { return order_; }
    void set_order(Order order);
    Chooser& chooser() { return chooser_; }

    // Over (time, process, kind) of every event run and every note: equal hashes, equal runs.
    std::uint64_t event_hash() const { return hash_; }
    // Mixes what an action did into the hash (a packet's fate, a statement's result).
    void note(std::uint64_t payload) { mix(payload); }
    const SchedulerCounters& counters() const { return counters_; }

  private:
    struct HeapEntry {
        std::int64_t time;
        std::uint64_t sequence;
        Event* event;
    };

    Event* make_event(Process& process, Action&& action, EventKind kind);
    void recycle(Event* event);
    void make_ready(Event* event);
    Event* pop_ready();
    void hold(Process& process);
    void collect_due();
    void run(Event* event);
    RunEnd advance(Instant limit);
    void sweep(Process& process);
    void unlink(Event* event);
    void take_all(Process& process, std::vector<Event*>& taken);
    static void append(Process::Queue& queue, Event* event);
    static void remove(Process::Queue& queue, Event* event);
    void heap_push(HeapEntry entry);
    Event* heap_pop();
    void heap_erase(std::uint32_t position);
    void sift_up(std::uint32_t position, HeapEntry entry);
    void sift_down(std::uint32_t position, HeapEntry entry);
    bool has_ready() const { return order_ == Order::fifo ? ready_.head != nullptr : !bag_.empty(); }
    void mix(std::uint64_t value) {
        hash_ = (hash_ ^ value) * 0x9E3779B97F4A7C15ULL;
        hash_ ^= hash_ >> 29;
    }

    Chooser& chooser_;
    Stream stream_;
    Order order_;
    bool stop_requested_ = false;
    Instant now_{};
    std::uint64_t sequence_ = 0;
    std::uint64_t hash_ = 0xcbf29ce484222325ULL;
    std::uint64_t event_limit_ = ~std::uint64_t{0};
    SchedulerCounters counters_;
    Process* current_ = nullptr;
    std::vector<HeapEntry> heap_;  // timers: indexed 4-ary heap by (time, sequence)
    Process::Queue ready_;         // due work, Order::fifo
    std::vector<Process*> bag_;    // processes with due work, Order::drawn
    Event* free_ = nullptr;
    std::vector<std::unique_ptr<Event[]>> slabs_;
    std::vector<std::unique_ptr<Process>> processes_;
};

}  // namespace fixpoint::sim
