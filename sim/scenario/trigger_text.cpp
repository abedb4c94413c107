// See trigger_text.hpp. A hand-written reader of a handful of sentences: words in order, each taken at most
// once.
#include "sim/scenario/trigger_text.hpp"

#include <charconv>
#include <utility>

#include "fixpoint/model/problem.hpp"
#include "fixpoint/ports/sql_statement.hpp"
#include "sim/scenario/nearest.hpp"

namespace fixpoint::sim {
namespace {

constexpr std::string_view forms =
    R"(forms: "statement N [NAME] [of RECOVERY] [by MANAGER] is about to be sent|was sent [to TABLET]|was answered [by TABLET]", )"
    R"("record N [by MANAGER] is about to be written|was written", "commit point N ...", "manager M is about to record_primary", "notification N [of MANAGER]")";

class Words {
  public:
    explicit Words(std::string_view text) {
        while (!text.empty()) {
            const std::size_t blank = text.find(' ');
            if (blank != 0) words_.push_back(text.substr(0, blank));
            text = blank == std::string_view::npos ? std::string_view() : text.substr(blank + 1);
        }
    }

    bool end() const { return at_ == words_.size(); }

    // All of these words, in order, or nothing is taken.
    bool take(std::string_view phrase) {
        const Words other(phrase);
        if (words_.size() - at_ < other.words_.size()) return false;
        for (std::size_t i = 0; i < other.words_.size(); ++i) {
            if (words_[at_ + i] != other.words_[i]) return false;
        }
        at_ += other.words_.size();
        return true;
    }

    std::string_view next() { return end() ? std::string_view() : words_[at_++]; }

    std::string rest() const {
        std::string text;
        for (std::size_t i = at_; i < words_.size(); ++i) {
            if (i != at_) text += ' ';
            text += words_[i];
        }
        return text;
    }

    std::string_view peek() const { return end() ? std::string_view() : words_[at_]; }

