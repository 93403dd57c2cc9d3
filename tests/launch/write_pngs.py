#!/usr/bin/env python3
"""Writes small colour PNGs that differ by a rectangle into class folders: the same bytes each time.
    write_pngs.py FOLDER COUNT CLASSES
"""

import struct
import sys
import zlib
from pathlib import Path

SIDE = 24


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(number, label):
    top, left = number * 5 % 15, number * 7 % 13
    rows = bytearray()
    for y in range(SIDE):
        rows.append(0)
        for x in range(SIDE):
            inside = top <= y < top + 9 and left <= x < left + 11
            rows += bytes((200 if inside else 9 * y, 60 * label if inside else 10 * x, 120 + 40 * label))
    header = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 2, 0, 0, 0)
    data = zlib.compress(bytes(rows))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


folder, count, classes = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
for number in range(count):
    label = number % classes
    path = folder / f"class {label}" / f"{number}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(png(number, label))
