"""Released embeddings: pickles are read by an interpreter that can make lists and arrays and nothing else."""

import ast
import gzip
import os
import pickle
import struct
import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from opendpr.errors import InputError
from opendpr.interop.dpr_pickle import read_embeddings
from opendpr.interop.dpr_pickle.interpreter import Limits

SOURCE = Path(__file__).resolve().parents[3] / "src" / "opendpr"
COMMAND = "touch {marker}"
CODE = "open({marker!r}, 'w').close()"


def text(value):
    return b"X" + struct.pack("<I", len(value.encode())) + value.encode()


def call(module, name, *arguments):
    """The instructions for `module.name(*arguments)`, of strings or instructions."""
    given = b"".join(text(argument) if isinstance(argument, str) else argument for argument in arguments)
    return f"c{module}\n{name}\n".encode() + b"(" + given + b"tR"


def stack_global(module, name, argument):
    return text(module) + text(name) + b"\x93(" + text(argument) + b"}tR"


# a call of _codecs.encode with 200,000 characters, whose function and arguments have the names 0 and 1
ENCODED = b"c_codecs\nencode\n\x94" + text("x" * 200_000) + text("latin1") + b"\x86\x94R"


def shard(item):
    """A list with one record, whose vector is what the instructions make."""
    return b"\x80\x04]" + text("1") + item + b"\x86a."


def object_array(item):
    """numpy's pickle of an array of one object."""
    empty = b"cnumpy\nndarray\n(K\x00tU\x01btR"
    kind = b"cnumpy\ndtype\n(" + text("O8") + b"K\x00K\x01tR(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x3ftb"
    return (
        b"cnumpy.core.multiarray\n_reconstruct\n("
        + empty[:15]
        + b"K\x00\x85U\x01btR(K\x01K\x01\x85"
        + kind
        + (b"\x89(" + item + b"ltb")
    )


def hostile(marker):
    """Name of what must be refused, and a pickle that asks for it. Most would make the marker if they were run."""
    command, code = COMMAND.format(marker=marker), CODE.format(marker=str(marker))
    system = call("posix", "system", command)
    return {
        "os.system": call("os", "system", command),
        "posix.system": system,
        "nt.system": call("nt", "system", command),
        "subprocess.Popen": call("subprocess", "Popen", b"(" + text("touch") + text(str(marker)) + b"l"),
        "subprocess.check_output": call("subprocess", "check_output", b"(" + text("touch") + text(str(marker)) + b"l"),
        "builtins.eval": call("builtins", "eval", code),
        "builtins.exec": call("builtins", "exec", code),
        "__builtin__.eval": call("__builtin__", "eval", code),
        "builtins.getattr": b"cbuiltins\ngetattr\n(cos\nos\n" + text("system") + b"tR(" + text(command) + b"tR",
        "builtins.__import__": call("builtins", "__import__", "os"),
        "builtins.open": call("builtins", "open", str(marker), "w"),
        "runpy._run_code": call("runpy", "_run_code", code, b"}"),
        "importlib.import_module": call("importlib", "import_module", "antigravity"),
        "pickle.loads": call("pickle", "loads", b"B" + struct.pack("<I", len(system) + 1) + system + b"."),
        "functools.partial": call("functools", "partial", b"cos\nsystem\n", command) + b")R",
        "numpy.testing._private.utils.runstring": stack_global("numpy.testing._private.utils", "runstring", code),
        "numpy.testing._private": stack_global("numpy", "testing._private.utils.runstring", code),
        "numpy.core.multiarray.fromfile": call("numpy.core.multiarray", "fromfile", "/etc/passwd"),
        "numpy.load": call("numpy", "load", "/etc/passwd"),
        "torch._utils._rebuild_tensor_v2": call("torch._utils", "_rebuild_tensor_v2", "x"),
        "torch.storage._load_from_bytes": call("torch.storage", "_load_from_bytes", "x"),
        "copyreg._reconstructor": call("copyreg", "_reconstructor", b"cbuiltins\nobject\ncbuiltins\nobject\nN"),
        "copy_reg._reconstructor": call("copy_reg", "_reconstructor", b"c__builtin__\nobject\nc__builtin__\nobject\nN"),
        "INST": b"(" + text(command) + b"ios\nsystem\n",
        "OBJ": b"(cos\nsystem\n" + text(command) + b"o",
        "NEWOBJ": text("x") + b")\x81",
        "PERSID": b"Pstorage\n",
        "BINPERSID": text("storage") + b"Q",
        "EXT1": b"\x82\x01",
        "state of something that is no array": b"cnumpy\nndarray\n)b",
        "numpy.core.multiarray._reconstruct.__globals__": stack_global(
            "numpy.core.multiarray", "_reconstruct.__globals__", code
        ),
    }


