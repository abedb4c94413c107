// The judge's books: what was in force when, what became of each write, what faults touched, what managers
// said. Why one place: every checker reads the same facts, each gathered once from what was reported. They
// refuse to conclude: no entry says that something is right or wrong.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "fixpoint/sim/judge_event.hpp"
#include "fixpoint/sim/run.hpp"
#include "fixpoint/sim/scenario.hpp"
#include "sim/checkers/as_declared.hpp"
#include "sim/checkers/checker.hpp"
#include "sim/checkers/fault_ends.hpp"

namespace fixpoint::sim {

// Between two commit points. The first may have begun before the run.
struct TermBook {
    Instant began;
    std::int64_t term = 0;
    RecordedServer primary;
    bool unfenced = false;  // the goal allowed this promotion without a fence
};

struct WriteBook {
    struct Begun {
        TabletAlias tablet;
        int term = -1;  // index into terms; -1: nothing was in force
        Instant at;
    };
    struct Acknowledged {  // by a server
        TabletAlias tablet;
        int term = -1;            // in which it was begun there
        DurabilityPolicy policy;  // in force at that moment
        Instant at;
        bool privileged = false;
        bool excused = false;  // the server was writable or weak by hand, or was being shut down
    };
    std::vector<Begun> begun;
    std::vector<Acknowledged> acknowledged;
    bool told = false;  // a client saw it succeed
    Instant told_at;
    bool privileged = false;
    std::string by_hand;                // why it is excused: a fault by hand touched it; "" : it is not
    std::set<TabletAlias> copies_lost;  // to faults, by a restart or by hand
    bool number_reused = false;         // by hand, where its copy was lost: two writes bear one GTID

    // Judged by I2: told to an ordinary client, under a policy with k >= 1.
    bool counts() const { return told && !privileged && k() > 0; }
    int k() const { return acknowledged.empty() ? 0 : acknowledged.back().policy.ackers_needed; }
};

struct Refusal {
    Instant at;
    std::string manager;
    ProblemKey key;
    Reason reason = Reason::none;
    std::string text;
};

// As much of the record as the servers bore out when it was written.
struct Believed {
    GtidSet opened_at, high_water, retired;
    std::vector<TabletAlias> ackers;  // less whoever had its acknowledgements off at that commit
};

// What a person did to a tablet's acknowledgements, and no step has come to its receiver since.
struct AcksByHand {
    bool switched_on = false;        // or its receiver was pointed somewhere
    std::optional<Instant> unnamed;  // since when the record in force names it no more
};

struct Books {
    explicit Books(const Scenario& of) : scenario(of) {}
    void on(Instant at, const JudgeEvent& event, WorldView& view);
    // Clauses of the state as it is now were computed: tablets that have none are no longer touched by
    // faults.
    void saw(const WorldState& state, const std::vector<Clause>& unmet);

    // A fault of that kind was delivered on that tablet.
    bool struck(FaultKind kind, const TabletAlias& tablet) const;
    // The instant at which it was over. None: it goes on.
    std::optional<Instant> over(const DeliveredFault& fault) const {
        return sim::over(fault, delivered, faults_ceased);
    }

    const Scenario scenario;
    Phase phase = Phase::boot;
    std::optional<Instant> faults_ceased;

    // What Fixpoint itself wrote last; what a person edits into its record is not in force, but a fault.
    RecordInForce in_force;
    std::vector<TermBook> terms;
    int commit_points = 0;  // of the run, that of the boot not counted
    Believed believed;

    std::map<WriteId, WriteBook> writes;
    std::int64_t told = 0, failed = 0, unknown = 0;
    std::optional<Instant> first_told, last_told;
    Duration blocked_longest{};

    std::map<TabletAlias, std::string> weakened;  // writable or weak by hand: what it acknowledges is excused
    std::set<TabletAlias> stepped;                // of these: a step has set semi-sync there since
    std::set<TabletAlias> started_by_hand;        // its next start is without its persisted settings
    std::set<TabletAlias> touched;  // a fault may have taken its mark, since it last was as declared
    std::map<TabletAlias, AcksByHand> acks_by_hand;  // acknowledges, or would, by no step's doing
    std::set<TabletAlias> closed_by_hand;            // and no step has closed or opened it since
    std::set<TabletAlias> acks_set;                  // a step has set them, and not yet started the receiver
    std::set<TabletAlias> dropped_by_hand;        // a person may have dropped its relay log; until it stops
    std::map<TabletAlias, WriteIds> disk_before;  // of those stopped, or about to be: what they had

    std::map<FaultKind, FaultCount> fault_counts;
    std::vector<DeliveredFault> delivered;
    Instant last_delivered;

    std::map<std::string, std::vector<ProblemKey>> looked;  // each manager's last look
    std::set<ProblemKey> reported;                          // since faults ceased
    std::map<ProblemKey, Refusal> refusals;                 // since faults ceased, the latest of each
    std::vector<Recovery> recoveries;                       // that acted
    struct UnderWay {
        Recovery recovery = Recovery::none;
        TabletAlias tablet;  // that it is at work on; none: the shard
        Instant began;
    };
    std::map<std::string, UnderWay> under_way;  // of each manager

  private:
    struct Visitor;
    void no_longer_weak(const TabletAlias& tablet);
    int term_index() const { return static_cast<int>(terms.size()) - 1; }
    // In books_record.cpp.
    void written(Instant at, const RecordWritten& e, WorldView& view);
    void edited_by_hand(Instant at, const RecordWritten& e, WorldView& view);
    void begin_term(Instant at, const FixpointRecord& record, bool unfenced);
    void believe(const FixpointRecord& after, const WorldState& state);
    void acted(const std::string& manager);
};

bool is_reported(const Books& books, const TabletAlias& tablet);

}  // namespace fixpoint::sim
