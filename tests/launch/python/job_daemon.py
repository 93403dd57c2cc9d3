"""A program that ends while a daemon thread of it is in the middle of C++.
    job_daemon.py mpi | torch          rank 0 ends while its thread waits for rank 1, which does not come
    job_daemon.py files BANK           the thread reads a bank, again and again
"""

import sys
import threading
import time

import torch.distributed as dist

import negatron


def read_for_ever(path, begun):
    while True:
        begun.set()
        negatron.files.info(path)


def main():
    if sys.argv[1] == "files":
        begun = threading.Event()
        threading.Thread(target=read_for_ever, args=(sys.argv[2], begun), daemon=True).start()
        begun.wait()
        time.sleep(0.3)
    else:
        if sys.argv[1] == "torch":
            dist.init_process_group("gloo")
        group = negatron.init()
        if group.rank == 0:
            threading.Thread(target=group.barrier, daemon=True).start()
            time.sleep(1)
        else:
            time.sleep(6 if sys.argv[1] == "torch" else 60)
    print("the main thread is done", flush=True)


main()
