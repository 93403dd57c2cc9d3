"""One size of the bank's stage: its inputs, and its answers in fp64."""

import dataclasses

import torch


@dataclasses.dataclass
class Answer:
    value: torch.Tensor | None = None  # [B] log sum exp of q.n / tau
    gradient: torch.Tensor | None = None  # [B, D] of the value by the query
    hardest: torch.Tensor | None = None  # [B, N] rows


class Problem:
    def __init__(self, batch, count, width, dtype, tau, hard, seed=1):
        generator = torch.Generator().manual_seed(seed)
        self.batch, self.count, self.width, self.dtype, self.tau, self.hard = batch, count, width, dtype, tau, hard
        self.queries = self._unit(batch, generator)  # [B, D] fp32
        self.rows = self._unit(count, generator).to(dtype)  # [K, D]

    def _unit(self, count, generator):
        return torch.nn.functional.normalize(torch.randn(count, self.width, generator=generator))

    def truth(self):
        """Block by block: fp64 logits of the largest sizes do not fit."""
        rows = self.rows.double()
        parts = []
        for queries in self.queries.double().split(64):
            logits = queries @ rows.T / self.tau
            parts.append(
                Answer(logits.logsumexp(1), logits.softmax(1) @ rows / self.tau, logits.topk(max(1, self.hard)).indices)
            )
        return Answer(*(torch.cat([getattr(part, field.name) for part in parts]) for field in dataclasses.fields(Answer)))

    def share_found(self, answer, truth):
        """How many of its hardest rows are among the hardest; None of an answer without them."""
        if answer.hardest is None:
            return None
        same = torch.zeros(self.batch, self.count, dtype=torch.bool).scatter_(1, truth.hardest, True)
        return same.gather(1, answer.hardest).double().mean().item()

    def objection(self, answer, truth):
        """Why `answer` is not the answer, or None."""
        # bf16 has 8 bits: of scores that are rounded before they are summed, half a per cent is all one can ask.
        tolerance = 0.02 if self.dtype == torch.bfloat16 else 1e-4
        for name in ("value", "gradient"):
            actual, expected = getattr(answer, name), getattr(truth, name)
            if actual is None:
                continue
            error = ((actual.double() - expected).abs().max() / expected.abs().max()).item()
            if not error <= tolerance:
                return f"{name} is off by {error:.1e} of its largest number, expected at most {tolerance:.0e}"
        if answer.hardest is not None:
            share = self.share_found(answer, truth)
            # Scores in lower precision swap rows about the N-th place.
            least = 0.9 if self.dtype == torch.bfloat16 else 0.999
            if not share >= least:
                return f"{share:.4f} of its rows are among the {self.hard} hardest, expected {least}"
        return None