NAMES = list(hostile("x"))


def refusal(tmp_path, content, limits=Limits()):
    path = tmp_path / "shard_0.pkl"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        list(read_embeddings(path, limits))
    assert str(caught.value).startswith(f"{path}: ")
    return str(caught.value)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("place", ["in a record", "alone", "in an array of objects"])
def test_a_hostile_pickle_is_refused_by_name_and_not_run(tmp_path, name, place):
    marker = tmp_path / "marker"
    item = hostile(marker)[name]
    content = {"in a record": shard(item), "alone": item + b".", "in an array of objects": shard(object_array(item))}
    message = refusal(tmp_path, content[place])
    assert not marker.exists()
    if place == "in an array of objects":
        assert "arrays of objects are refused" in message or name in message
    else:
        assert {"OBJ": "os.system"}.get(name, name) in message


def test_the_hostile_pickles_are_armed(tmp_path):
    """Python's own interpreter, in a process of its own, makes the markers that ours does not."""
    made = []
    for number, name in enumerate(NAMES):
        marker, path = tmp_path / f"marker{number}", tmp_path / f"{number}.pkl"
        path.write_bytes(shard(hostile(marker)[name]))
        made.append((name, marker, path))
    script = (
        "import pickle, sys, warnings\nwarnings.simplefilter('ignore')\n"
        "for path in sys.argv[1:]:\n"
        "    try:\n        pickle.load(open(path, 'rb'))\n    except BaseException: pass\n"
    )
    subprocess.run([sys.executable, "-c", script, *(path for _, _, path in made)], capture_output=True, timeout=120)
    armed = {name for name, marker, _ in made if marker.exists()}
    assert {"os.system", "posix.system", "builtins.eval", "builtins.exec", "INST", "OBJ", "pickle.loads"} <= armed
    assert {"functools.partial", "subprocess.check_output", "numpy.testing._private.utils.runstring"} <= armed


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (shard(b"\x8e" + struct.pack("<Q", 1 << 60)), "asks for a string of"),
        (shard(b"B\xff\xff\xff\xff"), "asks for a string of"),
        (shard(b"Nr\xff\xff\xff\xff"), "expected a vector"),
        (shard(b"\x80\x04" + b"N" * 3_000), "would fill the memory"),
        (shard(b"]\x940" * 3_000), "would fill the memory"),
        (b"\x80\x04]" + b"(" * 3_000, "would fill the memory"),
        (shard(b"]" + b"]a" * 300_000), "would fill the memory"),
        (shard(b"N" + b"\x85" * 300_000), "would fill the memory"),
        (shard(b"]" + ENCODED + b"\x94a" + b"h\x00h\x01Ra" * 1_000), "would fill the memory"),
        (b"(" * 1_000 + b"t" * 2_000, "more from its stack"),
        (b"\x80\x04]h\x05.", "never made"),
        (b"PK\x03\x04archive/data.pkl", "refused"),
        (b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.", "expected a list of (id, vector), found int"),
        (b"", "the file ends"),
        (shard(text("vector")), "expected a vector of floating point numbers, found str"),
        (b"\x80\x04]K\x01a.", "expected (id, vector), found int"),
    ],
)
def test_a_pickle_that_asks_for_too_much_or_is_no_shard_is_refused(tmp_path, content, problem):
    small = Limits(pending_objects=2_000, pending_bytes=1_000_000)
    tracemalloc.start()
    try:
        assert problem in refusal(tmp_path, content, small)
        assert tracemalloc.get_traced_memory()[1] < 6_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "vector",
    [np.zeros((2, 2), np.float32), np.zeros(3, np.int64), np.array([], np.float32), np.zeros(3, np.complex64), None],
)
def test_what_is_no_vector_is_refused(tmp_path, vector):
    assert "expected a vector" in (message := refusal(tmp_path, pickle.dumps([("a", vector)]))) or "refused" in message


