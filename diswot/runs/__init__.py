"""Run folders: locks, atomic writes, checksums, records and config files."""

from diswot.runs._activity import (
    Activity,
    Stage,
    is_active,
    is_running,
    read_activity,
    watch_activity,
)
from diswot.runs._checksums import (
    CHECKSUM,
    check_file,
    check_line,
    checked,
    digest_of,
    line_with_checksum,
    with_checksum,
    write_with_checksum,
)
from diswot.runs._file_names import (
    JOURNAL,
    MANIFEST,
    METHOD_MANIFEST,
    METRICS,
    REPORT,
    RESULT,
    SHORT_TRAININGS,
    TRAINING_MANIFEST,
)
from diswot.runs._lock import LOCK, Interrupted, check_free, working_in, writing_into
from diswot.runs._records import RecordFile

__all__ = [
    "CHECKSUM",
    "JOURNAL",
    "LOCK",
    "MANIFEST",
    "METHOD_MANIFEST",
    "METRICS",
    "REPORT",
    "RESULT",
    "SHORT_TRAININGS",
    "TRAINING_MANIFEST",
    "Activity",
    "Interrupted",
    "RecordFile",
    "Stage",
    "check_file",
    "check_free",
    "check_line",
    "checked",
    "digest_of",
    "is_active",
    "is_running",
    "line_with_checksum",
    "read_activity",
    "watch_activity",
    "with_checksum",
    "working_in",
    "write_with_checksum",
    "writing_into",
]
