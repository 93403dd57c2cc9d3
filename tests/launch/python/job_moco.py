"""moco_after.py with a bank that begins with the rows that moco_before.py draws for its queue.
    job_moco.py FOLDER_OF_THE_FILES [STEPS]
"""

import runpy
import sys
from pathlib import Path

import torch
import torch.distributed as dist
import torch.nn.functional as F

import negatron


class BankOfTheQueue(negatron.Bank):
    def __init__(self, group, rows, width):
        super().__init__(group, rows, width, fill="empty")
        queue = F.normalize(torch.randn(rows, width), dim=1)
        self.enqueue(queue.tensor_split(group.size)[group.rank].contiguous())


negatron.Bank = BankOfTheQueue
folder = Path(sys.argv.pop(1))
runpy.run_path(str(folder / "moco_after.py"), run_name="__main__")
