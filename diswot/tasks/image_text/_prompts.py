"""Class names in several languages, and the sentences that describe them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

TEMPLATES = {"en": "a drawing of {}", "zh": "一张{}的图画"}
"""Language → template of prompts about drawings, a sentence around the name of a class."""

PHOTO_TEMPLATES = {"en": "a photo of {}", "zh": "一张{}的照片"}
"""Language → template of prompts about photos."""


@dataclass(frozen=True)
class ClassNames:
    """Names of classes by language, with the sentences about them.

    Attributes:
        by_language: language → name of every class, in the order of labels; the first language
            is the one in which students are trained.
        templates: language → sentence with `{}` for the name; other languages have the names
            alone.
        descriptions: language → description of every class, which follows the sentence; empty
            for classes without one.

    Examples:
        >>> names = ClassNames({"en": ("apple", "bus"), "zh": ("苹果", "公共汽车")})
        >>> len(names), names.languages, names.prompts("en")
        (2, ('en', 'zh'), ('a drawing of apple', 'a drawing of bus'))
        >>> described = ClassNames({"en": ("bus",)}, descriptions={"en": ("It is long.",)})
        >>> described.prompts("en")
        ('a drawing of bus . It is long.',)
    """

    by_language: Mapping[str, tuple[str, ...]]
    templates: Mapping[str, str] = field(default_factory=lambda: dict(TEMPLATES))
    descriptions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(next(iter(self.by_language.values())))

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages, the one of training first."""
        return tuple(self.by_language)

    def prompts(self, language: str) -> tuple[str, ...]:
        """Return a sentence about every class, followed by its description if there is one.

        Source of the form: the released code of VLM-OOD.
        """
        template = self.templates.get(language, "{}")
        names = self.by_language[language]
        descriptions = self.descriptions.get(language, ("",) * len(names))
        sentences = (template.replace("{}", name) for name in names)
        return tuple(
            f"{sentence} . {description}" if description else sentence
            for sentence, description in zip(sentences, descriptions, strict=True)
        )

    @property
    def all_prompts(self) -> tuple[str, ...]:
        """The sentences about all classes, language by language."""
        return tuple(text for language in self.languages for text in self.prompts(language))

    def taken(self, classes: Sequence[int]) -> "ClassNames":
        """Return the names of some classes, in the given order."""

        def chosen(texts: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
            return {
                language: tuple(items[number] for number in classes)
                for language, items in texts.items()
            }

        return replace(
            self, by_language=chosen(self.by_language), descriptions=chosen(self.descriptions)
        )

    def joined(self, others: "ClassNames") -> "ClassNames":
        """Return these names, followed by those of other classes in the same languages."""
        return replace(
            self,
            by_language=_joined(self.by_language, others.by_language),
            descriptions=_joined(self.descriptions, others.descriptions),
        )


def _joined(
    one: Mapping[str, tuple[str, ...]], other: Mapping[str, tuple[str, ...]]
) -> dict[str, tuple[str, ...]]:
    return {language: (*texts, *other[language]) for language, texts in one.items()}
