"""Upload an exported student to the Hugging Face Hub."""

import os
from pathlib import Path

from diswot.errors import OptionError, RunError, first_line
from diswot.runtimes import require


def check_repo(repo: str) -> None:
    """Check, before anything is exported, that a student can be uploaded.

    Args:
        repo: `OWNER/NAME` of the repository.

    Raises:
        MissingExtraError: huggingface_hub is not installed.
        OptionError: the name is invalid, `HF_HUB_OFFLINE` is set, or the user is not logged in.
    """
    require(("huggingface_hub",), "hf", "--push-to-hub")
    from huggingface_hub import constants, get_token
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]

    if repo.count("/") != 1:
        raise OptionError(
            f"Expected the name of a repository to be OWNER/NAME, but got {repo!r}: "
            "name a user or an organization of the Hub too"
        )
    try:
        validate_repo_id(repo)
    except HFValidationError as error:
        raise OptionError(
            f"the Hub refused the repository {repo!r}: {first_line(error)}"
        ) from error
    if constants.HF_HUB_OFFLINE:
        raise OptionError(
            "access to the Hub is switched off: unset HF_HUB_OFFLINE, or upload the folder later"
        )
    if get_token() is None:
        raise OptionError("you are not logged in to the Hub: run `hf auth login`, or set HF_TOKEN")


def push(folder: Path, repo: str) -> str:
    """Upload all files of an exported student; return the URL of the commit.

    If the repository does not exist, a private one is created.

    Args:
        folder: folder of the exported student.
        repo: `OWNER/NAME` of the repository.

    Raises:
        RunError: the upload fails; the folder is not changed.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.utils import disable_progress_bars  # type: ignore[attr-defined]

    disable_progress_bars()
    api = HfApi()
    try:
        api.create_repo(repo, private=True, exist_ok=True)
        done = api.upload_folder(
            repo_id=repo,
            folder_path=folder,
            commit_message="Student exported by DisWOT",
            ignore_patterns=["*__pycache__*"],
        )
    except Exception as error:
        raise RunError(
            f"the student is in {folder}, but could not be uploaded to {repo} "
            f"({type(error).__name__}: {first_line(error)}): hf upload {repo} {os.fspath(folder)}"
        ) from error
    return str(done.commit_url)
