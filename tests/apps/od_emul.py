#!/usr/bin/env python3
"""OpendTect's side of the External Attribute protocol (WMPlugins), with the standard library alone.

    od_emul.py PROGRAM MODEL            asks for whole sections in several ways and compares the answers
    od_emul.py PROGRAM MODEL --speed [TRACES [SAMPLES]]   traces per second of sections, shown in reading order
"""
import json
import math
import random
import resource
import struct
import subprocess
import sys
import tempfile
import time
import urllib.parse
from array import array

# All that the plugin gives the programs it starts.
ENVIRONMENT = {"IFS": " \t\n", "PATH": "/usr/bin:/bin:/usr/sbin:/sbin"}
NO_WIDGETS = {"Input", "Inputs", "Output", "ZSampMargin", "StepOut", "Help", "Parallel", "MinSamplesPerThread"}


def encoded(text):
    """The plugin's urlencode: everything but [A-Za-z0-9] is escaped, a backslash is doubled."""
    return "".join(
        c if c.isascii() and c.isalnum() else "%5C%5C" if c == "\\" else "%%%02X" % ord(c) for c in text)


def parameters_of(program, model):
    started = time.perf_counter()
    g = subprocess.run([program, model, "-g"], env=ENVIRONMENT, stdin=subprocess.PIPE, capture_output=True, timeout=30)
    seconds = time.perf_counter() - started
    assert g.returncode == 0, g
    assert g.stderr == b"", "any text on stderr makes the attribute fail to load"
    text = g.stdout.decode("ascii")
    assert "+" not in text and "\\" not in urllib.parse.unquote(text), text
    parameters = json.loads(urllib.parse.unquote(text))
    assert "Input" in parameters or "Inputs" in parameters
    assert parameters["Parallel"] is False, "traces would be cut along z over several processes"
    first, last = parameters["ZSampMargin"]["Value"]
    assert first <= 0 <= last
    for name, widget in parameters.items():
        if name not in NO_WIDGETS and not name.startswith("Par_"):
            assert widget["Type"] in ("Number", "Text", "File", "Select") and "Value" in widget, name
    return parameters, seconds


class Survey:
    """Traces as the program sees them: with its margins, which are 0 beyond the ends."""

    def __init__(self, parameters, inlines, crosslines, samples, missing=(), step=1, numbers=(100, 300), trace=None):
        rnd = random.Random(1)
        self.step_out = parameters["StepOut"]["Value"]
        self.before, after = -parameters["ZSampMargin"]["Value"][0], parameters["ZSampMargin"]["Value"][1]
        self.inlines, self.crosslines, self.samples, self.missing = inlines, crosslines, samples, set(missing)
        self.padded, self.step, self.numbers = samples + self.before + after, step, numbers
        self.rows = []  # of every inline: all its traces in one piece
        for _ in range(inlines):
            row = array("f")
            for x in range(crosslines):
                values = trace(x) if trace else [rnd.gauss(0, 1) for _ in range(samples)]
                row.extend([0.0] * self.before + values + [0.0] * after)
            self.rows.append(row.tobytes())

    def there(self, i, x):
        return 0 <= i < self.inlines and 0 <= x < self.crosslines and (i, x) not in self.missing

    def trace(self, i, x, z):
        """With the margins; z: that sample alone."""
        at = 4 * x * self.padded
        if z is None:
            return self.rows[i][at:at + 4 * self.padded]
        at += 4 * z
        return self.rows[i][at:at + 4 * (self.padded - self.samples + 1)]

    def request(self, i, x, z=None):
        """The bytes of a request, and the samples of its answer."""
        n = self.padded if z is None else self.padded - self.samples + 1
        si, sx = self.step_out
        head = struct.pack("<4i", n, 100 + (z or 0), self.numbers[0] + i, self.numbers[1] + x * self.step)
        if si == 0 and z is None and not self.missing and sx <= x < self.crosslines - sx:
            at = 4 * self.padded
            return head + self.rows[i][(x - sx) * at:(x + sx + 1) * at], n
        columns = [self.trace(i + a, x + b, z) if self.there(i + a, x + b) else self.trace(i, x, z)
                   for a in range(-si, si + 1) for b in range(-sx, sx + 1)]
        return head + b"".join(columns), n


