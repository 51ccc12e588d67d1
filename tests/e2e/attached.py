#!/usr/bin/env python3
"""attached.py FOLDER: how many eBPF programs are attached to a control group, of all kinds (bpf(2),
BPF_PROG_QUERY). Needs root."""
import ctypes
import os
import platform
import struct
import sys

BPF = {"x86_64": 321, "aarch64": 280}[platform.machine()]
PROG_QUERY = 16
KINDS = 60  # more attach types than there are: those that the kernel does not know are refused

libc = ctypes.CDLL(None, use_errno=True)
group = os.open(sys.argv[1], os.O_RDONLY | os.O_DIRECTORY)
count = answers = 0
for kind in range(KINDS):
    attributes = ctypes.create_string_buffer(struct.pack("=IIIIQIIQQQ", group, kind, 0, 0, 0, 0, 0, 0, 0, 0))
    result = libc.syscall(BPF, PROG_QUERY, attributes, len(attributes))
    if result == 0:
        answers += 1
        count += struct.unpack_from("=I", attributes, 24)[0]
if answers == 0:
    sys.exit(f"no answer of the kernel: {os.strerror(ctypes.get_errno())}")
print(count)
