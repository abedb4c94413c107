// The fixed parts of the page: style and behaviour as text. They name no server, font or script from
// elsewhere, so the page can be opened from a mail, without a network.
#pragma once

#include <string_view>

namespace fixpoint::reports {

std::string_view html_style();
std::string_view html_body();    // between <body> and the data
std::string_view html_script();  // after the data
std::string_view html_timeline_script();

}  // namespace fixpoint::reports