  private:
    std::vector<std::string_view> words_;
    std::size_t at_ = 0;
};

using Parsed = std::expected<FaultTrigger, std::string>;

std::unexpected<std::string> not_understood(const std::string& what) {
    return std::unexpected(what + "; " + std::string(forms));
}

std::expected<int, std::string> ordinal(Words& words) {
    const std::string_view text = words.next();
    int n = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
    if (error != std::errc() || end != text.data() + text.size() || n < 1) {
        return not_understood("a number from 1 is missing before \"" + std::string(text) + " " +
                              words.rest() + "\"");
    }
    return n;
}

bool is_statement(std::string_view name) {
    for (const std::string& known : statement_names()) {
        if (known == name) return true;
    }
    return false;
}

Parsed finish(Words& words, FaultTrigger trigger) {
    if (!words.end()) return not_understood("\"" + words.rest() + "\" is not understood");
    return trigger;
}

// After "statement N": [NAME] [of RECOVERY] [by MANAGER] and what becomes of it.
Parsed parse_statement(Words& words, FaultTrigger trigger) {
    trigger.event = "statement";
    const std::string_view peeked = words.peek();
    if (peeked != "of" && peeked != "by" && peeked != "is" && peeked != "was") {
        const std::string name(words.next());
        if (!is_statement(name)) {
            return std::unexpected("no statement is called \"" + name + "\"; " +
                                   suggest(name, statement_names()));
        }
        trigger.what = name;
    }
    if (words.take("of")) {
        trigger.recovery = std::string(words.next());
        if (!parse_recovery(trigger.recovery)) {
            return std::unexpected("no recovery is called \"" + trigger.recovery + "\"");
        }
    }
    if (words.take("by")) trigger.manager = std::string(words.next());
    bool by_tablet = false;
    if (words.take("is about to be sent")) {
        trigger.before = true;
    } else if (words.take("was sent")) {
        trigger.before = true;
        trigger.plus = just_sent;
    } else if (words.take("was answered")) {
        trigger.before = false;
        by_tablet = true;
    } else {
        return not_understood("what becomes of the statement is missing");
    }
    if (words.take(by_tablet ? "by" : "to")) trigger.tablet = std::string(words.next());
    return finish(words, trigger);
}

Parsed parse_written(Words& words, FaultTrigger trigger) {
    if (words.take("by")) trigger.manager = std::string(words.next());
    if (words.take("is about to be written")) {
        trigger.before = true;
    } else if (words.take("was written")) {
        trigger.before = false;
    } else {
        return not_understood("\"is about to be written\" or \"was written\" is missing");
    }
    return finish(words, trigger);
}

// After "manager M is about to".
Parsed parse_about_to(Words& words, FaultTrigger trigger) {
    const std::string what(words.next());
    if (what == "record_primary") {
        trigger.event = "commit_point";
    } else if (what == "write_record") {
        trigger.event = "record";
    } else if (is_statement(what)) {
        trigger.event = "statement";
        trigger.what = what;
        if (words.take("to")) trigger.tablet = std::string(words.next());
    } else {
        std::vector<std::string> known = statement_names();
        known.insert(known.end(), {"record_primary", "write_record"});
        return std::unexpected("a manager never does \"" + what + "\"; " + suggest(what, known));
    }
    return finish(words, trigger);
}

std::string written_text(std::string_view noun, const FaultTrigger& trigger) {
    std::string text = std::string(noun) + " " + std::to_string(trigger.nth);
    if (!trigger.manager.empty()) text += " by " + trigger.manager;
    return text + (trigger.before ? " is about to be written" : " was written");
}

std::string statement_text(const FaultTrigger& trigger) {
    std::string text = "statement " + std::to_string(trigger.nth);
    if (!trigger.what.empty()) text += " " + trigger.what;
    if (!trigger.recovery.empty()) text += " of " + trigger.recovery;
    if (!trigger.manager.empty()) text += " by " + trigger.manager;
    const bool sent = trigger.before && trigger.plus == just_sent;
    text += !trigger.before ? " was answered" : sent ? " was sent" : " is about to be sent";
    if (!trigger.tablet.empty()) text += (trigger.before ? " to " : " by ") + trigger.tablet;
    return text;
}

}  // namespace

std::vector<std::string> statement_names() {
    static const std::vector<std::string> names = []<std::size_t... I>(std::index_sequence<I...>) {
        return std::vector<std::string>{
            std::string(sql::name_of(std::variant_alternative_t<I, sql::Statement>{}))...};
    }(std::make_index_sequence<std::variant_size_v<sql::Statement>>());
    return names;
}

Parsed parse_trigger(std::string_view text) {
    Words words(text);
    FaultTrigger trigger;
    if (words.take("manager")) {
        trigger.manager = std::string(words.next());
        if (!words.take("is about to")) return not_understood("\"is about to\" is missing");
        return parse_about_to(words, trigger);
    }
    const bool statement = words.take("statement");
    const bool record = !statement && words.take("record");
    const bool commit_point = !statement && !record && words.take("commit point");
    const bool notification = !statement && !record && !commit_point && words.take("notification");
    if (!statement && !record && !commit_point && !notification) {
        return not_understood("\"" + std::string(text) + "\" is not understood");
    }
    const auto nth = ordinal(words);
    if (!nth) return std::unexpected(nth.error());
    trigger.nth = *nth;
    if (statement) return parse_statement(words, trigger);
    trigger.event = record ? "record" : commit_point ? "commit_point" : "notification";
    if (!notification) return parse_written(words, trigger);
    if (words.take("of")) trigger.manager = std::string(words.next());
    return finish(words, trigger);
}

bool plus_is_in_text(const FaultTrigger& trigger) {
    return trigger.event == "statement" && trigger.before && trigger.plus == just_sent;
}

std::string trigger_text(const FaultTrigger& trigger) {
    if (trigger.event == "statement") return statement_text(trigger);
    if (trigger.event == "record") return written_text("record", trigger);
    if (trigger.event == "commit_point") {
        if (!trigger.manager.empty() && trigger.nth == 1 && trigger.before) {
            return "manager " + trigger.manager + " is about to record_primary";
        }
        return written_text("commit point", trigger);
    }
    std::string text = "notification " + std::to_string(trigger.nth);
    if (!trigger.manager.empty()) text += " of " + trigger.manager;
    return text;
}

}  // namespace fixpoint::sim
