"""Columns of a Parquet file; its footer says their names and sizes before any is read."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmark.records.tables import Limits, TableError, check_names, check_size

DAMAGE = (pa.ArrowException, OSError, ValueError)


class ParquetColumns:
    """One column of the file a column, none of them read yet.

    Args:
        data: bytes of the file.

    Raises:
        TableError: it is no Parquet file, or holds more than can be a table of predictions.
    """

    def __init__(self, data: bytes):
        self._data = pa.BufferReader(data)
        try:
            metadata = pq.read_metadata(self._data)
            self._schema = metadata.schema.to_arrow_schema()
        except DAMAGE as error:
            raise TableError(f"not a readable Parquet file ({error})") from None
        self.names, self._lines = self._schema.names, metadata.num_rows
        check_names(self.names)
        groups = [metadata.row_group(i) for i in range(metadata.num_row_groups)]
        check_size(sum(group.total_byte_size for group in groups), len(data))

    def read(self, names: list[str], limits: Limits) -> dict[str, np.ndarray]:
        """(N,) text or numbers of these columns.

        Raises:
            TableError: the file is damaged, has more than is read, or a column is neither text nor
                numbers.
        """
        limits.check_lines(self._lines)
        for name in names:
            kind = self._schema.field(name).type
            if not (_is_text(kind) or pa.types.is_floating(kind) or pa.types.is_integer(kind)):
                raise TableError(f"{name}: {kind}, neither text nor numbers")
        try:
            # As a dictionary a long text that comes again and again is in memory once.
            file = pq.ParquetFile(self._data, read_dictionary=names)
            return {name: _array(name, file.read([name]).column(name), limits) for name in names}
        except DAMAGE as error:
            raise TableError(f"not a readable Parquet file ({error})") from None


def _is_text(kind: pa.DataType) -> bool:
    values = kind.value_type if pa.types.is_dictionary(kind) else kind
    return pa.types.is_string(values) or pa.types.is_large_string(values)


def _array(name: str, column: pa.ChunkedArray, limits: Limits) -> np.ndarray:
    if not pa.types.is_dictionary(column.type):
        return column.to_numpy().astype(np.float64)
    longest = [pc.max(pc.utf8_length(chunk.dictionary)).as_py() for chunk in column.chunks]
    limits.check_text(max((each or 0 for each in longest), default=0), f"{name}: ")
    return pc.fill_null(column.cast(column.type.value_type), "").to_numpy().astype(str)
