"""scripts/hostile finds each of these faults in a program: planted.py HOSTILE KERN."""
import os
import subprocess
import sys
import tempfile

hostile, kern = sys.argv[1:]
# What the planted program does when asked to predict (or, the last one, to resume), instead of or after what kern does.
FAULTS = {
    "ends by a signal": ('predict', 'kill -SEGV $$'),
    "ends with a fault of its own": ('predict', 'exit 3'),
    "refuses without a sentence": ('predict', 'exit 1'),
    "leaves a temporary file": ('predict', '{kern} "$@"; code=$?; for a; do case $a in out=*) '
                                'touch "$(dirname "${{a#out=}}")/x.tmp1";; esac; done; exit $code'),
    "resumes to another model": ('resume=', '{kern} "$@"; code=$?; for a; do case $a in resume=*) '
                                 'echo >> "${{a#resume=}}/model.safetensors";; esac; done; exit $code'),
}
missed = []
with tempfile.TemporaryDirectory() as folder:
    for name, (when, what) in FAULTS.items():
        program = os.path.join(folder, "kern")
        with open(program, "w") as f:
            f.write(f'#!/bin/bash\ncase " $* " in *"{when}"*) {what.format(kern=kern)};; *) exec {kern} "$@";; esac\n')
        os.chmod(program, 0o755)
        done = subprocess.run([sys.executable, hostile, "--kern", program, "--seconds", "60", "--rounds", "12",
                               "--keep", os.path.join(folder, "kept")], capture_output=True, text=True)
        if done.returncode != 1 or "did not hold" not in done.stdout:
            missed.append(f"{name}: exit {done.returncode}, {done.stdout[-300:]}{done.stderr[-300:]}")
print("\n".join(missed) or f"{len(FAULTS)} planted faults, all found")
sys.exit(bool(missed))
