// How long things take on a server: ranges from which each duration is drawn. Measured on MySQL 9.7 where a
// line of the contract gives a figure (its number stands beside it), plausible elsewhere.
#pragma once

#include <chrono>

#include "fixpoint/model/time.hpp"

namespace fixpoint::sim::mysql {

struct Range {
    Duration least{};
    Duration most{};
};

namespace timing {
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

inline constexpr Range login{microseconds(150), microseconds(600)};
inline constexpr Range statement{microseconds(20), microseconds(120)};     // parsing, until it begins to act
inline constexpr Range between_values{microseconds(0), microseconds(20)};  // of one look
inline constexpr Range execution{microseconds(50), microseconds(300)};     // of a write, until it is durable
inline constexpr Range application{microseconds(60), microseconds(400)};   // the same, by the applier
inline constexpr Range death_of_idle{microseconds(50), milliseconds(6)};   // M37
inline constexpr Range death_in_statement{microseconds(100), milliseconds(25)};  // M53
inline constexpr Range semi_sync_off{milliseconds(350), milliseconds(900)};      // M15
inline constexpr Range semi_sync_on{microseconds(300), microseconds(700)};
inline constexpr Range thread_start{microseconds(100), milliseconds(1)};
inline constexpr Range thread_stop{microseconds(200), milliseconds(3)};
inline constexpr Range change_source{milliseconds(1), milliseconds(6)};
inline constexpr Range handshake{microseconds(400), milliseconds(2)};       // of a receiver at its source
inline constexpr Range ack_listening{milliseconds(0), milliseconds(1000)};  // M34
inline constexpr Range server_start{milliseconds(300), milliseconds(900)};
inline constexpr Range statements_end_at_shutdown{milliseconds(5), milliseconds(60)};
inline constexpr Range dump_threads_outlive_clients{milliseconds(8'000), milliseconds(8'500)};  // M58
inline constexpr Range idle_outlive_dump_threads{milliseconds(1'500), milliseconds(3'000)};     // M58
inline constexpr Range shutdown{milliseconds(20), milliseconds(300)};
inline constexpr Duration forgotten_peer = seconds(60);  // a dump thread whose peer is silent gives up
inline constexpr int acks_heard_at_once_permille = 350;  // M34: in the others the acknowledgement waits
}  // namespace timing

}  // namespace fixpoint::sim::mysql
