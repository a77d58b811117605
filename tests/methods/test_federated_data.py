"""The division of data among clients, and errors in it."""

from pathlib import Path

import numpy as np
import pytest
import torch

from diswot.errors import DataError, OptionError
from diswot.methods.federated import Mix, dirichlet_shares, read_shares
from tests.methods.federated import federation, small_data

LABELS = torch.arange(400) % 10


@pytest.mark.parametrize("alpha", [0.05, 0.5, 100.0])
def test_every_example_has_at_most_one_owner(alpha: float) -> None:
    shares = dirichlet_shares(LABELS, clients=8, alpha=alpha, samples=30)
    owned = [index for share in shares for index in share.indices or ()]
    assert len(owned) == len(set(owned)) == 240
    for share in shares:
        assert len(Mix.of(LABELS[list(share.indices or ())]).counts) >= 2


def test_small_alpha_gives_fewer_classes_than_large_alpha() -> None:
    def classes(alpha: float) -> float:
        shares = dirichlet_shares(LABELS, clients=8, alpha=alpha, samples=30)
        return float(np.mean([len(Mix.of(LABELS[list(s.indices or ())]).counts) for s in shares]))

    assert classes(0.1) < 5 < 9 < classes(100.0)


def test_the_division_depends_only_on_the_seed() -> None:
    one, same, other = (dirichlet_shares(LABELS, clients=4, alpha=1, seed=s) for s in (0, 0, 1))
    assert one == same != other


def test_too_few_examples_are_refused() -> None:
    with pytest.raises(OptionError, match="Expected at least 16 training examples, 2 for each of"):
        dirichlet_shares(LABELS[:10], clients=8, alpha=1)
    with pytest.raises(OptionError, match="Expected at least 800 training examples, 100 for each"):
        dirichlet_shares(LABELS, clients=8, alpha=1, samples=100)
    with pytest.raises(OptionError, match="gave none in 1000 tries"):
        dirichlet_shares(LABELS, clients=2, alpha=1e-300, samples=10)


def partition(folder: Path, text: str) -> Path:
    path = folder / "owners.csv"
    path.write_text(text)
    return path


def test_a_file_names_clients_examples_and_budgets(tmp_path: Path) -> None:
    rows = "".join(
        f"{'north' if i < 30 else 'south'},{i},{5 if i < 30 else 9}\n" for i in range(64)
    )
    path = partition(tmp_path, f"client,index,max_params\n{rows}")
    north, south = federation(tmp_path, partition=path).owners
    assert (north.name, north.budget.params, north.data.size("train")) == ("north", 5, 30)
    assert (south.name, south.budget.params, south.data.size("train")) == ("south", 9, 34)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("client,size\na,1\n", "Expected columns client and index or data in"),
        ("client,index\na,0\na,1\n", "Expected at least two clients in"),
        ("client,index\na,0\nb,0\n", "line 3 of .* gives example 0 to b, but a has it"),
        ("client,index\na,0\nb,64\n", "Expected an index from 0 to 63 in line 3 of .*'64'"),
        ("client,index\n../a,0\nb,1\n", "Expected client names that can be folder names"),
        ("client,index\na,0\na,4\nb,1\nb,2\n", "the client a has examples of one class only"),
        ("client,index,max_params\na,0,none\nb,1,5\n", "Expected a number of parameters in line 2"),
    ],
)
def test_errors_in_a_partition_file_name_the_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        federation(tmp_path, partition=partition(tmp_path, text))


def test_a_client_without_examples_is_refused() -> None:
    with pytest.raises(DataError, match="the client a has no training examples"):
        Mix.of(LABELS[:0]).check("a")


def test_clients_with_other_classes_are_refused(tmp_path: Path) -> None:
    text = "client,data\na,digits\nb,digits\n"
    with pytest.raises(DataError, match=r"Expected 4 classes of every client, but a has 10"):
        federation(tmp_path, partition=partition(tmp_path, text))


def test_public_examples_of_another_size_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="Expected public examples of"):
        federation(tmp_path, public="digits")


def test_public_labels_are_not_in_the_clients_data(tmp_path: Path) -> None:
    found = federation(tmp_path)
    assert set(small_data().class_labels("val").tolist()) == {0, 1, 2, 3}
    for owner in found.owners:
        assert not owner.data.split("val").labels.any()  # type: ignore[attr-defined]


def test_shares_are_read_by_name(tmp_path: Path) -> None:
    shares = read_shares(partition(tmp_path, "client,data\na,digits\nb,digits\n"), examples=1)
    assert [(share.name, share.data, share.indices) for share in shares] == [
        ("a", "digits", None),
        ("b", "digits", None),
    ]
