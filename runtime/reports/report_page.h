#pragma once

#include <string>
#include <vector>

#include "runtime/reports/run_record.h"

namespace negatron {

/// How every report begins, by which one is told from other files.
inline constexpr const char* kReportMark = "<!DOCTYPE html>\n<!-- negatron report -->";

/// One page of HTML that needs no network: curves of these runs laid over each other, their last figures, the settings
/// that differ, and baselines. Local.
std::string report_page(const std::vector<RunRecord>& runs);

/// The page without its runs: reports/page.html, which says where they stand.
extern const char* const kReportTemplate;

}  // namespace negatron
