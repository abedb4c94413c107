// Uuids, GTIDs and GTID sets as text, in MySQL's own forms: what SHOW, @@gtid_executed and people write.
// Parsing accepts whatever order and overlap there is; printing has one form only, MySQL's.
// Refuses to guess: a text that MySQL would not take is an error that names the place.
#include <algorithm>
#include <array>
#include <limits>

#include "engine/model/text.hpp"
#include "fixpoint/model/gtid_set.hpp"

namespace fixpoint {

namespace {

constexpr std::size_t uuid_length = 36;
constexpr std::size_t tag_length = 32;
constexpr std::array<std::size_t, 4> dashes = {8, 13, 18, 23};
constexpr std::int64_t greatest_number =
    std::numeric_limits<std::int64_t>::max() - 1;  // MySQL's GNO_END is exclusive

int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\v' || c == '\f';
}
bool begins_tag(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

class Parser {
  public:
    explicit Parser(std::string_view text) : text_(text) {}

    std::expected<GtidSet, std::string> run() {
        GtidSet set;
        skip_space();
        while (!at_end()) {
            if (take(',')) {  // MySQL lets commas stand alone
                skip_space();
                continue;
            }
            if (!one_uuid(set)) return std::unexpected(std::move(error_));
        }
        return set;
    }

  private:
    // A uuid without numbers, or a tag without any, is an empty set to MySQL, and no error.
    bool one_uuid(GtidSet& set) {
        Tsid tsid;
        if (!uuid(tsid.uuid)) return false;
        skip_space();
        while (take(':')) {
            skip_space();
            if (!at_end() && begins_tag(text_[at_])) {
                if (!one_tag(tsid.tag)) return false;
            } else if (!one_interval(set, tsid)) {
                return false;
            }
        }
        return at_end() || text_[at_] == ',' || fail("',' or the end was expected");
    }

    // MySQL takes 8-4-4-4-12 digits, the same in braces, and 32 digits without dashes.
    bool uuid(Uuid& out) {
        const bool braces = take('{');
        const std::string_view digits = text_.substr(at_, 32);
        const bool plain = digits.size() == 32 && digits.find('-') == std::string_view::npos;
        const std::size_t length = plain ? digits.size() : uuid_length;
        std::string dashed(text_.substr(at_, length));
        if (plain) {
            for (const std::size_t dash : dashes) dashed.insert(dash, 1, '-');
        }
        const auto parsed = Uuid::parse(dashed);
        if (!parsed) return fail("a server's UUID was expected: " + parsed.error());
        out = *parsed;
        at_ += length;
        return !braces || take('}') || fail("'}' was expected");
    }

    bool one_tag(std::string& tag) {
        tag.clear();
        while (!at_end() && (begins_tag(text_[at_]) || is_digit(text_[at_]))) {
            const char c = text_[at_++];
            tag.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
        }
        if (tag.size() > tag_length) return fail("the tag has more than 32 characters");
        skip_space();
        return true;
    }

    bool one_interval(GtidSet& set, const Tsid& tsid) {
        std::int64_t first = 0;
        if (!number(first)) return false;
        if (first == 0) return fail("transaction numbers begin at 1");
        std::int64_t last = first;
        skip_space();
        if (take('-')) {
            skip_space();
            if (!number(last)) return false;
            skip_space();
        }
        set.add(tsid, GtidInterval{first, last});  // a reversed interval is empty, as in MySQL
        return true;
    }

    bool number(std::int64_t& out) {
        if (at_end() || !is_digit(text_[at_])) return fail("a transaction number was expected");
        out = 0;
        while (!at_end() && is_digit(text_[at_])) {
            const int digit = text_[at_] - '0';
            if (out > (greatest_number - digit) / 10) return fail("the transaction number is too great");
            out = out * 10 + digit;
            ++at_;
        }
        return true;
    }

    bool at_end() const { return at_ >= text_.size(); }
    bool take(char c) {
        if (at_end() || text_[at_] != c) return false;
        ++at_;
        return true;
    }
    void skip_space() {
        while (!at_end() && is_space(text_[at_])) ++at_;
    }
    bool fail(std::string what) {
        error_ =
            "GTID set, at character " + std::to_string(at_ + 1) + ": " + what +
            (at_end() ? " (the text ends there)" : " (there stands '" + quoted(text_.substr(at_, 20)) + "')");
        return false;
    }

    std::string_view text_;
    std::size_t at_ = 0;
    std::string error_;
};

void print_tsid(std::string& out, const Tsid& tsid) {
    out += tsid.uuid.to_string();
    if (!tsid.tag.empty()) out += ':' + tsid.tag;
}

}  // namespace

std::expected<Uuid, std::string> Uuid::parse(std::string_view text) {
    if (text.size() != uuid_length) {
        return std::unexpected("a UUID has 36 characters, '" + quoted(text) + "' has " +
                               std::to_string(text.size()));
    }
    Uuid uuid;
    int digits = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (std::ranges::find(dashes, i) != dashes.end()) {
            if (text[i] != '-') {
                return std::unexpected("UUID '" + quoted(text) + "': character " + std::to_string(i + 1) +
                                       " should be '-'");
            }
            continue;
        }
        const int value = hex_value(text[i]);
        if (value < 0) {
            return std::unexpected("UUID '" + quoted(text) + "': character " + std::to_string(i + 1) +
                                   " is not a hexadecimal digit");
        }
        std::uint64_t& half = digits < 16 ? uuid.high : uuid.low;
        half = half << 4 | static_cast<std::uint64_t>(value);
        ++digits;
    }
    return uuid;
}

std::string Uuid::to_string() const {
    constexpr std::string_view hex = "0123456789abcdef";
    std::string out;
    out.reserve(uuid_length);
    for (int digit = 0; digit < 32; ++digit) {
        if (digit == 8 || digit == 12 || digit == 16 || digit == 20) out.push_back('-');
        const std::uint64_t half = digit < 16 ? high : low;
        out.push_back(hex[half >> (60 - 4 * (digit % 16)) & 0xf]);
    }
    return out;
}

std::string Gtid::to_string() const {
    std::string out;
    print_tsid(out, tsid);
    return out + ':' + std::to_string(number);
}

std::expected<GtidSet, std::string> GtidSet::parse(std::string_view text) {
    return Parser(text).run();
}

std::string GtidSet::to_string() const {
    std::string out;
    const Uuid* uuid = nullptr;
    for (const Entry& entry : entries_) {
        if (uuid && *uuid == entry.tsid.uuid) {
            out += ':' + entry.tsid.tag;  // several tags stand behind one uuid
        } else {
            if (uuid) out.push_back(',');
            print_tsid(out, entry.tsid);
        }
        uuid = &entry.tsid.uuid;
        for (const GtidInterval& interval : entry.intervals) {
            out += ':' + std::to_string(interval.first);
            if (interval.last != interval.first) out += '-' + std::to_string(interval.last);
        }
    }
    return out;
}

}  // namespace fixpoint
