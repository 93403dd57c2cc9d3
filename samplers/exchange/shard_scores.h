#pragma once

#include <vector>

#include "comm/communicator.h"
#include "samplers/bank/bank.h"
#include "samplers/exchange/gathered_queries.h"
#include "samplers/exchange/negative_request.h"
#include "samplers/exchange/query_batch.h"
#include "samplers/exchange/ranking/hard_set.h"

namespace negatron {

/// The rows that a request lets score at `step`. Local.
Rows rows_to_score(const Bank& bank, const NegativeRequest& request, std::int64_t step);

/// Which of `rows` all ranks' queries may meet, before any set: own samples and labels left out. Local.
Candidates candidates_of(const Bank& bank, const Rows& rows, const NegativeRequest& request,
                         const GatheredQueries& gathered);

/// Whether score_sets() is one pass over the whole shard, without collectives. Local.
bool is_one_pass(const NegativeRequest& request);
/// That pass; it finds the `best` best candidates of each query too where `rows` have no factors. Local.
PassRequest one_pass(const Rows& rows, const Candidates& candidates, const NegativeRequest& request,
                     const std::vector<ScoreTerm>& terms, bool want_max, std::int64_t best);

/// What all ranks' queries meet of the sets on this shard. `terms` with gathered offsets. Collective: the windows of
/// the sets, one after the other, after those of further positives (set_windows.h). Where the one set is the whole
/// bank, the same sweep finds the `best` best candidates of each query.
PassResult score_sets(Communicator& comm, HardSetSearch& hard_sets, const Pass& pass, const Bank& bank,
                      const Rows& rows, const Candidates& candidates, const NegativeRequest& request,
                      const GatheredQueries& gathered, const QueryShares& shares, const std::vector<ScoreTerm>& terms,
                      bool want_max, std::int64_t best);

}  // namespace negatron
