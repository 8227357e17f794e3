#!/usr/bin/env python3
"""scripts/gpu_check, run dry on the emulated device: every part ends well in one call; a call killed in the middle is gone on with; what
scripts/gpu_pack packs runs below a bare root. Called by CTest with the checkout and a build of the preset emulated; 77: skipped."""
import collections
import glob
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import time

root, build = (os.path.realpath(a) for a in sys.argv[1:3])
which = sys.argv[3]
check = [sys.executable, os.path.join(root, "scripts", "gpu_check"), "--dry-run"]
environment = dict(os.environ, BUILD=build)
for name in ("OUT", "KERN_DEVICE", "KERN_PRECISION"):
    environment.pop(name, None)


def ensure(true, what):
    if not true:
        sys.exit("gpu_check: " + what)


def lines_of(state):
    path = os.path.join(state, "results.jsonl")
    if not os.path.exists(path):
        return []
    lines = []
    for line in open(path):
        try:
            lines.append(json.loads(line))
        except ValueError:  # being written
            break
    return lines


def whole(work):
    """One call does every part; the archive is small and holds what was found."""
    done = subprocess.run([*check, "--state", work + "/state", "--out", work + "/out", "--minutes", "14"], env=environment, capture_output=True, text=True)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)  # not the clock: other tests run beside
    seconds = used.ru_utime + used.ru_stime
    print(done.stdout[-12_000:], done.stderr[-2000:], sep="\n")
    ensure(done.returncode == 0, f"the dry run ended with {done.returncode}")
    ensure(seconds < 300, f"the dry run took {seconds:.0f} s of a processor, 300 are allowed")
    table = done.stdout[done.stdout.rindex("=" * 40 + " gpu_check") :]
    ensure(len(table) <= 12_000, f"the table has {len(table)} characters, 12,000 come back")
    archive = work + "/out/results.tgz"
    ensure(os.path.getsize(archive) <= 16 << 20, "results.tgz is larger than 16 MiB")
    with tarfile.open(archive) as packed:
        names = packed.getnames()
    for name in ("results.jsonl", "kernels.jsonl", "table.txt"):
        ensure(name in names, f"results.tgz lacks {name}")
    cases = collections.Counter(line["case"].split("/")[0] for line in lines_of(work + "/state") if line["status"] == "done")
    for part in ("info", "smoke", "test", "steps", "kernels", "memcheck", "racecheck", "ncu", "train"):
        ensure(cases[part] > 0, f"nothing of the part {part} was done")
    print(f"dry run in {seconds:.0f} s of a processor; results.tgz has {os.path.getsize(archive) / 1024:.0f} KiB")


def killed(work):
    """SIGKILL in the middle of a part: the next call goes on, and does nothing twice but what was cut."""
    state = work + "/killed"
    command = [*check, "--state", state, "--out", work + "/out", "info", "tests"]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, start_new_session=True)
    tests_done = lambda: sum(line["case"].startswith("test/") and line["status"] == "done" for line in lines_of(state))
    end = time.monotonic() + 120
    in_the_middle = lambda: tests_done() >= 3 and lines_of(state)[-1]["status"] == "begun"
    while not in_the_middle() and process.poll() is None and time.monotonic() < end:
        time.sleep(0.002)
    ensure(process.poll() is None, "the call ended before it could be killed")
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    before = lines_of(state)
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    print(done.stdout[-3000:])
    ensure(done.returncode == 0, f"the call behind the killed one ended with {done.returncode}")
    after = lines_of(state)
    ensure(after[: len(before)] == before, "what was found before was written anew")
    ended = collections.Counter(line["case"] for line in after if line["status"] in ("done", "failed") and not line["case"].startswith("count/"))
    twice = [case for case, times in ended.items() if times > 1]
    ensure(not twice, f"done twice: {twice}")
    cut = {line["case"] for line in before if line["status"] == "begun"} - {line["case"] for line in before if line["status"] != "begun"}
    ensure(all(ended[case] == 1 for case in cut), f"what was cut was not done: {cut}")
    print(f"killed behind {len(before)} lines, {len(cut)} cases cut, then {len(after) - len(before)} more lines")


