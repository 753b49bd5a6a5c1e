"""Measures `docs sync --to openai` against the stand-in, and beside it a plain script on the official SDK.

Prints one line for each run: requests, writes among them, seconds, peak of resident memory.
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
WORDS = "order return refund parcel customs invoice voucher address delivery exchange warranty account".split()


class StandIn:
    """The stand-in as a process of its own, driven over its control paths."""

    def __init__(self, program: str, latency_ms: int, ingestion_ms: int):
        command = [program, "--latency", str(latency_ms), "--ingestion", str(ingestion_ms), "--forget"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        told = json.loads(self.process.stdout.readline())
        self.base_url, self.key = told["base_url"], told["key"]

    def calls(self) -> list[dict]:
        with urllib.request.urlopen(self.base_url.removesuffix("/v1") + "/__control/log") as answer:
            return json.load(answer)

    def settings(self) -> dict[str, str]:
        return {"OPENAI_BASE_URL": self.base_url, "OPENAI_API_KEY": self.key}

    def end(self) -> None:
        self.process.send_signal(signal.SIGINT)
        self.process.wait()


def is_write(call: dict) -> bool:
    return call["method"] != "GET" and not call["path"].endswith("/search")


def run(name: str, command: list[str], environment: dict[str, str], stand_in: StandIn, folder: Path) -> dict:
    """Runs a command to its end; tells what it cost."""
    before = len(stand_in.calls())
    began = time.monotonic()
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, cwd=folder, env=os.environ | environment, stdout=said)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        output = said.read().decode(errors="replace")
    took = time.monotonic() - began
    calls = stand_in.calls()[before:]
    writes = sum(map(is_write, calls))
    peak = usage.ru_maxrss / 1024
    if process.returncode != 0:
        print(output[-2000:])
        sys.exit(f"{name}: exit {process.returncode}")
    print(f"{name:<28} {len(calls):>6} requests {writes:>6} writes {took:>9.2f} s {peak:>7.1f} MiB", flush=True)
    return {"requests": len(calls), "writes": writes, "seconds": took, "peak_mib": peak}


def write_small(folder: Path, count: int) -> None:
    """Documents of about 2 KB that differ from each other."""
    chance = random.Random(7)
    for number in range(count):
        path = folder / f"topic-{number % 50:02}" / f"page-{number:05}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        body = " ".join(chance.choices(WORDS, k=300))
        path.write_text(f"# Page {number}\n\n{body}.\n")


def write_large(folder: Path, mebibytes: int) -> None:
    """One text of so many MiB."""
    folder.mkdir(parents=True, exist_ok=True)
    line = (" ".join(WORDS) + ".\n").encode()
    with (folder / "large.txt").open("wb") as file:
        block = line * (1024 * 1024 // len(line) + 1)
        for _ in range(mebibytes):
            file.write(block[: 1024 * 1024])


def ours(arguments: argparse.Namespace, stand_in: StandIn, project: Path) -> tuple[list[str], dict[str, str]]:
    """A store of our own, and the command that syncs into it."""
    environment = stand_in.settings()
    command = [arguments.program, "vector-store", "create", "measured", "--format", "json"]
    made = subprocess.run(command, cwd=project, env=os.environ | environment, capture_output=True, check=True, text=True)
    store = json.loads(made.stdout)["id"]
    limits = {"OPENAI_UPLOADS_PER_MINUTE": "1000000", "OPENAI_STORE_WRITES_PER_MINUTE": "1000000"}
    limits["OPENAI_ATTACHED_PER_MINUTE"] = "1000000"
    sync = [arguments.program, "--no-input", "docs", "sync", "--to", "openai", "--store", store]
    return sync, environment | limits


def beside_the_sdk(arguments: argparse.Namespace, folder: Path) -> None:
    write_small(folder / "data", 200)
    stand_in = StandIn(arguments.stand_in, latency_ms=50, ingestion_ms=500)
    try:
        sync, environment = ours(arguments, stand_in, folder)
        first = run("ours, first", sync, environment, stand_in, folder)
        again = run("ours, again", sync, environment, stand_in, folder)
        shutil.rmtree(folder / ".chatbotctl")
        run("ours, without any state", sync, environment, stand_in, folder)
        made = urllib.request.Request(
            stand_in.base_url + "/vector_stores",
            data=b"{}",
            headers={"Authorization": f"Bearer {stand_in.key}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(made) as answer:
            store = json.load(answer)["id"]
        script = [arguments.python, str(HERE / "sdk_sync.py"), "data", store]
        sdk_first = run("SDK, first", script, stand_in.settings(), stand_in, folder)
        sdk_again = run("SDK, again", script, stand_in.settings(), stand_in, folder)
    finally:
        stand_in.end()
    print(f"first run: {sdk_first['seconds'] / first['seconds']:.2f} times as fast as the SDK's")
    print(f"re-run: {sdk_again['seconds'] / again['seconds']:.1f} times as fast, {again['writes']} writes")
    print(f"memory: {first['peak_mib'] / sdk_first['peak_mib']:.2f} of the SDK's")


def sizes(arguments: argparse.Namespace, folder: Path) -> None:
    for name, write in [
        ("500 MB in one file", lambda data: write_large(data, 500)),
        ("10,000 files", lambda data: write_small(data, 10_000)),
    ]:
        project = folder / name.split()[0]
        write(project / "data")
        stand_in = StandIn(arguments.stand_in, latency_ms=0, ingestion_ms=0)
        try:
            sync, environment = ours(arguments, stand_in, project)
            run(name, sync, environment, stand_in, project)
            run(f"{name}, again", sync, environment, stand_in, project)
        finally:
            stand_in.end()
        shutil.rmtree(project)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["sdk", "sizes"])
    parser.add_argument("--program", required=True, help="chatbotctl")
    parser.add_argument("--stand-in", required=True, help="openai-stand-in")
    parser.add_argument("--python", default=sys.executable, help="a Python that has the openai package")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        {"sdk": beside_the_sdk, "sizes": sizes}[arguments.what](arguments, Path(folder))


main()
