#!/usr/bin/env python3
"""Reads a LAS file before and after `kern wells predict` with lasio: the old curves are equal, the new ones are sane.

usage: lasio_check.py BEFORE.las AFTER.las MNEMONIC CLASSES
Exit code 0: as it should be. 77: lasio is not installed. Anything else: a fault, named on stderr.
"""
import sys

try:
    import lasio
    import numpy
except ImportError:
    sys.exit(77)


def main():
    before, after = lasio.read(sys.argv[1]), lasio.read(sys.argv[2])
    mnemonic, classes = sys.argv[3], int(sys.argv[4])
    old, new = before.keys(), after.keys()
    assert new[: len(old)] == old, f"the curves {old} became {new}"
    for name in old:
        numpy.testing.assert_array_equal(before[name], after[name], err_msg=name)
    added = new[len(old):]
    assert len(added) == 1 + classes and added[0] == mnemonic, f"added curves: {added}"
    label = after[mnemonic]
    probability = numpy.stack([after[name] for name in added[1:]])
    seen = numpy.isfinite(label)
    assert seen.any(), "no sample was predicted"
    assert set(label[seen].astype(int)) <= set(range(classes)), set(label[seen])
    numpy.testing.assert_allclose(probability[:, seen].sum(axis=0), 1, atol=1e-3)
    numpy.testing.assert_array_equal(probability[:, seen].argmax(axis=0)[probability[:, seen].max(axis=0) > 0.51],
                                     label[seen][probability[:, seen].max(axis=0) > 0.51])


main()
