# SPDX-License-Identifier: GPL-2.0-only
"""The kinds of records and their schema."""

import json
from pathlib import Path

import jsonschema
import pytest
import synthetic
from made_stream import CASE, RUN, a_stream
from msgspec.structs import replace

import zapbench
from zapbench import record
from zapbench.error import SchemaError
from zapbench.record import End

SCHEMA = Path(zapbench.__file__).parent / "schema" / f"record-v{record.VERSION}.json"


def test_every_kind_survives_encoding_and_decoding() -> None:
    kinds = (
        synthetic.context(RUN),
        synthetic.samples(RUN, CASE, (1, 2)),
        synthetic.contract(RUN, "contract/dontneed/shmem/4k/64k"),
        synthetic.skip(RUN, CASE),
        synthetic.error(RUN, CASE),
        End(1, 2, 3, 4, v=1, run=RUN),
    )
    for each in kinds:
        assert record.decode(record.encode(each)) == each


def test_a_record_of_before_stays_what_it_is() -> None:
    """So that a published report is made again from its records, to the byte."""
    new = ("start", "boot_id", "machine", "samples", "max_seconds")
    full = synthetic.context(replace(RUN, tier="icount"))
    assert None not in [getattr(full, name) for name in new]
    old = replace(full, **dict.fromkeys(new))
    line = record.encode(old)
    assert set(json.loads(record.encode(full))) - set(json.loads(line)) == set(new)
    assert record.decode(line) == old


def test_counts_are_of_calls() -> None:
    counted = record.Promise(True, True, "", counts={"calls": 5, "mmap_write": 0})
    contract = synthetic.contract(RUN, "contract/dontneed/shmem/4k/64k")
    plain = record.encode(contract)
    assert b"counts" not in plain
    contract = replace(contract, promises={"no-write-lock": counted})
    line = record.encode(contract)
    assert record.decode(line) == contract
    for calls in (b"0", b'""'):
        with pytest.raises(SchemaError):
            record.decode(line.replace(b'"calls":5', b'"calls":' + calls))
    with pytest.raises(SchemaError, match="at least one of `calls`"):
        record.decode(line.replace(b'"calls":5,', b""))


def test_committed_schema_is_that_of_the_structs() -> None:
    assert json.loads(SCHEMA.read_text()) == record.json_schema(), "run: make generate"


def test_schema_accepts_what_the_reader_accepts_and_refuses_what_it_refuses() -> None:
    schema = json.loads(SCHEMA.read_text())
    good = json.loads(a_stream()[1])
    jsonschema.validate(good, schema)
    changes: tuple[dict[str, object], ...] = (
        {"v": 2},
        {"kind": "sample"},
        {"values": []},
        {"values": [-1]},
        {"more": 1},
    )
    for change in changes:
        bad = good | change
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(bad, schema)
        with pytest.raises(SchemaError):
            record.decode(json.dumps(bad).encode())
