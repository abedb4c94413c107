// The suite as JUnit XML, which CI systems show: a test suite for each group, a test case for each run.
#include <map>

#include <fmt/format.h>

#include "reports/report.hpp"

namespace fixpoint::reports {
namespace {

// XML 1.0 knows no control characters, not even escaped ones.
std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
        switch (c) {
            case '&':
                out += "&amp;";
                break;
            case '<':
                out += "&lt;";
                break;
            case '>':
                out += "&gt;";
                break;
            case '"':
                out += "&quot;";
                break;
            case '\n':
                out += "&#10;";
                break;
            default:
                out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
        }
    }
    return out;
}

std::string case_xml(const Case& one) {
    std::string xml =
        fmt::format("    <testcase classname=\"{}\" name=\"{}\" time=\"{:.6f}\"",
                    escaped(one.run.scenario.group), escaped(one.title()), one.run.wall_seconds);
    if (one.passed()) return xml + "/>\n";
    return xml + fmt::format(">\n      <failure message=\"{}\" type=\"{}\">{}</failure>\n    </testcase>\n",
                             escaped(one.failure), verdict_word(one.run.verdict),
                             escaped("fixpoint-sim replay " + one.token));
}

}  // namespace

std::string junit_report(const Suite& suite) {
    std::map<std::string, std::vector<const Case*>> groups;
    for (const Case& one : suite.cases) groups[one.run.scenario.group].push_back(&one);
    std::string xml = fmt::format(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"{}\" tests=\"{}\" failures=\"{}\" "
        "time=\"{:.3f}\">\n",
        escaped(suite.title), suite.cases.size(), suite.failed(), suite.wall_seconds);
    for (const auto& [group, cases] : groups) {
        std::size_t failures = 0;
        double seconds = 0;
        std::string body;
        for (const Case* one : cases) {
            failures += one->passed() ? 0 : 1;
            seconds += one->run.wall_seconds;
            body += case_xml(*one);
        }
        xml += fmt::format(
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" time=\"{:.6f}\">\n{}  </testsuite>\n",
            escaped(group), cases.size(), failures, seconds, body);
    }
    return xml + "</testsuites>\n";
}

}  // namespace fixpoint::reports