def test_an_array_whose_shape_does_not_fit_its_bytes_is_refused(tmp_path):
    content = pickle.dumps([("a", np.zeros(3, np.float32))], protocol=4)
    assert content.count(b"K\x03\x85") == 1
    assert "do not fit" in refusal(tmp_path, content.replace(b"K\x03\x85", b"K\x04\x85"))
    assert "do not fit" in refusal(tmp_path, content.replace(b"K\x03\x85", b"J\xff\xff\xff\x7f\x85"))


@pytest.mark.parametrize("dtype", ["<f4", ">f4", "<f2", "<f8"])
@pytest.mark.parametrize("protocol", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("rows", [1, 2, 2_100])
def test_what_python_writes_is_read_as_python_reads_it(tmp_path, dtype, protocol, rows):
    vectors = np.random.default_rng(0).normal(size=(rows, 5)).astype(dtype)
    content = pickle.dumps([(f"wiki:{n}", vectors[n]) for n in range(rows)], protocol=protocol)
    path = tmp_path / "a.pkl"
    path.write_bytes(content)
    result = list(read_embeddings(path))
    assert [id for id, _ in result] == [f"wiki:{n}" for n in range(rows)]
    assert np.array_equal(np.stack([vector for _, vector in result]), vectors)


def test_ids_may_be_integers_of_python_or_numpy_and_vectors_lists(tmp_path):
    path = tmp_path / "a.pkl.gz"
    vector = np.arange(3, dtype=np.float32)
    records = [(7, vector), (np.int64(8), vector), [b"9", vector.tolist()], ("10", vector[::2])]
    path.write_bytes(gzip.compress(pickle.dumps(records)))
    result = list(read_embeddings(path))
    assert [id for id, _ in result] == ["7", "8", "9", "10"]
    assert [vector.tolist() for _, vector in result] == [[0.0, 1.0, 2.0]] * 3 + [[0.0, 2.0]]


def test_the_module_names_of_numpy_1_and_2_are_both_read(tmp_path):
    content = pickle.dumps([("a", np.zeros(3, np.float32))], protocol=2)
    assert b"numpy._core.multiarray" in content
    path = tmp_path / "a.pkl"
    for name in (b"numpy._core.multiarray", b"numpy.core.multiarray"):
        path.write_bytes(content.replace(b"numpy._core.multiarray", name))
        assert [id for id, _ in read_embeddings(path)] == ["a"]


def test_memory_does_not_grow_with_the_shard(tmp_path):
    def peak(rows):
        path = tmp_path / f"{rows}.pkl"
        vectors = np.zeros((rows, 64), np.float32)
        path.write_bytes(pickle.dumps([(f"passage-{n}", vectors[n]) for n in range(rows)]))
        tracemalloc.start()
        try:
            assert sum(1 for _ in read_embeddings(path)) == rows
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak(4_000) < 1.4 * peak(2_000)


def test_no_file_of_the_package_imports_pickle_or_evaluates_text():
    files = list(SOURCE.rglob("*.py"))
    assert SOURCE / "interop" / "dpr_pickle" / "__init__.py" in files
    for path in files:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            modules = {name.split(".")[0] for name in names}
            assert not modules & {"pickle", "_pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}, path
            if isinstance(node, ast.Call):
                assert getattr(node.func, "id", "") not in {"eval", "exec", "literal_eval"}, path
                is_literals = path == SOURCE / "interop" / "literals.py"  # checks the tree of a list before
                assert is_literals or getattr(node.func, "attr", "") != "literal_eval", path


def test_reading_embeddings_raises_no_audit_event_of_unpickling(tmp_path):
    path = tmp_path / "a.pkl"
    path.write_bytes(pickle.dumps([("a", np.zeros(3, np.float32))]))
    script = (
        "import sys\nseen = []\n"
        "sys.addaudithook(lambda event, arguments: seen.append(arguments) if event == 'pickle.find_class' else None)\n"
        "from pathlib import Path\nfrom opendpr.interop.dpr_pickle import read_embeddings\n"
        "print(len(list(read_embeddings(Path(sys.argv[1])))), seen)\n"
        "import pickle\npickle.load(open(sys.argv[1], 'rb'))\nprint(len(seen) > 0)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, path], capture_output=True, text=True, check=True, env=os.environ
    )
    assert done.stdout.split("\n")[:2] == ["1 []", "True"]
