// One test per clause of "as declared": a converged state made by hand, in which that clause alone is wrong.
// Why: written against states, not against the code that it will judge.
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "property_tests/support/state_builder.hpp"
#include "sim/checkers/as_declared.hpp"

namespace fixpoint::sim {
namespace {

using testing::alias_of;
using testing::gtids;
using testing::recorded;
using testing::semi_sync;
using testing::StateBuilder;
using testing::uuid_of;
using Spoil = std::function<void(StateBuilder&)>;

std::string unmet(const WorldState& state) {
    std::string all;
    for (const Clause& c : as_declared(state)) {
        const std::string one = std::string(to_string(c.name)) + (c.tablet ? "@" + c.tablet.to_string() : "");
        if (all.find(one) == std::string::npos) all += (all.empty() ? "" : " ") + one;
    }
    return all;
}

std::string unmet_after(const Spoil& spoil, StateBuilder builder = StateBuilder{}) {
    spoil(builder);
    return unmet(builder.state);
}

TEST(AsDeclared, ConvergedShardsAreAsDeclaredUnderEachPolicy) {
    EXPECT_EQ(unmet(StateBuilder{}.state), "");
    EXPECT_EQ(unmet(StateBuilder(2).state), "");
    EXPECT_EQ(unmet(StateBuilder(5, semi_sync(2)).state), "");
    EXPECT_EQ(unmet(StateBuilder(3, {DurabilityName::none, 0}).state), "");
    EXPECT_EQ(unmet(StateBuilder(4, {DurabilityName::cross_cell, 1}).state), "");
}

TEST(AsDeclared, ShardAndFixpointNameOnePrimary) {
    EXPECT_EQ(unmet_after([](auto& b) { b.state.store.shard->primary_alias = alias_of(2); }),
              "one_primary_named");
    EXPECT_EQ(unmet_after([](auto& b) { b.state.store.shard->primary_alias.reset(); }), "one_primary_named");
    EXPECT_EQ(unmet_after([](auto& b) { b.state.store.shard.reset(); }), "one_primary_named");
    EXPECT_EQ(unmet_after([](auto& b) { b.state.store.fixpoint.reset(); }), "one_primary_named");
    EXPECT_EQ(unmet_after([](auto& b) { b.state.store.shard->primary_term_start_time = {1}; }),
              "one_primary_named");
    EXPECT_EQ(unmet_after([](auto& b) { b.goal().pinned_primary = alias_of(2); }), "one_primary_named");
    EXPECT_EQ(unmet_after([](auto& b) { b.goal().pinned_primary = alias_of(1); }), "");
}

TEST(AsDeclared, ThePrimaryIsTheRecordedServer) {
    EXPECT_EQ(unmet_after([](auto& b) { b.row(1).server_uuid = uuid_of(9); }), "primary_uuid@zone1-100");
}

TEST(AsDeclared, ThePrimaryServes) {
    for (const Spoil& spoil : std::vector<Spoil>{[](auto& b) { b.row(1).read_only = true; },
                                                 [](auto& b) { b.row(1).super_read_only = true; },
                                                 [](auto& b) { b.row(1).offline_mode = true; },
                                                 [](auto& b) { b.server(1).closing_pending = true; },
                                                 [](auto& b) { b.server(1).channels.emplace_back(); }}) {
        EXPECT_EQ(unmet_after(spoil), "primary_serves@zone1-100");
    }
    EXPECT_EQ(unmet_after([](auto& b) { b.server(1).up = false; }), "primary_serves@zone1-100");
    EXPECT_EQ(unmet_after([](auto& b) { b.server(1).paused = true; }), "primary_serves@zone1-100");
}

TEST(AsDeclared, ThePrimarysSemiSyncIsWhole) {
    for (const Spoil& spoil : std::vector<Spoil>{
             [](auto& b) { b.row(1).semi_sync_source_enabled = false; },
             [](auto& b) { b.row(1).semi_sync_source_timeout_ms = 10'000; },
             [](auto& b) { b.row(1).semi_sync_source_wait_no_replica = false; },
             [](auto& b) { b.row(1).semi_sync_source_wait_for_replica_count = 2; },
             [](auto& b) { b.row(1).semi_sync_source_wait_point = sql::WaitPoint::after_commit; }}) {
        EXPECT_EQ(unmet_after(spoil), "primary_semi_sync@zone1-100");
    }
    EXPECT_EQ(unmet_after([](auto& b) { b.row(1).semi_sync_source_enabled = true; },
                          StateBuilder(3, {DurabilityName::none, 0})),
              "primary_semi_sync@zone1-100");
}

TEST(AsDeclared, WhatThePrimaryExecutedIsItsOwnOrAdopted) {
    const Spoil foreign = [](auto& b) {
        for (int n = 1; n <= 3; ++n) b.row(n).gtid_executed.add(gtids(7, 1, 2));
    };
    EXPECT_EQ(unmet_after(foreign), "primary_foreign@zone1-100");
    EXPECT_EQ(unmet_after([&](auto& b) { foreign(b), b.record().adopted = gtids(7, 1, 2); }), "");
}

TEST(AsDeclared, ThePolicyInForceIsTheDeclaredOne) {
    EXPECT_EQ(unmet_after([](auto& b) { b.state.store.keyspace->durability_policy = semi_sync(2); }),
              "policy_in_force");
    EXPECT_EQ(unmet_after([](auto& b) { b.state.store.keyspace.reset(); }), "policy_in_force");
}

TEST(AsDeclared, TheAckersAreThoseThatMayAcknowledge) {
    EXPECT_EQ(unmet_after([](auto& b) {
                  b.record().ackers.pop_back();
                  b.row(3).semi_sync_replica_enabled = b.server(3).semi_sync.replica_status = false;
              }),
              "acker_missing@zone3-300");
    EXPECT_EQ(unmet_after([](auto& b) { b.tablet(3).type = TabletType::rdonly; }), "acker_extra@zone3-300");
    EXPECT_EQ(unmet_after([](auto& b) { b.record().ackers[1].uuid = uuid_of(9); }),
              "acker_missing@zone3-300");
    // Nobody of P's own cell under cross_cell.
    EXPECT_EQ(unmet_after(
                  [](auto& b) {
                      b.record().primary.alias.cell = b.server(1).alias.cell = "zone3";
                      auto t = b.tablet(1);
                      b.state.store.tablets.erase(alias_of(1));
                      t.alias.cell = "zone3";
                      b.state.store.tablets[t.alias] = t;
                      b.state.store.shard->primary_alias = t.alias;
                      b.state.core.tablets[0] = t.alias;
                  },
                  StateBuilder(3, {DurabilityName::cross_cell, 1})),
              "acker_extra@zone3-300");
}

TEST(AsDeclared, EveryTabletOfTheCoreAnswers) {
    EXPECT_EQ(unmet_after([](auto& b) { b.server(2).up = false; }), "tablet_answers@zone2-200");
    EXPECT_EQ(unmet_after([](auto& b) { b.server(2).paused = true; }), "tablet_answers@zone2-200");
    EXPECT_EQ(unmet_after([](auto& b) { b.server(2).manageable = false; }), "tablet_answers@zone2-200");
    EXPECT_EQ(unmet_after([](auto& b) { b.kill(2); }), "tablet_answers@zone2-200");
}

TEST(AsDeclared, ReplicasAreReadOnly) {
    for (const Spoil& spoil :
         std::vector<Spoil>{[](auto& b) { b.row(2).super_read_only = false; },
                            [](auto& b) { b.row(2).super_read_only = b.row(2).read_only = false; },
                            [](auto& b) { b.row(2).offline_mode = true; },
                            [](auto& b) { b.server(2).closing_pending = true; }}) {
        EXPECT_EQ(unmet_after(spoil), "tablet_read_only@zone2-200");
    }
}

TEST(AsDeclared, ReplicasReceiveFromThePrimary) {
    for (const Spoil& spoil :
         std::vector<Spoil>{[](auto& b) { b.channel(2).receiver = sql::ThreadState::no; },
                            [](auto& b) { b.channel(2).receiver = sql::ThreadState::connecting; },
                            [](auto& b) { b.channel(2).applier_running = false; },
                            [](auto& b) { b.channel(2).source = testing::address_of(3); },
                            [](auto& b) { b.server(2).channels.clear(); },
                            [](auto& b) { b.channel(2).channel = "other"; }}) {
        EXPECT_EQ(unmet_after(spoil), "tablet_receives@zone2-200");
    }
}

TEST(AsDeclared, WhoTriesToReceiveFromADeadPrimaryDoesWhatWasAskedFor) {
    EXPECT_EQ(unmet_after([](auto& b) { b.kill_primary(); }), "primary_serves@zone1-100");
    EXPECT_EQ(unmet_after([](auto& b) { b.kill_primary(), b.channel(2).receiver = sql::ThreadState::no; }),
              "primary_serves@zone1-100 tablet_receives@zone2-200");
}

TEST(AsDeclared, AcknowledgementsAreExactlyAsASays) {
    EXPECT_EQ(unmet_after([](auto& b) { b.row(2).semi_sync_replica_enabled = false; }),
              "tablet_acks@zone2-200");
    EXPECT_EQ(unmet_after([](auto& b) { b.server(2).semi_sync.replica_status = false; }),
              "tablet_acks@zone2-200");
    EXPECT_EQ(unmet_after([](auto& b) { b.row(2).semi_sync_replica_enabled = true; },
                          StateBuilder(3, {DurabilityName::none, 0})),
              "tablet_acks@zone2-200");
}

TEST(AsDeclared, ChannelsHaveTheProtocolsOptions) {
    for (const Spoil& spoil :
         std::vector<Spoil>{[](auto& b) { b.channel(2).heartbeat_period = std::chrono::seconds(30); },
                            [](auto& b) { b.channel(2).connect_retry_s = 60; },
                            [](auto& b) { b.channel(2).retry_count = 10; },
                            [](auto& b) { b.channel(2).auto_position = false; }}) {
        EXPECT_EQ(unmet_after(spoil), "tablet_channel@zone2-200");
    }
}

TEST(AsDeclared, SourceSideSemiSyncIsOffOnReplicas) {
    EXPECT_EQ(unmet_after([](auto& b) { b.row(2).semi_sync_source_enabled = true; }),
              "tablet_source_semi_sync@zone2-200");
}

TEST(AsDeclared, NoServerIdWouldBeRenewed) {
    EXPECT_EQ(unmet_after([](auto& b) { b.row(2).server_id = 1; }), "tablet_server_id@zone2-200");
    EXPECT_EQ(unmet_after([](auto& b) { b.record().past_primaries = {recorded(7)}, b.row(2).server_id = 7; }),
              "tablet_server_id@zone2-200");
    EXPECT_EQ(unmet_after([](auto& b) { b.record().past_primaries = {recorded(2)}; }), "");
    // It lost transactions of its own, and the primary has them.
    EXPECT_EQ(unmet_after([](auto& b) {
                  b.record().opened_at.add(gtids(2, 1, 3));
                  b.row(1).gtid_executed.add(gtids(2, 1, 3));
                  b.row(3).gtid_executed.add(gtids(2, 1, 3));
              }),
              "tablet_server_id@zone2-200 tablet_skips@zone2-200");
}

TEST(AsDeclared, ReplicasHaveNothingThatThePrimaryLacks) {
    EXPECT_EQ(unmet_after([](auto& b) { b.row(2).gtid_executed.add(gtids(2, 1, 1)); }),
              "tablet_errant@zone2-200");
    EXPECT_EQ(unmet_after([](auto& b) { b.channel(2).retrieved.add(gtids(7, 1, 1)); }),
              "tablet_errant@zone2-200");
    // What the primary itself still waits for is nobody's error.
    EXPECT_EQ(unmet_after([](auto& b) { b.row(2).gtid_executed.add(gtids(1, 15, 16)); }), "");
}

TEST(AsDeclared, NothingIsPassedOver) {
    EXPECT_EQ(unmet_after([](auto& b) {
                  b.row(2).gtid_executed = gtids(1, 1, 7);
                  b.row(2).gtid_executed.add(gtids(1, 9, 14));
              }),
              "tablet_skips@zone2-200");
    EXPECT_EQ(unmet_after([](auto& b) { b.row(2).gtid_executed = gtids(1, 1, 12); }),
              "tablet_skips@zone2-200");
    EXPECT_EQ(unmet_after([](auto& b) {
                  b.server(2).relay_log_readable = false;
                  b.server(2).writes_received = {11};
              }),
              "tablet_skips@zone2-200");
    // One that goes round in its relay log's index will not apply what comes either; one that only reads
    // does.
    const auto only_reads = [](bool readable) {
        return [readable](auto& b) {
            b.channel(2).applier_only_reads = true;
            b.server(2).relay_log_readable = readable;
        };
    };
    EXPECT_EQ(unmet_after(only_reads(false)), "tablet_skips@zone2-200");
    EXPECT_EQ(unmet_after(only_reads(true)), "");
    // What the term began with comes before what its primary wrote, whoever wrote it.
    EXPECT_EQ(unmet_after([](auto& b) {
                  b.record().opened_at.add(gtids(7, 1, 3));
                  for (int i : {1, 3}) b.row(i).gtid_executed.add(gtids(7, 1, 3));
                  b.row(2).gtid_executed.add(gtids(7, 1, 2));
              }),
              "tablet_skips@zone2-200");
    // Lagging is not skipping.
    EXPECT_EQ(unmet_after([](auto& b) {
                  b.row(2).gtid_executed = gtids(1, 1, 12), b.channel(2).applier_idle = false;
              }),
              "");
}

TEST(AsDeclared, PluginsAreThereWhereTheyAreNeeded) {
    EXPECT_EQ(unmet_after([](auto& b) { b.row(2).semi_sync_plugins = false; }), "tablet_plugins@zone2-200");
    EXPECT_EQ(unmet_after([](auto& b) { b.row(2).semi_sync_plugins = false; },
                          StateBuilder(3, {DurabilityName::none, 0})),
              "");
}

TEST(AsDeclared, SettingsAreAsTheProtocolHasThem) {
    EXPECT_EQ(unmet_after([](auto& b) { b.row(2).replica_net_timeout_s = 60; }),
              "settings_at_run_time@zone2-200");
    EXPECT_EQ(unmet_after([](auto& b) { b.row(1).stop_replica_timeout_s = 31536000; }),
              "settings_at_run_time@zone1-100");
}

TEST(AsDeclared, EachPersistedSettingIsNeeded) {
    for (const auto& [variable, value] : testing::persisted_whole()) {
        EXPECT_EQ(unmet_after([v = variable](auto& b) { b.server(1).persisted.erase(v); }),
                  "settings_persisted@zone1-100")
            << to_string(variable);
        EXPECT_EQ(unmet_after([v = variable](auto& b) { b.server(2).persisted[v] = 77'000'000; }) != "",
                  variable != sql::Variable::rpl_semi_sync_source_wait_for_replica_count)
            << to_string(variable);
    }
    EXPECT_EQ(unmet_after([](auto& b) { b.row(2).persisted_globals_load = false; }),
              "acker_extra@zone2-200 settings_persisted@zone2-200");
}

TEST(AsDeclared, TabletRecordsSayWhatIsInForce) {
    EXPECT_EQ(unmet_after([](auto& b) { b.tablet(1).type = TabletType::replica; }),
              "tablet_record@zone1-100");
    EXPECT_EQ(unmet_after([](auto& b) { b.tablet(1).primary_term_start_time = {999}; }),
              "tablet_record@zone1-100");
    EXPECT_EQ(unmet_after([](auto& b) { b.tablet(2).type = TabletType::primary; }),
              "tablet_record@zone2-200");
    EXPECT_EQ(unmet_after([](auto& b) {
                  b.tablet(2).type = TabletType::drained;
                  b.tablet(2).tags["fixpoint_was"] = "replica";
              }),
              "tablet_record@zone2-200");
}

TEST(AsDeclared, TheRecordOfADeadTabletIsKeptTrueToo) {
    EXPECT_EQ(unmet_after([](auto& b) { b.kill(2), b.tablet(2).type = TabletType::primary; }),
              "tablet_answers@zone2-200 tablet_record@zone2-200");
}

TEST(AsDeclared, NothingRetiredIsKeptThatIsNowhere) {
    EXPECT_EQ(unmet_after([](auto& b) { b.record().retired = {{gtids(7, 1, 2), {alias_of(2)}}}; }),
              "retired_kept");
    // Not while somebody who may have it is out of reach, or has left.
    EXPECT_EQ(unmet_after([](auto& b) {
                  b.record().retired = {{gtids(7, 1, 2), {alias_of(2)}}};
                  b.server(2).up = false;
              }),
              "tablet_answers@zone2-200");
    EXPECT_EQ(unmet_after([](auto& b) { b.record().retired = {{gtids(7, 1, 2), {alias_of(9)}}}; }), "");
}

TEST(AsDeclared, TheJournalHasTheTermAndTheRevision) {
    EXPECT_EQ(unmet_after([](auto& b) { b.record().revision = 1; }), "journal@zone1-100");
    EXPECT_EQ(unmet_after([](auto& b) { b.server(1).journal[0].uuid = uuid_of(9); }), "journal@zone1-100");
    EXPECT_EQ(unmet_after([](auto& b) { b.server(1).journal[0].shard.shard = "80-"; }), "journal@zone1-100");
}

TEST(AsDeclared, AJournalThatIsNewerThanTheRecordSaysThatItWasSetBack) {
    const auto newer = [](auto& b) {
        sql::JournalRow row = b.server(3).journal[0];
        ++row.revision;
        b.server(3).journal.push_back(row);
    };
    EXPECT_EQ(unmet_after(newer), "journal@zone1-100");
    EXPECT_EQ(unmet_after([&](auto& b) { newer(b), b.server(3).journal[1].uuid = uuid_of(9); }), "")
        << "of nobody";
    EXPECT_EQ(unmet_after([&](auto& b) { newer(b), b.server(3).journal[1].shard.shard = "80-"; }), "");
}

TEST(AsDeclared, AJournalRowOfATabletThatNobodyDeclaresCountsWhereShardNamesIt) {
    const auto newer = [](auto& b) {
        sql::JournalRow row = b.server(2).journal[0];
        ++row.term;
        row.alias = alias_of(3);
        row.uuid = uuid_of(3);
        b.server(2).journal.push_back(row);
        b.state.store.tablets.erase(alias_of(3));
        b.record().ackers.pop_back();
    };
    EXPECT_EQ(unmet_after(newer), "");
    EXPECT_EQ(unmet_after([&](auto& b) { newer(b), b.state.store.shard->primary_alias = alias_of(3); }),
              "one_primary_named journal@zone1-100");
}

TEST(AsDeclared, ATabletWhoseRecordWasDeletedIsOfThisShardNoMore) {
    EXPECT_EQ(unmet_after(
                  [](auto& b) {
                      b.state.store.tablets.erase(alias_of(3));
                      b.row(3).semi_sync_plugins = b.row(3).super_read_only = false;
                  },
                  StateBuilder(3, {DurabilityName::none, 0})),
              "");
    EXPECT_EQ(unmet_after([](auto& b) { b.state.store.tablets.erase(alias_of(3)); }),
              "acker_extra@zone3-300");
    EXPECT_EQ(unmet_after([](auto& b) { b.state.store.tablets.erase(alias_of(1)); }), "");
}

TEST(AsDeclared, NobodyDeadHoldsALock) {
    EXPECT_EQ(unmet_after([](auto& b) { b.state.store.shard_lock = LockState{7, "m2", false, false}; }),
              "lock_of_the_dead");
    EXPECT_EQ(unmet_after([](auto& b) { b.state.store.shard_lock = LockState{7, "m1", true, false}; }), "");
    EXPECT_EQ(unmet_after([](auto& b) { b.server(2).server_lock = LockSession{5, "m2", false}; }),
              "lock_of_the_dead@zone2-200");
    EXPECT_EQ(unmet_after([](auto& b) { b.server(2).helper_lock = LockSession{5, "m2", false}; }),
              "lock_of_the_dead@zone2-200");
    EXPECT_EQ(unmet_after([](auto& b) { b.server(2).rebuild_lock = LockSession{5, "m1", true}; }), "");
    // Nor does one that lives, once its operation has ended.
    for (const char* holder : {"m1", "m2", ""}) {
        EXPECT_EQ(unmet_after([&](auto& b) {
                      b.server(2).server_lock = LockSession{5, "m1", true};
                      if (*holder != 0) b.state.store.shard_lock = LockState{7, holder, true, false};
                  }),
                  std::string(holder) == "m1" ? "" : "lock_of_the_dead@zone2-200")
            << holder;
    }
    EXPECT_EQ(unmet_after([](auto& b) {
                  b.server(3).server_lock = LockSession{5, "m2", false};
                  std::erase(b.state.core.tablets, alias_of(3));
              }),
              "tablet_answers@zone3-300")
        << "nobody can get there to free it";
}

}  // namespace
}  // namespace fixpoint::sim
