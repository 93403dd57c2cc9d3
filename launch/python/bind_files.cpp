#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "launch/python/bank_files.h"
#include "launch/python/bindings.h"
#include "runtime/bank_files/reshard_bank.h"

namespace negatron::python {
namespace {

using Numbers = std::optional<std::vector<std::int64_t>>;
/// ids, labels, range.
using Choice = std::tuple<Numbers, Numbers, std::optional<std::pair<std::int64_t, std::int64_t>>>;

RowChoice choice_of(const Choice& given) {
  const auto& [ids, labels, range] = given;
  RowChoice choice{ids, labels, std::nullopt};
  if (range) choice.range = Range{range->first, range->second};
  return choice;
}

void bind_readers(py::module_& module) {
  const auto path = py::arg("path");
  const auto name = py::arg("name");
  const auto memory = py::arg("memory");
  module.def(
      "bank_info",
      [](const std::string& of, const std::string& named, std::int64_t sample, std::uint64_t seed, std::int64_t mib) {
        return info_of_bank(of, named, {seed, sample}, mib);
      },
      path, name, py::arg("sample"), py::arg("seed"), memory, NoLock());
  module.def("bank_verify", &verdict_on_bank, path, memory, NoLock());
  module.def("bank_diff", &difference_of_banks, py::arg("a"), py::arg("b"), name, py::arg("tolerance"), memory,
             NoLock());
  module.def(
      "bank_rows",
      [](const std::string& of, const std::string& named, const Choice& choice, std::int64_t mib) {
        ChosenRows chosen = rows_of_bank(of, named, choice_of(choice), mib);
        const BankBlock& rows = chosen.rows;
        return std::make_tuple(rows.vectors, rows.ids, rows.labels, rows.steps, rows.sequence, chosen.missing,
                               chosen.notes);
      },
      path, name, py::arg("choice"), memory, NoLock());
  py::class_<NearRequest>(module, "NearRequest")
      .def(py::init([](const MaybeTensor& queries, std::vector<std::int64_t> ids) {
             return NearRequest{or_undefined(queries), std::move(ids)};
           }),
           py::arg("queries"), py::arg("ids"))
      .def_readwrite("top", &NearRequest::top)
      .def_readwrite("normalize", &NearRequest::normalize);
  module.def(
      "bank_near",
      [](const std::string& of, const std::string& named, const NearRequest& request, std::int64_t mib) {
        NearAnswer answer = rows_near(of, named, request, mib);
        const NearRows& rows = answer.rows;
        return std::make_tuple(rows.scores, rows.sequence, rows.ids, rows.labels, rows.steps, answer.samples,
                               answer.missing, answer.notes);
      },
      path, name, py::arg("request"), memory, NoLock());
}

void bind_writers(py::module_& module) {
  const auto path = py::arg("path");
  const auto out = py::arg("out");
  const auto memory = py::arg("memory");
  module.def("bank_reshard", &reshard_to, path, out, py::arg("ranks"), memory, NoLock());
  py::class_<MergeOptions>(module, "MergeOptions")
      .def(py::init<>())
      .def_readwrite("rows", &MergeOptions::rows)
      .def_readwrite("ranks", &MergeOptions::ranks)
      .def("set_dtype", [](MergeOptions& options, at::ScalarType dtype) { options.convert = dtype; });
  module.def("bank_merge", &merge_to, py::arg("paths"), out, py::arg("options"), memory, NoLock());
  module.def(
      "bank_extract",
      [](const std::string& of, const std::string& into, const std::string& named, const Choice& choice,
         std::int64_t mib) { return extract_to(of, into, named, choice_of(choice), mib); },
      path, out, py::arg("name"), py::arg("choice"), memory, NoLock());
  py::class_<ImportOptions>(module, "ImportOptions")
      .def(py::init<>())
      .def_readwrite("transpose", &ImportOptions::transpose)
      .def_readwrite("normalize", &ImportOptions::normalize)
      .def_readwrite("raw", &ImportOptions::raw)
      .def_readwrite("distance", &ImportOptions::distance)
      .def_readwrite("rows", &ImportOptions::rows)
      .def_readwrite("oldest", &ImportOptions::oldest)
      .def_readwrite("global_batch", &ImportOptions::batch)
      .def_readwrite("ranks", &ImportOptions::ranks)
      .def("set_dtype", [](ImportOptions& options, at::ScalarType dtype) { options.dtype = dtype; });
  module.def("bank_import", &import_to, py::arg("rows"), out, py::arg("options"), memory, NoLock());
}

}  // namespace

void bind_files(py::module_& module) {
  bind_readers(module);
  bind_writers(module);
}

}  // namespace negatron::python
