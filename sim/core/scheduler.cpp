// The run queue: a 4-ary heap of timers, and the work that is due.
// Invariant: the heap holds only what is due after now(); all that is due stands in a ready queue, so that
// work posted now never overtakes a timer of the same process that fell due at the same instant.
// It refuses to be re-entered: an action must not call step() or run_*().
#include "sim/core/scheduler.hpp"

#include <algorithm>

#include "fixpoint/model/assert.hpp"

namespace fixpoint::sim {

namespace {
constexpr std::uint32_t events_per_slab = 128;
constexpr std::uint32_t heap_arity = 4;
}  // namespace

struct Event {
    enum class Where : std::uint8_t { nowhere, heap, shared_queue, own_queue };

    Action action;
    Process* process = nullptr;
    Event* next = nullptr;
    Event* previous = nullptr;
    std::uint64_t sequence = 0;  // 0: not pending; a TimerId with another sequence is stale
    std::uint32_t position = 0;  // in the heap
    Where where = Where::nowhere;
    EventKind kind = EventKind::other;
};

void Process::listen(KillListener& listener) {
    listeners_.push_back(&listener);
}
void Process::stop_listening(KillListener& listener) {
    std::erase(listeners_, &listener);
}

Scheduler::Scheduler(Chooser& chooser, Order order)
    : chooser_(chooser), stream_(chooser.stream("scheduler")), order_(order) {}

Scheduler::~Scheduler() {
    for (std::size_t i = 0; i < processes_.size(); ++i) kill(*processes_[i]);
}

Process& Scheduler::add_process(std::string name) {
    const auto id = static_cast<std::uint32_t>(processes_.size());
    processes_.push_back(std::unique_ptr<Process>(new Process(std::move(name), id)));
    return *processes_.back();
}

// ---- scheduling

Event* Scheduler::make_event(Process& process, Action&& action, EventKind kind) {
    if (free_ == nullptr) {
        slabs_.push_back(std::make_unique<Event[]>(events_per_slab));
        for (std::uint32_t i = 0; i < events_per_slab; ++i) recycle(&slabs_.back()[i]);
    }
    Event* event = free_;
    free_ = event->next;
    event->action = std::move(action);
    event->process = &process;
    event->sequence = ++sequence_;
    event->kind = kind;
    return event;
}

void Scheduler::recycle(Event* event) {
    event->next = free_;
    free_ = event;
}

TimerId Scheduler::at(Process& process, Instant when, Action action, EventKind kind) {
    if (!process.alive_) {
        ++counters_.dropped_dead;
        return {};
    }
    Event* event = make_event(process, std::move(action), kind);
    if (when <= now_) {
        make_ready(event);
    } else {
        event->where = Event::Where::heap;
        heap_push({when.time_since_epoch().count(), event->sequence, event});
    }
    return {event, event->sequence};
}

TimerId Scheduler::after(Process& process, Duration delay, Action action, EventKind kind) {
    return at(process, delay > Instant::max() - now_ ? Instant::max() : now_ + delay, std::move(action),
              kind);
}

TimerId Scheduler::post(Process& process, Action action, EventKind kind) {
    return at(process, now_, std::move(action), kind);
}

bool Scheduler::pending(TimerId timer) const {
    return timer.event != nullptr && timer.event->sequence == timer.sequence;
}

bool Scheduler::cancel(TimerId timer) {
    if (!pending(timer)) return false;
    unlink(timer.event);
    timer.event->sequence = 0;
    ++counters_.cancelled;
    timer.event->action.reset();  // may schedule, cancel and kill in turn: the event is in no queue any more
    recycle(timer.event);
    return true;
}

// ---- queues

void Scheduler::append(Process::Queue& queue, Event* event) {
    event->next = nullptr;
    event->previous = queue.tail;
    (queue.tail != nullptr ? queue.tail->next : queue.head) = event;
    queue.tail = event;
}

void Scheduler::remove(Process::Queue& queue, Event* event) {
    (event->previous != nullptr ? event->previous->next : queue.head) = event->next;
    (event->next != nullptr ? event->next->previous : queue.tail) = event->previous;
}

void Scheduler::make_ready(Event* event) {
    Process& process = *event->process;
    if (order_ == Order::fifo && !process.paused_) {
        event->where = Event::Where::shared_queue;
        append(ready_, event);
        return;
    }
    if (process.ready_.head == nullptr && !process.paused_) bag_.push_back(&process);
    event->where = Event::Where::own_queue;
    append(process.ready_, event);
}

void Scheduler::unlink(Event* event) {
    Process& process = *event->process;
    switch (event->where) {
        case Event::Where::heap:
            heap_erase(event->position);
            break;
        case Event::Where::shared_queue:
            remove(ready_, event);
            break;
        case Event::Where::own_queue:
            remove(process.ready_, event);
            if (process.ready_.head == nullptr) std::erase(bag_, &process);
            break;
        case Event::Where::nowhere:
            FIXPOINT_ASSERT(false, "an event in no queue is not pending");
    }
    event->where = Event::Where::nowhere;
}

Event* Scheduler::pop_ready() {
    Event* event = ready_.head;
    if (order_ == Order::drawn) event = bag_[chooser_.choose(stream_, bag_.size())]->ready_.head;
    unlink(event);
    return event;
}

// All that is due at the next instant becomes ready before any of it runs.
void Scheduler::collect_due() {
    const std::int64_t due = heap_.front().time;
    now_ = Instant(Duration(due));
    while (!heap_.empty() && heap_.front().time == due) {
        ++counters_.timers;
        make_ready(heap_pop());
    }
}

// ---- the loop

void Scheduler::run(Event* event) {
    struct Finish {  // also when the action throws
        Scheduler& scheduler;
        Process& process;
        Event* event;
        ~Finish() {
            event->action.reset();
            scheduler.recycle(event);
            scheduler.current_ = nullptr;
            if (process.sweep_pending_) scheduler.sweep(process);
        }
    };
    Process& process = *event->process;
    event->sequence = 0;
    ++counters_.events;
    mix(static_cast<std::uint64_t>(now_.time_since_epoch().count()));
    mix(std::uint64_t{process.id_} << 8 | static_cast<std::uint64_t>(event->kind));
    current_ = &process;
    const Finish finish{*this, process, event};
    event->action();
}

RunEnd Scheduler::advance(Instant limit) {
    FIXPOINT_ASSERT(current_ == nullptr, "an action must not run the scheduler");
    if (stop_requested_) return RunEnd::stopped;
    if (counters_.events >= event_limit_) return RunEnd::event_limit;
    while (!has_ready()) {
        if (heap_.empty()) return RunEnd::nothing_left;
        if (Instant(Duration(heap_.front().time)) > limit) return RunEnd::stopped;
        collect_due();
    }
    run(pop_ready());
    return RunEnd::reached;
}

bool Scheduler::step() {
    stop_requested_ = false;
    return advance(Instant::max()) == RunEnd::reached;
}

RunEnd Scheduler::run_until(Instant end) {
    stop_requested_ = false;
    for (;;) {
        const RunEnd last = advance(end);
        if (last == RunEnd::reached) continue;
        if (last != RunEnd::stopped || stop_requested_) return last;
        now_ = std::max(now_, end);
        return RunEnd::reached;
    }
}

std::optional<Instant> Scheduler::next_event_at() const {
    if (has_ready()) return now_;
    if (heap_.empty()) return std::nullopt;
    return Instant(Duration(heap_.front().time));
}

// ---- processes

void Scheduler::kill(Process& process) {
    if (!process.alive_) return;
    process.alive_ = false;
    ++counters_.kills;
    if (current_ == &process) {
        process.sweep_pending_ = true;
    } else {
        sweep(process);
    }
}

void Scheduler::take_all(Process& process, std::vector<Event*>& taken) {
    for (const HeapEntry& entry : heap_) {
        if (entry.event->process == &process) taken.push_back(entry.event);
    }
    for (Event* event = ready_.head; event != nullptr; event = event->next) {
        if (event->process == &process) taken.push_back(event);
    }
    for (Event* event = process.ready_.head; event != nullptr; event = event->next) taken.push_back(event);
    for (Event* event : taken) unlink(event);
    std::ranges::sort(taken, {}, &Event::sequence);
}

void Scheduler::sweep(Process& process) {
    process.sweep_pending_ = false;
    process.paused_ = false;
    std::vector<Event*> dead;
    take_all(process, dead);
    counters_.dropped_dead += dead.size();
    for (Event* event : dead) event->sequence = 0;  // what a destructor cancels is gone already
    for (Event* event : dead) {
        event->action.reset();
        recycle(event);
    }
    const std::vector<KillListener*> listeners = process.listeners_;
    for (KillListener* listener : listeners) {
        const bool still_there = std::ranges::find(process.listeners_, listener) != process.listeners_.end();
        if (still_there) listener->on_kill(process);
    }
}

void Scheduler::restart(Process& process) {
    FIXPOINT_ASSERT(!process.alive_, "only a dead process can be restarted");
    FIXPOINT_ASSERT(!process.sweep_pending_,
                    "a process cannot restart in the action in which it killed itself");
    process.alive_ = true;
    ++process.incarnation_;
    ++counters_.restarts;
}

// Takes the due work of the process out of the queues that the loop looks at.
void Scheduler::hold(Process& process) {
    std::erase(bag_, &process);
    for (Event* event = ready_.head; event != nullptr;) {
        Event* next = event->next;
        if (event->process == &process) {
            remove(ready_, event);
            event->where = Event::Where::own_queue;
            append(process.ready_, event);
        }
        event = next;
    }
}

void Scheduler::pause(Process& process) {
    if (!process.alive_ || process.paused_) return;
    process.paused_ = true;
    ++counters_.pauses;
    hold(process);
}

void Scheduler::resume(Process& process) {
    if (!process.paused_) return;
    process.paused_ = false;
    ++counters_.resumes;
    Process::Queue held = std::exchange(process.ready_, {});
    for (Event* event = held.head; event != nullptr;) {
        Event* next = event->next;
        make_ready(event);
        event = next;
    }
}

void Scheduler::set_order(Order order) {
    if (order == order_) return;
    std::vector<Event*> due;
    for (Event* event = ready_.head; event != nullptr; event = event->next) due.push_back(event);
    for (Process* process : bag_) {
        for (Event* event = process->ready_.head; event != nullptr; event = event->next) due.push_back(event);
    }
    for (Event* event : due) unlink(event);
    std::ranges::sort(due, {}, &Event::sequence);
    order_ = order;
    for (Event* event : due) make_ready(event);
}

// ---- the heap

namespace {
// One comparison of 128 bits instead of a branch; times are never negative.
template <class Entry>
bool earlier(const Entry& a, const Entry& b) {
    __extension__ using Wide = unsigned __int128;
    return (Wide{static_cast<std::uint64_t>(a.time)} << 64 | a.sequence) <
           (Wide{static_cast<std::uint64_t>(b.time)} << 64 | b.sequence);
}
}  // namespace

void Scheduler::heap_push(HeapEntry entry) {
    heap_.push_back(entry);
    sift_up(static_cast<std::uint32_t>(heap_.size() - 1), entry);
}

Event* Scheduler::heap_pop() {
    Event* event = heap_.front().event;
    heap_erase(0);
    return event;
}

void Scheduler::heap_erase(std::uint32_t position) {
    const HeapEntry last = heap_.back();
    heap_.pop_back();
    if (position == heap_.size()) return;
    if (position > 0 && earlier(last, heap_[(position - 1) / heap_arity])) {
        sift_up(position, last);
    } else {
        sift_down(position, last);
    }
}

void Scheduler::sift_up(std::uint32_t position, HeapEntry entry) {
    while (position > 0) {
        const std::uint32_t parent = (position - 1) / heap_arity;
        if (!earlier(entry, heap_[parent])) break;
        heap_[position] = heap_[parent];
        heap_[position].event->position = position;
        position = parent;
    }
    heap_[position] = entry;
    entry.event->position = position;
}

void Scheduler::sift_down(std::uint32_t position, HeapEntry entry) {
    const auto size = static_cast<std::uint32_t>(heap_.size());
    for (;;) {
        const std::uint32_t first = position * heap_arity + 1;
        if (first >= size) break;
        std::uint32_t least = first;
        for (std::uint32_t child = first + 1; child < std::min(first + heap_arity, size); ++child) {
            if (earlier(heap_[child], heap_[least])) least = child;
        }
        if (!earlier(heap_[least], entry)) break;
        heap_[position] = heap_[least];
        heap_[position].event->position = position;
        position = least;
    }
    heap_[position] = entry;
    entry.event->position = position;
}

}  // namespace fixpoint::sim
