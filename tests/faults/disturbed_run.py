"""A run on so many ranks of which one is ended again and again, and what must hold after each time."""

import os
import subprocess
import time
from collections import defaultdict

from idx_images import write_idx
from kill_plan import KINDS, STEPS_PER_EPOCH, wait_for_moment
from watched_job import WatchedJob, metrics_of, snapshots_of

BATCH = 12
# So many that an evaluation takes longer than a look at it.
TEST_IMAGES = 3000
SNAPSHOT_EVERY = 5
SETTINGS = {
    "encoder-channels": "8,16", "encoder-strides": "1,2", "encoder-groups": 4, "head-hidden": 16, "width": 16,
    "global-batch": BATCH, "bank-rows": 31, "knn-k": 5, "precision": "fp32", "threads": 1, "seed": 1, "epochs": 100000,
    "baselines": "off", "tensorboard": "off",
}
# By the number of ranks: rows that a step adds to, and rows that a step changes all of.
BANKS = {2: ["--bank-kind", "queue"], 3: ["--bank-kind", "learned", "--rows-lr", "1", "--rows-tau", "0.1"]}
# Seconds that ranks wait for one that stopped, and in a start, where it is never less.
TIME_LIMIT = 5
START_LIMIT = 10
# For the end of a job, beside that, on a machine that does other things too.
END_WITHIN = 60
MORE_STEPS = 10


def write_settings(folder):
    """What all runs in the folder read: images, and small.ini."""
    write_idx(folder, "train", STEPS_PER_EPOCH * BATCH)
    write_idx(folder, "t10k", TEST_IMAGES)
    lines = [f"{name} = {value}" for name, value in {"data": folder, **SETTINGS}.items()]
    (folder / "small.ini").write_text("\n".join(lines) + "\n")


class DisturbedRun:
    def __init__(self, folder, negatron, mpirun, ranks):
        """mpirun: with its flags."""
        self.folder = folder
        self.negatron = negatron
        self.mpirun = mpirun
        self.ranks = ranks
        self.run = folder / f"run-{ranks}"
        # By step, all that were ever written.
        self.losses = defaultdict(set)
        # Sentences.
        self.faults = []

    def disturb(self, kill):
        """Starts, waits for the moment, strikes, and looks. Returns the seconds from there to the end of the job."""
        resumes_from = max(snapshots_of(self.run), default=None)
        job = self._start()
        if not wait_for_moment(job, kill):
            self._blame(kill, f"the job ended before:\n{job.said()}")
            return None
        ranks = job.ranks()
        kind = KINDS[kill.kind]
        struck = time.monotonic()
        os.kill(ranks[kill.rank], kind.signal)
        code = job.wait_for_end(END_WITHIN + (START_LIMIT if kind.is_silent else 0))
        took = time.monotonic() - struck
        left = job.end_what_is_left(ranks)
        if code != kind.code:
            self._blame(kill, f"exit code {code} instead of {kind.code} after {took:.1f} s:\n{job.said()}")
        if left:
            self._blame(kill, f"{left} processes were left")
        if kill.moment != "start" and resumes_from is not None and f"resumed from step {resumes_from}:" not in job.said():
            self._blame(kill, f"it did not go on from step {resumes_from}:\n{job.said()}")
        self._look(kill)
        if kill.kind == "TERM" and kill.moment != "start":
            self._require_all_saved(kill)
        return took

    def compare(self):
        """Behind a last start, which ends by itself, with a run that nobody disturbed. Returns the number of steps."""
        last = max([*self.losses, *snapshots_of(self.run), 0]) + MORE_STEPS
        job = self._start("--max-steps", str(last))
        if job.wait_for_end(END_WITHIN + last) != 0:
            self._blame("the last start", f"it fails:\n{job.said()}")
            job.end_what_is_left(job.ranks())
        self._look("the last start")
        steps = [line["step"] for line in metrics_of(self.run) if "event" not in line]
        if steps != list(range(last)):
            self._blame("the last start", f"steps are missing or doubled: {steps}")
        straight = self.folder / f"straight-{self.ranks}"
        words = self._words(straight, "--evaluate-every", "0", "--snapshot-every", "never", "--max-steps", str(last))
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
        expected = {line["step"]: {line["loss"]} for line in metrics_of(straight) if "event" not in line}
        other = [step for step in range(last) if step not in expected or self.losses[step] != expected[step]]
        if other:
            self._blame("all starts", f"the losses of steps {other} are not those of a run that nobody disturbed")
        return last

    def _words(self, run, *flags):
        return [*self.mpirun, "-n", str(self.ranks), self.negatron, "pretrain", "--config", str(self.folder / "small.ini"),
                "--run-dir", str(run), "--collective-time-limit", str(TIME_LIMIT), *BANKS[self.ranks], *flags]

    def _start(self, *flags):
        saves_and_evaluates = ["--snapshot-every", str(SNAPSHOT_EVERY), "--evaluate-every", "1"]
        words = self._words(self.run, "--resume", "auto", *saves_and_evaluates, *flags)
        return WatchedJob(words, self.run, self.folder / f"output-{self.ranks}")

    def _look(self, kill):
        reported = 0
        for line in metrics_of(self.run):
            if "event" not in line:
                self.losses[line["step"]].add(line["loss"])
            elif line["event"] == "snapshot" and line["outcome"] == "committed":
                reported = line["step"]
        snapshots = snapshots_of(self.run)
        newest = max(snapshots, default=0)
        if newest < reported:
            self._blame(kill, f"the snapshot of step {reported} was reported, that of step {newest} is the newest")
        if newest:
            verify = [self.negatron, "bank", "verify", str(snapshots[newest])]
            verified = subprocess.run(verify, capture_output=True, text=True)
            if verified.returncode != 0:
                self._blame(kill, f"the newest snapshot does not verify: {verified.stdout}{verified.stderr}")
        set_aside = sorted(path.name for path in (self.run / "snapshots").glob("*.quarantine"))
        if set_aside:
            self._blame(kill, f"set aside: {set_aside}")

    def _require_all_saved(self, kill):
        steps = [line["step"] + 1 for line in metrics_of(self.run) if "event" not in line]
        newest = max(snapshots_of(self.run), default=0)
        if newest != steps[-1]:
            self._blame(kill, f"{steps[-1]} steps were done, and the newest snapshot is that of step {newest}")

    def _blame(self, kill, what):
        self.faults.append(f"{kill}, {self.ranks} ranks: {what}")
