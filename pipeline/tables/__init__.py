"""Files of statements in, tables out: formats, line numbers, spreadsheets made safe, no half-written file."""

from pipeline.tables.dictionary import write_dictionary
from pipeline.tables.draft import open_draft
from pipeline.tables.reading import (
    BadRow,
    check_columns,
    estimated_rows,
    parquet_parts,
    read_frame,
    read_parquet_part,
    read_statements,
)
from pipeline.tables.writing import (
    atomic_path,
    csv_cell,
    open_output,
    open_table_writer,
    spreadsheet_safe,
    write_frame,
)

__all__ = [
    "BadRow",
    "atomic_path",
    "check_columns",
    "csv_cell",
    "estimated_rows",
    "open_draft",
    "open_output",
    "open_table_writer",
    "parquet_parts",
    "read_frame",
    "read_parquet_part",
    "read_statements",
    "spreadsheet_safe",
    "write_dictionary",
    "write_frame",
]
