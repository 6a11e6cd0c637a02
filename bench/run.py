"""`python3 manage.py bench`: both systems in turns, one table at the end."""

import argparse
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from bench import control, environment, gateway
from bench.ground import Contender, Ground, write_apns_key
from bench.load import LoadError
from bench.measuring import MeasurementError
from bench.pushbridge_side import Pushbridge
from bench.recipe_side import Recipe
from bench.report import Results, markdown
from bench.rounds import Plan, Round, play, template
from bench.servers import running_servers
from pushbridge.embedded.home import open_home
from pushbridge.embedded.processes import Fault

PREFIX = "pushbridge-bench-"
TOOLS = {"nginx": "nginx", "h2load": "nghttp2-client"}


def main(arguments: Sequence[str]) -> int:
    """Run it; 0 with the table on the screen and in `var/bench/`, 1 with a sentence why not."""
    parser = argparse.ArgumentParser(prog="manage.py bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="of each system (default: 5)")
    parser.add_argument("--quick", action="store_true", help="one short round: does it work?")
    options = parser.parse_args(arguments)
    plan = Plan(1, share=0.25, steady_seconds=3.0) if options.quick else Plan(options.rounds)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        check_tools()
        folder = open_home().folder / "bench"
        folder.mkdir(exist_ok=True)
        python = environment.ensure(folder / "venv")
        with temporary_folder() as scratch:
            results = run(plan, scratch, python)
    except (Fault, MeasurementError, LoadError, control.ControlError) as error:
        print(f"pushbridge: {error}", file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as error:
        print(f"pushbridge: {error}; its words are above.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    table = markdown(results)
    (folder / "results.json").write_text(json.dumps(results.as_json(), indent=1))
    (folder / "results.md").write_text(table)
    print(f"\n{table}\nWritten to {folder}/results.md; every round is in results.json there.")
    return 0


def check_tools() -> None:
    """Raises Fault that names the Debian packages of whatever is missing."""
    found = {"nginx": shutil.which(gateway.nginx()), "h2load": shutil.which("h2load")}
    missing = [TOOLS[name] for name, path in found.items() if path is None]
    if missing:
        raise Fault(
            "the benchmark needs nginx as its gateway and h2load as its control."
            f" On Debian and Ubuntu: apt install {' '.join(missing)}"
        )


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A folder that goes at the end. PostgreSQL's account may walk through it, not list it."""
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def run(plan: Plan, scratch: Path, python: Path) -> Results:
    """All rounds of both systems on the same servers, the control before and after."""
    with (
        running_servers(scratch) as servers,
        gateway.running_gateway(scratch / "gateway") as nginx,
    ):
        where = machine()
        ground = Ground(servers, nginx, scratch)
        write_apns_key(ground)
        contenders: list[Contender] = [Recipe(ground, python), Pushbridge(ground)]
        for contender in contenders:
            prepare(contender, ground)
        before = control.requests_per_second(nginx, scratch)
        say(f"h2load: {before:,.0f} requests/s")
        rounds: dict[str, list[Round]] = {each.name: [] for each in contenders}
        for number in range(1, plan.rounds + 1):
            for contender in contenders:
                say(f"round {number} of {plan.rounds}, {contender.name}")
                rounds[contender.name].append(play(contender, ground, plan, say_more))
        after = control.requests_per_second(nginx, scratch)
        say(f"h2load: {after:,.0f} requests/s")
    return Results(where, before, after, rounds["recipe"], rounds["pushbridge"])


def prepare(contender: Contender, ground: Ground) -> None:
    """Fill the database that every round of this system gets a copy of."""
    say(f"preparing {contender.name}")
    database = template(contender)
    ground.servers.create_database(database)
    contender.prepare(database)
    ground.servers.analyze(database)


def machine() -> str:
    """On what this runs, and how busy that was with other things."""
    file = Path("/proc/cpuinfo")
    lines = file.read_text().splitlines() if file.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    processor = models[0] if models else platform.processor() or platform.machine()
    return (
        f"{os.cpu_count()} cores of {processor}, Python {platform.python_version()},"
        f" load average at the start {os.getloadavg()[0]:.1f}"
    )


def say(sentence: str) -> None:
    """A line of progress, with the time of day."""
    print(f"{time.strftime('%H:%M:%S')} {sentence}", flush=True)


def say_more(sentence: str) -> None:
    """A line that belongs to the one before."""
    say(f"  {sentence}")


def _interrupt(number: int, frame: FrameType | None) -> None:
    """A polite stop cleans up as Ctrl-C does."""
    raise KeyboardInterrupt
