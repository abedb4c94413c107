// The chooser's generators, its recording and its playback.
// Why by hand: the same seed must give the same run with every compiler and library.
#include "sim/core/chooser.hpp"

#include <algorithm>
#include <bit>

#include "fixpoint/model/assert.hpp"

namespace fixpoint::sim {

namespace {

std::uint64_t splitmix64(std::uint64_t& state) {
    std::uint64_t z = (state += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
}

// FNV-1a: not std::hash, whose value is each library's own.
std::uint64_t hash_of_name(std::string_view name) {
    std::uint64_t hash = 0xcbf29ce484222325ULL;
    for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
    return hash;
}

}  // namespace

Generator::Generator(std::uint64_t seed) {
    for (std::uint64_t& word : state_) word = splitmix64(seed);
}

std::uint64_t Generator::next() {
    const std::uint64_t result = std::rotl(state_[0] + state_[3], 23) + state_[0];
    const std::uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = std::rotl(state_[3], 45);
    return result;
}

std::uint64_t Generator::below(std::uint64_t n) {
    __extension__ using Wide = unsigned __int128;
    return static_cast<std::uint64_t>((Wide{next()} * n) >> 64);
}

Chooser::Chooser(std::uint64_t seed) : seed_(seed) {}

Chooser::Chooser(std::uint64_t seed, const ChoiceSequence& recorded, Afterwards afterwards)
    : seed_(seed), replaying_(true), afterwards_(afterwards) {
    for (const Choice& choice : recorded.choices) {
        if (choice.stream >= recorded.streams.size())
            continue;  // an edited file: the choice belongs to nobody
        to_replay_[recorded.streams[choice.stream]].push_back(choice.answer);
    }
}

Stream Chooser::stream(std::string_view name) {
    if (const auto found = index_.find(name); found != index_.end()) return Stream{found->second};
    const auto index = static_cast<std::uint32_t>(streams_.size());
    std::uint64_t seed = seed_;
    const std::uint64_t mixed = splitmix64(seed) ^ hash_of_name(name);
    StreamState state{std::string(name), Generator(mixed), {}};
    if (const auto found = to_replay_.find(name); found != to_replay_.end()) state.replay = found->second;
    streams_.push_back(std::move(state));
    index_.emplace(std::string(name), index);
    return Stream{index};
}

const std::string& Chooser::name(Stream stream) const {
    return streams_[stream.index].name;
}

std::uint64_t Chooser::answer(StreamState& stream, std::uint64_t n) {
    if (strategy_ != nullptr) {
        if (const auto given = strategy_->answer(stream.name, n)) return std::min(*given, n - 1);
    }
    if (replaying_) {
        if (stream.replay_at < stream.replay.size())
            return std::min(stream.replay[stream.replay_at++], n - 1);
        if (afterwards_ == Afterwards::zero) return 0;
    }
    return stream.generator.below(n);
}

std::uint64_t Chooser::choose(Stream stream, std::uint64_t n) {
    FIXPOINT_ASSERT(n > 0, "a choice among nothing");
    if (n == 1) return 0;
    const std::uint64_t chosen = answer(streams_[stream.index], n);
    ++choices_made_;
    if (recording_) recorded_.push_back(Choice{stream.index, n, chosen});
    return chosen;
}

std::int64_t Chooser::range(Stream stream, std::int64_t lo, std::int64_t hi) {
    FIXPOINT_ASSERT(lo <= hi, "an empty range");
    const std::uint64_t span = static_cast<std::uint64_t>(hi) - static_cast<std::uint64_t>(lo);
    FIXPOINT_ASSERT(span != ~std::uint64_t{0}, "a range as wide as all numbers");
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(lo) + choose(stream, span + 1));
}

Duration Chooser::duration(Stream stream, Duration lo, Duration hi) {
    return Duration(range(stream, lo.count(), hi.count()));
}

bool Chooser::chance(Stream stream, int permille) {
    if (permille <= 0) return false;
    if (permille >= 1000) return true;
    // Zero must be the tame answer, so it is the highest ones that strike.
    return choose(stream, 1000) >= static_cast<std::uint64_t>(1000 - permille);
}

ChoiceSequence Chooser::recorded() const {
    ChoiceSequence sequence;
    sequence.streams.reserve(streams_.size());
    for (const StreamState& stream : streams_) sequence.streams.push_back(stream.name);
    sequence.choices = recorded_;
    return sequence;
}

}  // namespace fixpoint::sim
