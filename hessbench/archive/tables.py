"""Results tables as an archive holds them: the same rows, in a quarter of the bytes.

Sums of errors are kept to `BITS` binary digits, which is more than tables and figures show: random digits
beyond them are what compresses worst.
"""

from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from hessbench.results.store.tables import BROUGHT, CHECKSUM_KEY
from hessbench.system.files import replacing
from hessbench.system.seal import BLANK, seal

BITS = 14
"""Binary digits of a number that are kept: it is off by 6e-5 of itself at most, a mean of many by less."""
FAST, BEST = 3, 19
"""Levels of zstd: to compare by, and to keep."""
ROUNDED = ("errors", BROUGHT, "baselines", "calibration", "curvature", "robustness")
"""Tables with a row a structure, by the first part of their path; numbers of others are kept as they are."""


def pack(source: Path, target: Path, *, rounded: bool) -> None:
    """Write a results table anew, with its provenance, as small as parquet can.

    Parameters
    ----------
    source, target
        The files.
    rounded
        Whether numbers are kept to `BITS` binary digits.
    """
    content = pq.read_table(source)
    numbers = [field.name for field in content.schema if pa.types.is_floating(field.type)]
    metadata = dict(content.schema.metadata or {}) | {CHECKSUM_KEY: BLANK}
    if rounded:
        for name in numbers:
            index = content.schema.get_field_index(name)
            values = content[name].combine_chunks()
            kept = pa.array(
                round_binary(values.to_numpy(zero_copy_only=False)), values.type, mask=_nulls(values)
            )
            content = content.set_column(index, content.schema.field(index), kept)
    content = content.replace_schema_metadata(metadata)
    split, whole = (_column_bytes(_parquet(content, trial, FAST)) for trial in (numbers, []))
    smallest = _parquet(content, [name for name in numbers if split[name] < whole[name]], BEST)
    with replacing(target) as temporary:
        temporary.write_bytes(seal(smallest.to_pybytes()))


def _parquet(content: pa.Table, split: list[str], level: int) -> pa.Buffer:
    """Content of a file whose columns `split` are stored byte by byte, and the others with dictionaries."""
    buffer = pa.BufferOutputStream()
    pq.write_table(
        content,
        buffer,
        compression="zstd",
        compression_level=level,
        use_dictionary=[name for name in content.column_names if name not in split],
        use_byte_stream_split=split,
    )
    return buffer.getvalue()


def _column_bytes(file: pa.Buffer) -> Counter[str]:
    found: Counter[str] = Counter()
    metadata = pq.ParquetFile(pa.BufferReader(file)).metadata
    for group in range(metadata.num_row_groups):
        for index in range(metadata.num_columns):
            column = metadata.row_group(group).column(index)
            found[column.path_in_schema] += column.total_compressed_size
    return found


def round_binary(values: NDArray[np.float64], bits: int = BITS) -> NDArray[np.float64]:
    """Round numbers to so many binary digits."""
    mantissa, exponent = np.frexp(values)
    return np.ldexp(np.round(mantissa * 2.0**bits) / 2.0**bits, exponent)


def _nulls(values: pa.Array) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = values.is_null().to_numpy(zero_copy_only=False)
    return found
