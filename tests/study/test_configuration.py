"""A configuration is looked at before Snakemake reads it: a sentence, within a moment, whatever the file is."""

import os
import subprocess
import time
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from snakemake.common.configfile import load_configfile

from sphereconn.errors import InputError
from sphereconn.study.configuration import check_configuration
from sphereconn_runner.start import command

ROOT = Path(__file__).parents[2]


@pytest.fixture
def study(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return Path("study.yaml")


def refusal(path):
    started = time.monotonic()
    with pytest.raises(InputError) as caught:
        check_configuration(path)
    assert time.monotonic() - started < 5
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert message.count(str(path)) == 1
    assert "\n" not in message
    return message


@pytest.mark.parametrize("path", sorted((ROOT / "config").glob("*.yaml")), ids=lambda path: path.name)
def test_the_studies_that_we_ship_pass(path):
    check_configuration(path)


LAUGHS = "a0: &a0 [ha, ha]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("a: 1\nb: 2\na: 3\n", "line 3: the key a stands in line 1 already"),
        ("a:\n  b: {c: 1,\n    c: 2}\n", "line 3: the key a.b.c stands in line 2 already"),
        ("x:\n- {b: 1}\n- {b: 1, b: 2}\n", "line 3: the key x.b stands in line 3 already"),
        ("2020: 1\n'2020': 2\n", "line 2: the key 2020 stands in line 1 already"),
        ("a: 1\nb: [1, 2\nc: 3\n", "line 3, column 2: did not find expected ',' or ']'"),
        (
            "a: b: c\n",
            "line 1, column 5: mapping values are not allowed in this context; put values that contain a colon",
        ),
        ("a:\n\tb: 1\n", "line 2, column 1: found character that cannot start any token"),
        ("a: 'x\n", "found unexpected end of stream"),
        ("a: *b\n", "line 1, column 4: found undefined alias"),
        ("a: 1\n---\nb: 1\n", "line 2, column 1: but found another document"),
        ("a: !!python/object/apply:os.system [id]\n", "line 1, column 4: could not determine a constructor"),
        ("{[1]: 2}: 3\n", "line 1, column 1: found unhashable key"),
        ("a: 2020-13-45\n", "a value cannot be read (month must be in 1..12)"),
        ("a: " + "1" * 5000 + "\n", "a value cannot be read (Exceeds the limit"),
        ("a: " + "1:" * 20_000 + "1\n", "line 1: a value has more than 10,000 characters"),
        ("a:\n  010: {b: 1}\n", "line 2: the key a.010 would be read as 8; put it in quotes"),
        ("a: [csf, trans_?]\n", "line 1, column 16: expected ',' or ']', but got '?'; put names that hold signs such"),
        ("a: [*csf]\n", "line 1, column 5: found undefined alias; put names that hold signs such as"),
        ("1_0: 1\n", "line 1: the key 1_0 would be read as 10; put it in quotes"),
        ("yes: 1\n", "line 1: the key yes would be read as True; put it in quotes"),
        ("__use_yte__: true\n?__import__('os').system('id'): 1\n", "__use_yte__ is not allowed"),
        ('{"__use_yte__": true}', "__use_yte__ is not allowed"),
        ("&a\nb: *a\n", "line 2: *a is used within its own definition"),
        (LAUGHS, "line 6: the configuration has more than 100,000 values"),
        ("a: " + "[" * 10_000, "line 1: the values are nested more than 20 deep"),
        ('{"a":' * 100_000, "line 1: the values are nested more than 20 deep"),
        ("a:\n" + "  - 1\n" * 200_000, "a configuration has at most 1,000,000"),
        ("- 1\n", "keys and values are expected"),
        ("", "keys and values are expected"),
        (b"\x1f\x8b\x08\xff", "this is not a text file"),
        ("a: 1\n".encode("utf-16"), "this is not a text file"),
        (b"a: \0\n", "control characters are not allowed"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(study, content, sentence):
    study.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert sentence in refusal(study)


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda path: os.symlink("/dev/zero", path)])
def test_what_is_no_file_is_not_waited_for(study, make):
    make(study)
    assert "this is not a file" in refusal(study)


def test_a_file_that_is_not_there_or_too_large_is_said(study):
    assert "No such file" in refusal(study)
    with open(study, "wb") as file:
        file.truncate(1 << 40)
    assert "has 1,099,511,627,776 bytes" in refusal(study)


@pytest.mark.parametrize(
    "text",
    [
        "a: &same {c: 1}\nb: *same\nd: {<<: *same, c: 2}\n",  # what is merged may be written over
        "a: {c: 1}\nb: {c: 1}\n",
        '{"a":\t1}',
        '{\n\t"a": 1\n}',
        "\ufeffa: 1\n",
    ],
)
def test_what_yaml_and_json_allow_is_allowed(study, text):
    study.write_text(text, encoding="utf-8")
    check_configuration(study)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.dates(),
    lambda item: st.lists(item, max_size=3) | st.dictionaries(st.text(max_size=3) | st.integers(), item, max_size=3),
    max_leaves=8,
)
signs = st.text(st.sampled_from("ab01 \n\t:-,[]{}&*!|>'\"#%@?<~."), max_size=30)


@given(st.dictionaries(st.text(max_size=3), values).map(yaml.safe_dump) | signs | st.text(max_size=20))
def test_what_passes_is_read_by_snakemake(tmp_path_factory, text):
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_bytes(text.encode("utf-8", errors="surrogatepass"))
    try:
        check_configuration(path)
    except InputError:
        return
    assert isinstance(load_configfile(path), dict)


def test_the_checked_start_says_one_sentence_and_starts_nothing(study):
    study.write_text("a: [1\n")
    done = subprocess.run([ROOT / "sphereconn", study, "-n"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: study.yaml: line 2, column 1: ")
    assert subprocess.run([ROOT / "sphereconn"], capture_output=True, text=True).stderr.startswith("usage: ")


def test_the_checked_start_hands_all_else_to_snakemake(study):
    snakefile = os.path.relpath(ROOT / "Snakefile")
    assert command("study.yaml", ["-n", "--cores", "2", "signals"])[2:] == [
        *("-m", "snakemake", f"--snakefile={snakefile}", "--configfile=study.yaml", "--cores=all"),
        *("-n", "--cores", "2", "signals"),
    ]
    assert "--cores=all" not in command("study.yaml", ["--profile", "profiles/slurm"])