class Attribute:
    """The program at work."""

    def __init__(self, program, model, parameters, survey, newer=True, raw=False, changed=None):
        chosen = dict(parameters, **(changed or {}))
        for name in ("StepOut", "ZSampMargin"):
            chosen[name] = {"Value": parameters[name]["Value"]}
        if newer:
            chosen.update(Survey="F3_Demo", SurveyDiskLocation="/nowhere/F3_Demo", InputNames=["Seis"])
        text = json.dumps(chosen, separators=(",", ":"))
        self.survey, self.outputs = survey, len(parameters["Output"])
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen([program, model, "-c", text if raw else encoded(text)], env=ENVIRONMENT,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, bufsize=0)
        ni, nx = (2 * s + 1 for s in survey.step_out)
        self.write(struct.pack("<5i5f", ni * nx, 1, self.outputs, ni, nx, 0.004, 25, 25, 1000, 1e6) +
                   (struct.pack("<i", survey.samples) if newer else b""))

    def write(self, data):
        view = memoryview(data)
        while len(view):
            view = view[self.process.stdin.write(view):]

    def ask(self, i, x, z=None):
        data, n = self.survey.request(i, x, z)
        self.write(data)
        pieces, missing = [], 4 * n * self.outputs
        while missing:
            piece = self.process.stdout.read(missing)
            assert piece, "the program ended early: %s" % self.said()
            pieces.append(piece)
            missing -= len(piece)
        return b"".join(pieces)

    def visible(self, answer, z=None):
        """Of every output, what OpendTect keeps: the margins are cut off."""
        values = array("f")
        values.frombytes(answer)
        n, kept = len(values) // self.outputs, self.survey.samples if z is None else 1
        return [values[o * n + self.survey.before:o * n + self.survey.before + kept] for o in range(self.outputs)]

    def said(self):
        self.log.seek(0)
        return self.log.read().decode()

    def kill(self):
        """There is no other goodbye."""
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()
        said = self.said()
        self.log.close()
        return said


def check(program, model):
    parameters, _ = parameters_of(program, model)
    places = [(i, x) for i in range(3) for x in range(70)]
    rnd = random.Random(2)
    for name, more in (("edges", {}), ("gaps", {"missing": {(1, x) for x in (0, 20, 21, 22, 69)}}),
                       ("crosslines 2 apart, below zero", {"step": 2, "numbers": (-5, -31)})):
        survey = Survey(parameters, 3, 70, 48, **more)
        here = [p for p in places if survey.there(*p)]
        first = None
        for newer, raw, order in ((False, False, "ascending"), (True, False, "ascending"), (True, True, "shuffled"),
                                  (False, True, "shuffled"), (True, False, "by crossline")):
            attribute = Attribute(program, model, parameters, survey, newer, raw)
            asked = sorted(here, key=lambda p: (p[1], p[0])) if order == "by crossline" else list(here)
            if order == "shuffled":
                rnd.shuffle(asked)
            # A distance of crosslines that the survey's file does not tell is learnt from neighbours.
            if survey.step != 1:
                attribute.ask(0, 30), attribute.ask(0, 31)
            answers = {p: attribute.ask(*p) for p in asked}
            for p, answer in answers.items():
                probability, thinned, dip = attribute.visible(answer)
                assert all(0 <= v <= 1 for v in probability), (name, p)
                assert all(t == 0 or t == v for t, v in zip(thinned, probability)), (name, p)
                assert all(math.isnan(d) or 0 <= d <= 90 for d in dip), (name, p)
            first = first or answers
            assert answers == first, "%s: the answers depend on the order of requests (%s)" % (name, order)
            for z in (0, 17, 47):  # a time slice asks for one sample of each trace
                for p in here[:4]:
                    value, = attribute.visible(attribute.ask(*p, z), z)[0]
                    assert 0 <= value <= 1
            said = attribute.kill()
            assert said == "", said
        print("%s: %d traces, both headers, %d outputs: well" % (name, len(here), len(parameters["Output"])))


def speed(program, model, traces=2000, samples=500):
    parameters, seconds = parameters_of(program, model)
    print("-g: %.1f ms" % (1000 * seconds))
    rnd = random.Random(3)
    some = [[rnd.gauss(0, 1) for _ in range(samples)] for _ in range(97)]
    survey = Survey(parameters, 1, traces, samples, trace=lambda x: some[x % 97])
    attribute = Attribute(program, model, parameters, survey)
    attribute.ask(0, traces // 2)  # the model is read, memory taken
    started, ours = time.perf_counter(), time.process_time()
    for x in range(traces):
        attribute.ask(0, x)
    seconds, ours = time.perf_counter() - started, time.process_time() - ours
    # What the pipes and this script cost: the same traces again, when every answer is remembered.
    started, again = time.perf_counter(), min(100, traces)
    for x in range(traces - again, traces):
        attribute.ask(0, x)
    pipes = (time.perf_counter() - started) / again
    attribute.kill()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print("%d traces of %d samples: %.0f traces/s, %.0f %% of the time for the pipes; processor time a trace: "
          "%.2f ms of the program, %.2f ms of this script" %
          (traces, samples, traces / seconds, 100 * pipes * traces / seconds,
           1000 * (used.ru_utime + used.ru_stime) / traces, 1000 * ours / traces))


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    if "--speed" in sys.argv:
        speed(sys.argv[1], sys.argv[2], *map(int, sys.argv[4:6]))
    else:
        check(sys.argv[1], sys.argv[2])
