"""Who takes part: each computes the bank's stage of one problem and says how long it took."""

import subprocess
import tempfile
import time
from pathlib import Path

import numpy
import torch

from problem import Answer


class Timed:
    """A contender in this process: `compute` is what is measured."""

    def run(self):
        begin = time.perf_counter()
        self.last = self.compute()
        return 1e3 * (time.perf_counter() - begin)

    def answer(self):
        return self.last

    def close(self):
        pass


class Negatron:
    """bank_server: the exchange as a rank of a job of one rank runs it."""

    computes = "loss, gradient"

    def __init__(self, problem, threads, hard=0):
        self.name = "Negatron"
        self.problem, self.hard = problem, hard
        if hard:
            self.computes += f", top {hard}"
        self.folder = tempfile.TemporaryDirectory()
        folder = Path(self.folder.name)
        problem.queries.numpy().tofile(folder / "queries")
        problem.rows.float().numpy().tofile(folder / "rows")
        dtype = "bf16" if problem.dtype == torch.bfloat16 else "fp32"
        numbers = (problem.batch, problem.count, problem.width, dtype, problem.tau, threads)
        self.server = subprocess.Popen(
            ["build/tests/bench/bank_server", folder / "queries", folder / "rows", *map(str, numbers)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, line):
        self.server.stdin.write(line + "\n")
        self.server.stdin.flush()
        reply = self.server.stdout.readline()
        if not reply:
            raise RuntimeError("bank_server ended early; what it said is above")
        return reply

    def run(self):
        return float(self.ask(f"loss {self.hard}"))

    def answer(self):
        self.ask(f"write {self.folder.name}")
        load = lambda name, dtype: torch.from_numpy(numpy.fromfile(Path(self.folder.name) / name, dtype))
        gradient = load("gradient", numpy.float32).view(self.problem.batch, -1)
        hardest = load("hardest", numpy.int64).view(self.problem.batch, -1) if self.hard else None
        return Answer(load("value", numpy.float32), gradient, hardest)

    def close(self):
        self.server.stdin.close()
        self.server.wait()
        self.folder.cleanup()


class TwoProducts(Timed):
    """The floor of all that keep no scores: q n^T and p n as plain matrix products of the rows' type."""

    name, computes = "two matrix products", "the floor"

    def __init__(self, problem, _):
        self.rows, self.queries = problem.rows, problem.queries.to(problem.dtype)
        self.weights = torch.rand(problem.batch, problem.count).to(problem.dtype)
        self.scores, self.sums = torch.empty_like(self.weights), torch.empty_like(self.queries)

    def compute(self):
        torch.mm(self.queries, self.rows.T, out=self.scores)
        torch.mm(self.weights, self.rows, out=self.sums)
        return Answer()


class Eager(Timed):
    """What MoCo's code does: a matrix of logits, and autograd. With `hard`, topk of the same logits."""

    def __init__(self, problem, _, hard=0):
        self.name = "PyTorch, eager" + (" + topk" if hard else "")
        self.computes = "loss, gradient" + (f", top {hard}" if hard else "")
        self.problem, self.hard = problem, hard

    def compute(self):
        queries = self.problem.queries.clone().requires_grad_()
        logits = queries.to(self.problem.dtype) @ self.problem.rows.T / self.problem.tau
        value = logits.float().logsumexp(1)
        value.sum().backward()
        hardest = logits.detach().topk(self.hard).indices if self.hard else None
        return Answer(value.detach(), queries.grad, hardest)


class Flash(Timed):
    """ATen's flash attention with keys = values = rows: no matrix of logits."""

    name, computes = "ATen flash attention", "loss, gradient"

    def __init__(self, problem, _):
        self.problem = problem

    def compute(self):
        rows = self.problem.rows[None, None]
        queries = self.problem.queries.to(self.problem.dtype)[None, None]
        mean, value = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu(
            queries, rows, rows, scale=1 / self.problem.tau)
        return Answer(value.flatten(), mean[0, 0].float() / self.problem.tau)


class Lightly(Timed):
    """NTXentLoss with its memory bank of fp32 rows, whose keys here are the queries themselves."""

    name, computes = "lightly NTXentLoss", "loss, gradient"

    def __init__(self, problem, _):
        from lightly.loss import NTXentLoss

        self.problem = problem
        self.loss = NTXentLoss(temperature=problem.tau, memory_bank_size=(problem.count, problem.width))
        self.fill()
        self.check()

    def fill(self):
        self.loss.memory_bank.bank = self.problem.rows.float().clone()
        self.loss.memory_bank.bank_ptr = torch.zeros(1, dtype=torch.long)

    def check(self):
        """Its one number is a mean over queries with their positives: compare that."""
        positive = 1 / self.problem.tau
        value = (self.problem.queries @ self.problem.rows.float().T / self.problem.tau).logsumexp(1)
        expected = torch.logaddexp(value, torch.full_like(value, positive)).mean() - positive
        found = self.loss(self.problem.queries, self.problem.queries)
        if not torch.isclose(found, expected, rtol=1e-4):
            raise RuntimeError(f"lightly's loss is {found.item():.6f}, expected {expected.item():.6f}")
        self.fill()

    def compute(self):
        queries = self.problem.queries.clone().requires_grad_()
        self.loss(queries, self.problem.queries).backward()
        return Answer()


class TopK(Timed):
    """torch.topk of a product in `dtype`, for which rows of another one are kept twice: no loss, no gradient."""

    def __init__(self, problem, _, hard, dtype):
        self.name = "torch.topk" + ("" if dtype == problem.dtype else " of fp32 scores")
        self.queries, self.rows = problem.queries.to(dtype), problem.rows.to(dtype)
        self.hard, self.computes = hard, f"top {hard}"

    def compute(self):
        return Answer(hardest=(self.queries @ self.rows.T).topk(self.hard).indices)


class Faiss(Timed):
    """faiss IndexFlatIP over fp32 rows: no loss, no gradient."""

    name = "faiss IndexFlatIP"

    def __init__(self, problem, threads, hard):
        import faiss

        faiss.omp_set_num_threads(threads)
        self.index = faiss.IndexFlatIP(problem.width)
        self.index.add(problem.rows.float().numpy())
        self.problem, self.hard, self.computes = problem, hard, f"top {hard}"

    def compute(self):
        _, hardest = self.index.search(self.problem.queries.numpy(), self.hard)
        return Answer(hardest=torch.from_numpy(hardest))


def contenders(problem, threads):
    """Of one problem, ours first."""
    if problem.hard:
        hard = problem.hard
        # Scores rounded to bf16 tie and swap; who wants the hardest rows and not nearly those needs scores in fp32.
        types = dict.fromkeys((problem.dtype, torch.float32))
        return [Negatron(problem, threads, hard), Eager(problem, threads, hard),
                *(TopK(problem, threads, hard, dtype) for dtype in types), Faiss(problem, threads, hard)]
    others = [TwoProducts(problem, threads), Flash(problem, threads), Eager(problem, threads)]
    if problem.dtype == torch.float32:
        others.append(Lightly(problem, threads))
    return [Negatron(problem, threads), *others]
