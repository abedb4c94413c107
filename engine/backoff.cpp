// See backoff.hpp.
#include "engine/backoff.hpp"

#include <algorithm>

namespace fixpoint {

namespace {

class Mixer {
  public:
    void operator()(std::uint64_t v) { h_ = (h_ ^ v) * 1099511628211ULL; }
    std::uint64_t value() const { return h_; }

  private:
    std::uint64_t h_ = 1469598103934665603ULL;
};

void mix_text(Mixer& mix, const std::string& text) {
    for (const char c : text) mix(static_cast<unsigned char>(c));
}

void mix_tablet(Mixer& mix, const TabletView& t) {
    mix(static_cast<std::uint64_t>(t.answering));
    mix(static_cast<std::uint64_t>(t.tablet.type));
    mix(t.forgotten ? 1 : 0);
    if (!t.now) return;
    const sql::ServerRow& s = t.now->server();
    mix((s.read_only ? 1u : 0u) | (s.super_read_only ? 2u : 0u) | (s.offline_mode ? 4u : 0u) |
        (s.semi_sync_source_enabled ? 8u : 0u) | (s.semi_sync_replica_enabled ? 16u : 0u) |
        (s.semi_sync_plugins ? 32u : 0u));
    mix(s.server_uuid.low);
    mix(static_cast<std::uint64_t>(s.server_id));
    mix(static_cast<std::uint64_t>(s.semi_sync_source_wait_for_replica_count));
    mix(t.now->answer.persisted.size());
    mix(t.server_lock_of_other || t.helper_lock_of_other ? 1 : 0);
    if (const sql::ReplicaRow* c = t.now->channel()) {
        mix_text(mix, c->source.host);
        mix(c->source.port);
        mix(static_cast<std::uint64_t>(c->receiver));
        mix(static_cast<std::uint64_t>(c->receiver_errno));
        mix((c->applier_running ? 1u : 0u) | (t.now->answer.semi_sync.replica_status ? 2u : 0u));
        mix(static_cast<std::uint64_t>(c->applier_errno));
    }
}

}  // namespace

std::uint64_t fingerprint(const View& view, const ProblemKey& key) {
    Mixer mix;
    if (const FixpointRecord* record = view.fixpoint()) {
        mix(static_cast<std::uint64_t>(record->term));
        mix(static_cast<std::uint64_t>(record->revision));
    }
    mix(static_cast<std::uint64_t>(view.records.shard_version));
    mix(static_cast<std::uint64_t>(view.declared_policy().name));
    mix(static_cast<std::uint64_t>(view.declared_policy().ackers_needed));
    mix(view.goal().paused ? 1 : 0);
    mix(view.goal().allowed.size() * 16 + view.goal().forgotten.size());
    if (view.goal().pinned_primary) mix_text(mix, view.goal().pinned_primary->to_string());
    for (const TabletView& t : view.tablets) {
        if (!key.tablet || t.alias() == key.tablet || view.is_primary(t)) mix_tablet(mix, t);
    }
    return mix.value();
}

bool Backoff::may_try(const ProblemKey& key, std::uint64_t fingerprint, Instant now) const {
    const auto it = entries_.find(key);
    if (it == entries_.end()) return true;
    return it->second.fingerprint != fingerprint || now >= it->second.next;
}

void Backoff::tried(const ProblemKey& key, std::uint64_t fingerprint) {
    Entry& entry = entries_[key];
    if (entry.fingerprint != fingerprint) entry.failures = 0;
    entry.fingerprint = fingerprint;
    entry.to_be_judged = true;
    entry.refused = false;
}

void Backoff::refused(const ProblemKey& key) {
    const auto it = entries_.find(key);
    if (it != entries_.end()) it->second.refused = true;
}

void Backoff::looked(const std::vector<ProblemKey>& holds, Instant now, const Limits& limits) {
    for (auto it = entries_.begin(); it != entries_.end();) {
        const bool still = std::find(holds.begin(), holds.end(), it->first) != holds.end();
        Entry& entry = it->second;
        if (entry.to_be_judged && (still || entry.refused)) {
            ++entry.failures;
            Duration wait = Duration::zero();  // the first retry is at once
            if (entry.failures >= 2) {
                const int doublings = std::min(entry.failures - 2, 16);
                wait = std::min(limits.backoff_greatest, limits.backoff_first * (1 << doublings));
            }
            entry.next = now + wait;
            entry.to_be_judged = entry.refused = false;
        } else if (entry.to_be_judged) {
            // Gone for now. A row that a repair hides for a moment (a closed P hides a wish) keeps its count
            // until the time it would have been tried again has passed.
            entry.to_be_judged = false;
            if (entry.failures == 0) {
                it = entries_.erase(it);
                continue;
            }
        } else if (!still && now >= entry.next + limits.backoff_greatest) {
            it = entries_.erase(it);
            continue;
        }
        ++it;
    }
}

std::uint64_t Backoff::digest() const {
    Mixer mix;
    for (const auto& [key, entry] : entries_) {
        mix(static_cast<std::uint64_t>(key.problem));
        mix_text(mix, key.tablet.to_string());
        mix(static_cast<std::uint64_t>(std::min(entry.failures, 8)));
    }
    return mix.value();
}

}  // namespace fixpoint
