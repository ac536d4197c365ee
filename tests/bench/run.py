#!/usr/bin/env python3
"""Start-up, idle memory, idle CPU and API throughput of one binary, printed as lines.

usage: run.py CORACLE_BINARY API_BENCH_BINARY [OBJECTS]
"""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "integration"))
import cluster  # noqa: E402  (the path is set just above)

IDLE_SECONDS = 20
STARTS = 5


def memory_of(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS")) / 1024


def processor_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def start_up():
    """Milliseconds from exec to /readyz on an empty folder."""
    server = cluster.Server()
    begin = time.monotonic()
    server.start()
    took = (time.monotonic() - begin) * 1000
    server.close()
    return took


def main():
    cluster.BINARY, load = sys.argv[1], sys.argv[2]
    objects = sys.argv[3] if len(sys.argv) > 3 else "3000"
    starts = sorted(start_up() for _ in range(STARTS))
    print(f"cold start to readyz   median {starts[STARTS // 2]:.0f} ms  (polled every 50 ms)")
    server = cluster.Server().start()
    try:
        pid = server.process.pid
        before = processor_seconds(pid)
        time.sleep(IDLE_SECONDS)
        print(f"idle memory            {memory_of(pid):.1f} MB")
        print(f"idle processor         {(processor_seconds(pid) - before) / IDLE_SECONDS * 100:.2f} % of a core")
        tls = os.path.join(server.data_dir, "server/tls")
        os.spawnv(os.P_WAIT, load, [load, f"https://127.0.0.1:{server.port}", f"{tls}/server-ca.crt",
                                    f"{tls}/client-admin.crt", f"{tls}/client-admin.key", objects])
        print(f"memory after the load  {memory_of(pid):.1f} MB")
    finally:
        server.close()


if __name__ == "__main__":
    main()
