"""Reads what `portwitness export` writes and lists the port-0 requests, one a line.

chosen.py: call, protocol, family, port, the policy's flags, numbers tried.
"""
import json
import sys

for line in sys.stdin:
    record = json.loads(line)
    if "port-zero" not in record["flags"]:
        continue
    flags = [flag for flag in record["flags"] if flag.startswith("policy")]
    port = record["assigned"]["port"] if record["assigned"] else None
    print(record["call"], record["protocol"], record["family"], port, ",".join(flags) or "-",
          record["tried"])
