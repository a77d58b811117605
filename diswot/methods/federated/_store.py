"""The folder of a client: the weights after every request, and its own measures."""

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from diswot.methods.federated._client import Answer, Request
from diswot.runs import RecordFile
from diswot.runs.folder import replace_content

MEASURES = "measures.jsonl"
"""Records of a client's measures after every round; they are not sent to the server."""

_STATE = re.compile(r"state-(\d+)-(train|tune)\.safetensors")


class ClientStore:
    """Reads and writes the folder of a client, on the client's side.

    Args:
        folder: the folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def before(self, request: Request) -> bytes | None:
        """Return the last state before a request; `None` if there is none.

        States of a later request are from a round that a killed server did not finish; they
        are replaced when the round is repeated.

        Args:
            request: the request that is to be answered.
        """
        return self._last(before=(request.number, request.phase))

    def save(self, request: Request, answer: Answer) -> None:
        """Write the state after a request, and remove those that no repeated round needs.

        Args:
            request: the request.
            answer: the answer to it.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"state-{request.number}-{request.phase}.safetensors"
        replace_content(path, answer.state)
        if answer.measures:
            record = {"round": request.number, **answer.measures, "seconds": answer.seconds}
            RecordFile(self._folder / MEASURES).append(record)
        states = self._states()
        before = sorted(key for key in states if key < (request.number, "train"))
        for key in before[:-1]:
            states[key].unlink()

    @property
    def last(self) -> bytes | None:
        """The last state; `None` if there is none."""
        return self._last()

    def measures(self) -> dict[int, Mapping[str, Any]]:
        """Return the measures by round."""
        records = RecordFile(self._folder / MEASURES).read(dict)
        return {int(record["round"]): record for record in records}

    def _last(self, *, before: tuple[float, str] = (math.inf, "")) -> bytes | None:
        states = self._states()
        earlier = [key for key in states if key < before]
        return states[max(earlier)].read_bytes() if earlier else None

    def _states(self) -> dict[tuple[int, str], Path]:
        """Return the files of states by round and phase; "train" sorts before "tune"."""
        found = {path: _STATE.fullmatch(path.name) for path in self._folder.glob("state-*")}
        return {(int(match[1]), match[2]): path for path, match in found.items() if match}
