"""Which rank is ended how and when: by number and seed, so that a kill can be had again."""

import functools
import random
import signal
import time
from dataclasses import dataclass

STEPS_PER_EPOCH = 20
# Seconds that a start takes at least, and as a rule an evaluation; steps go on for ever.
START_SECONDS = 1.2
STEP_SECONDS = 0.8
EVALUATION_SECONDS = 0.1
RANKS = (2, 3)
MOMENTS = ("step", "save", "evaluation", "start")
NAMES = {"step": "a step", "save": "a save", "evaluation": "an evaluation", "start": "a start"}


@dataclass(frozen=True)
class Kind:
    signal: int
    # What the job ends with: as a shell reports a process that the signal ended, or that a collective took too long.
    code: int
    # Nobody is told: the others wait for their time limit.
    is_silent: bool = False


KINDS = {
    "KILL": Kind(signal.SIGKILL, 137),
    "STOP": Kind(signal.SIGSTOP, 3, is_silent=True),
    "TERM": Kind(signal.SIGTERM, 143),
}


@dataclass(frozen=True)
class Kill:
    number: int
    kind: str
    moment: str
    ranks: int
    rank: int
    # Of the time for which the moment lasts.
    share: float

    def __str__(self):
        return f"kill {self.number}: {self.kind} of rank {self.rank} of {self.ranks} in {NAMES[self.moment]}"


def plan(number, seed):
    chance = random.Random(f"{seed} {number}")
    ranks = RANKS[number % len(RANKS)]
    kind = list(KINDS)[number // len(RANKS) % len(KINDS)]
    moment = MOMENTS[number // len(RANKS) // len(KINDS) % len(MOMENTS)]
    return Kill(number, kind, moment, ranks, chance.randrange(ranks), chance.random())


def wait_for_moment(job, kill):
    """job: a WatchedJob. False when it ends before."""
    if kill.moment == "start":
        time.sleep(kill.share * START_SECONDS)
        return job.wait_until(lambda: kill.rank in job.ranks())
    if kill.moment == "step":
        if job.wait_until(job.trains):
            time.sleep(kill.share * STEP_SECONDS)
        return not job.ended()
    holds = job.saves if kill.moment == "save" else functools.partial(job.evaluates, STEPS_PER_EPOCH)
    delay = kill.share * EVALUATION_SECONDS if kill.moment == "evaluation" else 0.0
    while job.wait_until(holds):
        time.sleep(delay)
        if holds():
            return True
        # It was over, on a fast machine or one that was busy elsewhere: then earlier in the next one.
        delay /= 2
    return False
