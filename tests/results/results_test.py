"""scripts/results with a program that stands in for kern: what is finished is not made again, what was stopped goes on, what
moved or failed is said.

    results_test.py PATH_TO_scripts/results
"""
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

SCRIPT = sys.argv[1]
COMMANDS = """
[[table]]
id = "one"
title = "One"
data = "there"
figures = ["accuracy", "nothing"]
[table.vary]
seed = [1, 3]
[[table.row]]
name = "first"
commands = ["wells train data={data} seed={seed} run={run}", "wells evaluate model={before} seed={seed} run={out}"]
[[table]]
id = "absent"
title = "Absent"
data = "not_there"
figures = ["accuracy"]
[[table.row]]
name = "none"
commands = ["wells train data={data} run={run}"]
"""
# It writes down how it was called; an evaluation's accuracy is its seed times what the file `times` says.
PROGRAM = """#!/usr/bin/env python3
import json, os, sys
here = os.path.dirname(os.path.abspath(__file__))
if sys.argv[1] == "--version":
    print("kern 9")
    sys.exit()
keys = dict(a.split("=", 1) for a in sys.argv[3:] if "=" in a)
open(here + "/calls", "a").write(" ".join(sys.argv[1:]) + "\\n")
run = keys.get("run", keys.get("resume"))
os.makedirs(run, exist_ok=True)
if os.path.exists(here + "/stop"):
    os.remove(here + "/stop")
    open(run + "/checkpoint.safetensors", "w")
    print("the machine was taken away")
    sys.exit(3)
json.dump({"accuracy": float(keys.get("seed", 0)) * float(open(here + "/times").read())}, open(run + "/result.json", "w"))
"""


def main():
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        (here / "data/there").mkdir(parents=True)
        (here / "commands.toml").write_text(COMMANDS)
        (here / "kern").write_text(PROGRAM)
        (here / "kern").chmod(0o755)

        def results(*more):
            (here / "calls").write_text("")
            r = subprocess.run([sys.executable, SCRIPT, "--commands", here / "commands.toml", "--recorded", here / "made.json",
                                "--page", here / "page.md", "--data", here / "data", "--program", here / "kern", "--out",
                                here / "runs", *more], capture_output=True, text=True, env=dict(os.environ, PYTHONUTF8="1"))
            return r.returncode, r.stdout + r.stderr, (here / "calls").read_text().splitlines()

        (here / "times").write_text("0.2")
        (here / "stop").touch()
        code, said, calls = results()
        assert code == 1 and "exit code 3" in said and "the machine was taken away" in said, said
        assert "absent is passed over" in said, said
        assert len(calls) == 1, calls

        code, said, calls = results("--record")  # goes on where it was stopped, and does the rest
        assert code == 0, said
        assert calls[0].startswith("wells train resume=") and len(calls) == 4, calls
        assert "model=" + str(here / "runs/one/first-seed3") in calls[3], calls
        assert "| first | 0.400 ± 0.283 | 2 |" in said, said  # 0.2 and 0.6; the figure that nobody has is no column
        assert "| first | 0.400 ± 0.283 | 2 |" in (here / "page.md").read_text()
        assert json.loads((here / "made.json").read_text())["one"]["version"] == "kern 9"

        code, said, calls = results()  # nothing is made again
        assert code == 0 and not calls and "nothing moved" in said, (said, calls)

        (here / "times").write_text("0.3")
        (here / "commands.toml").write_text(COMMANDS.replace("data={data} seed", "data={data} lr=1 seed"))
        code, said, calls = results()  # another command is, with what stands on it; and what it gives has moved
        assert len(calls) == 4, calls
        assert code == 1 and "moved: one, first: accuracy 0.4000 -> 0.6000" in said, said

        config = here / "a.yaml"  # a configuration of another content is another command
        (here / "commands.toml").write_text(COMMANDS.replace("wells train", f"wells train {config}"))
        config.write_text("lr: 1")
        assert len(results()[2]) == 4 and not results()[2]
        config.write_text("lr: 2")
        assert len(results()[2]) == 4

        code, said, calls = results("one/fir", "--runs", "1")  # a row by its name, and the first of its runs
        assert code in (0, 1) and "| first | 0.300 | 1 |" in said and not calls, (said, calls)
        code, said, calls = results("one/second")
        assert code == 1 and "no row of one has 'second' in its name" in said and not calls, (said, calls)
        code, said, _ = results("two")
        assert code == 1 and "no table is called two" in said, said


main()
print("scripts/results does what it says")
