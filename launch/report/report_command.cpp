#include "launch/report/report_command.h"

#include <filesystem>
#include <fstream>
#include <ostream>

#include "launch/exit_code.h"
#include "launch/flags/flag_table.h"
#include "launch/flags/number_fields.h"
#include "launch/one_process.h"
#include "launch/report/run_pictures.h"
#include "runtime/reports/report_page.h"
#include "runtime/snapshots/files/new_path.h"
#include "runtime/snapshots/files/posix_file_layer.h"

namespace negatron {
namespace {

namespace fs = std::filesystem;

constexpr const char* kReportUsage =
    "usage: negatron report RUN... [FLAGS]\n\n"
    "One page of HTML without network: curves of these runs laid over each other, last figures, settings that differ,\n"
    "and pictures of the bank's hardest negatives.\n";

/// On one page.
constexpr std::int64_t kMostPictures = 10'000;

struct ReportRequest {
  std::vector<std::string> runs;
  std::string target;
  PictureOptions pictures;
};

FlagTable report_flags(ReportRequest& request) {
  FlagTable flags;
  flags.add("out", &request.target, "the page; else RUN/report.html of the first run");
  flags.add("pictures", within(&request.pictures.samples, 0, kMostPictures),
            "samples whose hardest negatives are shown, 0 for none");
  flags.words(&request.runs);
  return flags;
}

/// An older report gives way; what is no report does not.
void check_target(const fs::path& target) {
  if (!fs::exists(target)) return;
  std::ifstream file(target);
  std::string start(std::string(kReportMark).size(), '\0');
  file.read(start.data(), static_cast<std::streamsize>(start.size()));
  if (!file || start != kReportMark) {
    throw UsageError("'" + target.string() + "' is there and is no report; --out names another file.");
  }
}

/// A page without pictures is a page; what is missing is said.
void add_pictures(RunRecord& record, const PictureOptions& options, std::ostream& remarks) {
  std::string why_not;
  record.pictures = run_pictures(record.name, options, why_not);
  if (!why_not.empty()) remarks << "negatron: note: no pictures of '" << record.name << "': " << why_not << "\n";
}

}  // namespace

void print_report_completions(std::ostream& out) {
  ReportRequest defaults;
  report_flags(defaults).print_completions(out);
}

int run_report(const std::vector<std::string>& arguments, std::ostream& out, std::ostream& problems) {
  return run_one_process("report", problems, [&]() -> int {
    ReportRequest request;
    const auto& [runs, target, pictures] = request;
    FlagTable flags = report_flags(request);
    if (!flags.parse(arguments)) {
      flags.print_help(out, kReportUsage);
      return kExitOk;
    }
    if (runs.empty()) throw UsageError("no run directory was given; negatron report --help says more.");
    const fs::path page = target.empty() ? fs::path(runs.front()) / "report.html" : fs::path(target);
    std::vector<RunRecord> records;
    for (const std::string& run : runs) records.push_back(read_run_record(run));
    check_target(page);
    if (pictures.samples > 0) {
      for (RunRecord& record : records) add_pictures(record, pictures, problems);
    }
    PosixFileLayer files;
    write_then_rename(
        files, page, [&](const fs::path& partial) { write_text(files, partial, report_page(records)); },
        Existing::kReplaced);
    out << "wrote " << page.string() << ": " << records.size() << (records.size() == 1 ? " run" : " runs") << "\n";
    return kExitOk;
  });
}

}  // namespace negatron
