// All chance there is in a run. Every decision is `choose(stream, n)`: a number in [0, n) drawn on a named
// stream. A stream's generator is seeded by (seed, name) alone, so removing one fault or one link does not
// shift what another one draws. Answers can be recorded and played back; a played back answer is clamped to
// the bound of the question, so every edited recording is still a valid run. Zero is always the tamest answer
// (first, shortest, no fault), so zeroing a recording makes a run simpler.
// It refuses std:: distributions (they differ between libraries) and any entropy but the seed.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fixpoint/model/time.hpp"

namespace fixpoint::sim {

// xoshiro256++; seeded through splitmix64.
class Generator {
  public:
    explicit Generator(std::uint64_t seed);
    std::uint64_t next();
    // Uniform in [0, n), n > 0.
    std::uint64_t below(std::uint64_t n);

  private:
    std::uint64_t state_[4];
};

// An interned stream name. Cheap to copy; valid for the Chooser that made it.
struct Stream {
    std::uint32_t index = 0;
    bool operator==(const Stream&) const = default;
};

// One answer: on which stream (an index into ChoiceSequence::streams), out of how many, and which.
struct Choice {
    std::uint32_t stream = 0;
    std::uint64_t bound = 0;
    std::uint64_t answer = 0;
    bool operator==(const Choice&) const = default;
};

// What was chosen in a run, in order. The replay file, and what the shrinker edits.
struct ChoiceSequence {
    std::vector<std::string> streams;
    std::vector<Choice> choices;
    bool operator==(const ChoiceSequence&) const = default;
};

// Another way to answer than by the stream's generator (systematic, PCT, a fuzzer's bytes).
// nullopt leaves the question to the generator; an answer is clamped to n - 1.
class Strategy {
  public:
    virtual ~Strategy() = default;
    virtual std::optional<std::uint64_t> answer(std::string_view stream, std::uint64_t n) = 0;
};

class Chooser {
  public:
    explicit Chooser(std::uint64_t seed);

    // Plays `recorded` back, each stream on its own; a stream that has run out answers as `afterwards` says.
    enum class Afterwards { generator, zero };
    Chooser(std::uint64_t seed, const ChoiceSequence& recorded, Afterwards afterwards);

    Chooser(const Chooser&) = delete;
    Chooser& operator=(const Chooser&) = delete;

    std::uint64_t seed() const { return seed_; }

    // The stream of that name; the same name gives the same stream. Intern once, keep the Stream.
    Stream stream(std::string_view name);
    const std::string& name(Stream stream) const;

    // Uniform in [0, n). n must be > 0; n == 1 answers 0 and neither draws nor records.
    std::uint64_t choose(Stream stream, std::uint64_t n);

    // Uniform in [lo, hi], both included; lo <= hi.
    std::int64_t range(Stream stream, std::int64_t lo, std::int64_t hi);
    Duration duration(Stream stream, Duration lo, Duration hi);

    // True in `permille` of 1000 cases; <= 0 never, >= 1000 always (neither draws).
    bool chance(Stream stream, int permille);

    // One of `items`, which must not be empty.
    template <class T>
    const T& pick(Stream stream, std::span<const T> items) {
        return items[static_cast<std::size_t>(choose(stream, items.size()))];
    }
    template <class T>
    const T& pick(Stream stream, const std::vector<T>& items) {
        return pick(stream, std::span<const T>(items));
    }

    // Recording is off until asked for.
    void record(bool on) { recording_ = on; }
    ChoiceSequence recorded() const;

    // Asked before the recording and the generator; not owned; nullptr takes it away.
    void use(Strategy* strategy) { strategy_ = strategy; }

    // How many answers were given (n == 1 not counted).
    std::uint64_t choices_made() const { return choices_made_; }

  private:
    struct StreamState {
        std::string name;
        Generator generator;
        std::vector<std::uint64_t> replay;  // answers still to be played back, from `replay_at`
        std::size_t replay_at = 0;
    };

    std::uint64_t answer(StreamState& stream, std::uint64_t n);

    std::uint64_t seed_;
    std::vector<StreamState> streams_;
    std::map<std::string, std::uint32_t, std::less<>> index_;
    std::map<std::string, std::vector<std::uint64_t>, std::less<>> to_replay_;
    std::vector<Choice> recorded_;
    Strategy* strategy_ = nullptr;
    std::uint64_t choices_made_ = 0;
    bool recording_ = false;
    bool replaying_ = false;
    Afterwards afterwards_ = Afterwards::generator;
};

}  // namespace fixpoint::sim
