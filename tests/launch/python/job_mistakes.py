"""Mistakes that Python finds, a type for example, and mistakes about rows that stay or learn: rank 1 makes each alone,
every rank hears of it, and all go on.
    job_mistakes.py mpi | torch
"""

import sys

import torch
import torch.distributed as dist
import torch.nn.functional as F

import negatron

WIDTH = 8


def unit(rows, seed):
    return F.normalize(torch.randn(rows, WIDTH, generator=torch.Generator().manual_seed(seed)), dim=1)


class Mistakes:
    def __init__(self, group):
        self.group = group
        self.wrong = group.rank == 1

    def expect(self, own, others, said, act):
        """`act(wrong)` raises `own` on rank 1, and on the others `others`, whose text says the same where it can."""
        error = own if self.wrong else others
        try:
            act(self.wrong)
        except error as caught:
            # Of settings that were to be agreed on, the others hear that they differ.
            assert said in str(caught) or error is negatron.DisagreementError, f"{caught!r} does not say {said!r}"
            return
        raise AssertionError(f"nothing was refused where {said!r} was expected")

    def of_types(self, said, act):
        self.expect(TypeError, ValueError, said, act)

    def before(self, own, said, act):
        self.expect(own, negatron.DisagreementError, said, act)


def of_queues(group):
    mistakes = Mistakes(group)
    bank = negatron.Bank(group, 20, WIDTH, global_batch=8)
    loss = negatron.ContrastiveLoss(bank)
    q, k = unit(3, group.rank), unit(3, 10 + group.rank)
    mistakes.of_types("q must be a torch.Tensor, not list", lambda wrong: loss([1.0] if wrong else q, k))
    mistakes.of_types("k must be a torch.Tensor, not ndarray", lambda wrong: loss(q, k.numpy() if wrong else k))
    mistakes.of_types("ids must be a torch.Tensor", lambda wrong: loss(q, k, [1, 2, 3] if wrong else torch.arange(3)))
    mistakes.of_types("epoch must be a number", lambda wrong: loss(q, k, epoch="1" if wrong else 1.0))
    mistakes.of_types("k must be a torch.Tensor, not NoneType", lambda wrong: bank.enqueue(None if wrong else k))
    mistakes.of_types("n must be a whole number, not 2.5", lambda wrong: bank.hardest(q, 2.5 if wrong else 2))
    mistakes.expect(ValueError, ValueError, "k is needed", lambda wrong: loss(q, None if wrong else k))
    mistakes.before(TypeError, "rows cannot be '20'", lambda wrong: negatron.Bank(group, "20" if wrong else 20, WIDTH))
    mistakes.before(ValueError, "'random' or 'empty'",
                    lambda wrong: negatron.Bank(group, 20, WIDTH, fill="zeros" if wrong else "random"))
    mistakes.before(ValueError, "kind is one of 'queue', 'memory'",
                    lambda wrong: negatron.Bank(group, 20, WIDTH, kind="stack" if wrong else "queue"))
    mistakes.before(TypeError, "dtype must be a torch.dtype",
                    lambda wrong: negatron.Bank(group, 20, WIDTH, "float32" if wrong else torch.float32))
    mistakes.before(TypeError, "tau must be a number", lambda wrong: negatron.ContrastiveLoss(bank, tau="0.1" if wrong else 0.1))
    mistakes.before(ValueError, "reduction is 'sum' or 'mean'",
                    lambda wrong: negatron.ContrastiveLoss(bank, reduction="total" if wrong else "sum"))
    mistakes.before(ValueError, "the group of a loss with a bank is the bank's",
                    lambda wrong: negatron.ContrastiveLoss(bank, group=negatron.alone() if wrong else None))
    mistakes.before(TypeError, "name must be a str",
                    lambda wrong: negatron.Bank.load(group, "/dev/null/bank", name=3 if wrong else None))
    mistakes.before(TypeError, "path", lambda wrong: bank.save(3 if wrong else "/dev/null/bank"))
    mistakes.before(TypeError, "path", lambda wrong: negatron.Bank.load(group, 3 if wrong else "/dev/null/bank"))
    loss(q, k)
    bank.enqueue(k)
    assert bank.step == 1


def of_rows(group):
    mistakes = Mistakes(group)
    memory = negatron.Bank(group, 20, WIDTH, kind="memory")
    q, ids = unit(3, group.rank), torch.arange(3) + 3 * group.rank
    mistakes.of_types("ids must be a torch.Tensor", lambda wrong: memory.fetch([1] if wrong else ids))
    mistakes.of_types("features must be a torch.Tensor", lambda wrong: memory.write(ids, None if wrong else q))
    mistakes.of_types("momentum must be a number, not '1'", lambda wrong: memory.blend(ids, q, momentum="1" if wrong else 1))
    mistakes.expect(ValueError, ValueError, "ids must lie between 0 and 19", lambda wrong: memory.fetch(ids + 20 if wrong else ids))
    mistakes.expect(ValueError, ValueError, "features must be one for each of 2 ids",
                    lambda wrong: memory.write(ids[:2] if wrong else ids, q))
    mistakes.expect(ValueError, ValueError, "momentum must lie between 0 and 1",
                    lambda wrong: memory.blend(ids, q, momentum=2.0 if wrong else 0.5))
    mistakes.expect(negatron.DisagreementError, negatron.DisagreementError, "momentum 0.5 on rank 0, momentum 0.25 on rank 1",
                    lambda wrong: memory.blend(ids, q, momentum=0.25 if wrong else 0.5))
    mistakes.expect(negatron.DisagreementError, negatron.DisagreementError, "rank 0 is in blend and write on rank 1",
                    lambda wrong: memory.write(ids, q) if wrong else memory.blend(ids, q))
    loss = negatron.ContrastiveLoss(memory)
    mistakes.expect(ValueError, ValueError, "ids must lie between 0 and 19", lambda wrong: loss(q, ids=ids - 4 if wrong else ids))
    mistakes.expect(negatron.DisagreementError, negatron.DisagreementError, "k is not given on rank 0 and given on rank 1",
                    lambda wrong: loss(q, q if wrong else None, ids))
    loss(q, ids=ids)
    memory.blend(ids, q)

    learned = negatron.Bank(group, 20, WIDTH, kind="learned")
    loss = negatron.ContrastiveLoss(learned)
    k = unit(3, 10 + group.rank)
    value = loss(q, k)
    mistakes.expect(ValueError, ValueError, "rows have no gradient",
                    lambda wrong: learned.step_rows(1.0) if wrong else (value.backward(), learned.step_rows(1.0)))
    learned.zero_grad()
    loss(q, k).backward()
    mistakes.of_types("lr must be a number", lambda wrong: learned.step_rows(None if wrong else 1.0))
    mistakes.expect(negatron.DisagreementError, negatron.DisagreementError, "lr 1", lambda wrong: learned.step_rows(2.0 if wrong else 1.0))
    # Nothing that was refused has used up the gradient.
    learned.step_rows(1.0)
    (loss(q, k) * (2.0 if mistakes.wrong else 1.0)).backward()
    mistakes.expect(negatron.DisagreementError, negatron.DisagreementError, "losses times 2 on rank 1", lambda wrong: learned.step_rows(1.0))
    assert learned.step == 1


def main():
    if sys.argv[1] == "torch":
        dist.init_process_group("gloo")
    group = negatron.init()
    of_queues(group)
    of_rows(group)
    print(f"rank {group.rank} is done\n", end="", flush=True)
    if sys.argv[1] == "torch":
        dist.destroy_process_group()


main()
