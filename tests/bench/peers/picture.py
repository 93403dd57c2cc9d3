"""The usual sizes of a comparison as bars: milliseconds of each contender, ours first."""

import matplotlib

matplotlib.use("svg")
# Text as text: a picture that can be searched, and a small file.
matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "negatron", "font.size": 9})
from matplotlib import pyplot  # noqa: E402

OURS, OTHERS, FLOOR = "#1b7837", "#9aa5b1", "#dfe3e8"
USUAL = 4


def colour(row):
    if row["name"] == "Negatron":
        return OURS
    return FLOOR if row["computes"] == "the floor" else OTHERS


def draw(report, path):
    results = report["results"][:USUAL]
    figure, axes = pyplot.subplots(2, 2, figsize=(9, 4.6), layout="constrained")
    for axis, result in zip(axes.flat, results):
        rows = result["contenders"][::-1]
        bars = axis.barh([row["name"] for row in rows], [row["median_ms"] for row in rows], color=[*map(colour, rows)])
        axis.bar_label(bars, [f"{row['median_ms']:.0f} ms" for row in rows], padding=3)
        work = f"loss, gradient and the {result['hard']} hardest" if result["hard"] else "loss and gradient"
        axis.set_title(f"{work}, {result['dtype']}", fontsize=9, loc="left")
        axis.margins(x=0.18)
        axis.spines[["top", "right", "bottom"]].set_visible(False)
        axis.set_xticks([])
    first = results[0]
    figure.suptitle(f"{first['batch']} queries against a bank of {first['rows']} rows of 128, "
                    f"{report['processor']}, {report['threads']} threads", fontsize=9)
    figure.savefig(path, metadata={"Date": None})
