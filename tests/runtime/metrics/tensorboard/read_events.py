"""Reads a folder of events with TensorBoard and compares with what event_writer_test.cpp wrote.
    read_events.py FOLDER
"""

import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

events = EventAccumulator(sys.argv[1])
events.Reload()
loss = [(event.step, event.value) for event in events.Scalars("loss")]
expected = [(0, 8.0), (1, 7.0), (2, 6.0), (3, 5.0), (4, 0.25)]
if loss != expected:
    sys.exit(f"TensorBoard reads the losses {loss}, expected {expected}")
total = [event.value for event in events.Scalars("step_ms/total")]
if total != [100.0, 101.0, 102.0, 103.0]:
    sys.exit(f"TensorBoard reads the times {total}")
scores = events.Histograms("scores")[0].histogram_value
if list(scores.bucket) != [3.0, 1.0] or list(scores.bucket_limit) != [0.5, 1.0] or scores.num != 4.0 or scores.sum != 1.5:
    sys.exit(f"TensorBoard reads the histogram {scores}")