def bare(work):
    """The packed file on a machine with Python, a C++ library and nothing else: another root, no network, no compiler."""
    for tool in ("unshare", "chroot", "git", "ldd", "strip", "tar", "xz"):
        if not shutil.which(tool):
            print(f"skipped: {tool} is not here")
            sys.exit(77)
    if subprocess.run(["unshare", "-rn", "true"], capture_output=True).returncode != 0:
        print("skipped: this system allows no root of one's own (unshare -rn)")
        sys.exit(77)
    bare_root, project = work + "/bare", work + "/bare/elsewhere/kern"
    os.makedirs(project)
    for folder in ("tmp", "dev", "proc", "bin"):
        os.makedirs(os.path.join(bare_root, folder))

    def bring(path):
        to = bare_root + path
        if not os.path.exists(to):
            os.makedirs(os.path.dirname(to), exist_ok=True)
            shutil.copy(path, to)

    def bring_with_libraries(path):
        bring(path)
        for library in re.findall(r"(/\S+) \(0x", subprocess.run(["ldd", path], capture_output=True, text=True).stdout):
            bring(library)

    python = os.path.realpath(sys.executable)
    bring_with_libraries(python)
    library = sysconfig.get_path("stdlib")
    shutil.copytree(library, bare_root + library, symlinks=False, ignore_dangling_symlinks=True,
                    ignore=shutil.ignore_patterns("test", "tests", "site-packages", "dist-packages", "__pycache__", "config-*", "idlelib", "lib2to3"))
    for module in glob.glob(library + "/lib-dynload/*.so"):
        bring_with_libraries(module)
    os.close(os.open(bare_root + "/dev/null", os.O_CREAT | os.O_WRONLY))  # a file: no device can be made here
    tracked = subprocess.run(["git", "-C", root, "ls-files", "scripts", "benchmarks", "configs", "tests/gpu_check", "tests/kernels", "tests/models",
                              "tests/engine", "tests/training"], capture_output=True, text=True, check=True).stdout.split("\n")
    for name in tracked:
        if os.path.isfile(os.path.join(root, name)):
            os.makedirs(os.path.dirname(os.path.join(project, name)), exist_ok=True)
            shutil.copy(os.path.join(root, name), os.path.join(project, name))
    os.makedirs(project + "/build")
    packed = dict(os.environ, BUILD=build, PACKED=project + "/build/gpu.tar.xz")
    done = subprocess.run([os.path.join(root, "scripts", "gpu_pack"), "--as-built"], env=packed, capture_output=True, text=True)
    ensure(done.returncode == 0, "scripts/gpu_pack: " + done.stderr[-500:])
    subprocess.run(["tar", "-xJf", packed["PACKED"], "-C", work, "./kern"], check=True)
    for library in re.findall(r"(/\S+) \(0x", subprocess.run(["ldd", work + "/kern"], capture_output=True, text=True).stdout):
        bring(library)
    done = subprocess.run([shutil.which("unshare"), "-rn", shutil.which("chroot"), bare_root, python, "/elsewhere/kern/scripts/gpu_check", "--dry-run", "--out", "/tmp/out", "info", "tests"],
                          env={"PATH": "/bin", "HOME": "/tmp"}, capture_output=True, text=True)
    print(done.stdout[-6000:], done.stderr[-2000:], sep="\n")
    ensure(done.returncode == 0, f"below the bare root it ended with {done.returncode}")
    lines = lines_of(project + "/build/gpu_dry_run")
    ensure(any(line["case"] == "info" and line.get("build") == "build/gpu" for line in lines), "it did not run what was packed")
    ensure(sum(line["case"].startswith("test/") and line["status"] == "done" for line in lines) > 10, "it ran no tests")


with tempfile.TemporaryDirectory(prefix="kern_gpu_check_") as folder:
    {"whole": whole, "killed": killed, "bare": bare}[which](folder)
