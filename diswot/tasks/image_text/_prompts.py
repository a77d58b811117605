"""Class names in several languages, and the sentences that describe them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

TEMPLATES = {"en": "a drawing of {}", "zh": "一张{}的图画"}
"""Language → template of prompts, a sentence around the name of a class."""


@dataclass(frozen=True)
class ClassNames:
    """Names of classes by language.

    Attributes:
        by_language: language → name of every class, in the order of labels; the first language
            is the one in which students are trained.

    Examples:
        >>> names = ClassNames({"en": ("apple", "bus"), "zh": ("苹果", "公共汽车")})
        >>> len(names), names.languages, names.prompts("en")
        (2, ('en', 'zh'), ('a drawing of apple', 'a drawing of bus'))
    """

    by_language: Mapping[str, tuple[str, ...]]

    def __len__(self) -> int:
        return len(next(iter(self.by_language.values())))

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages, the one of training first."""
        return tuple(self.by_language)

    def prompts(self, language: str) -> tuple[str, ...]:
        """Return a sentence about every class, by the template of the language.

        A language without template has the names alone.
        """
        template = TEMPLATES.get(language, "{}")
        return tuple(template.format(name) for name in self.by_language[language])

    def taken(self, classes: Sequence[int]) -> "ClassNames":
        """Return the names of some classes, in the given order."""
        return ClassNames(
            {
                language: tuple(names[number] for number in classes)
                for language, names in self.by_language.items()
            }
        )

    def joined(self, others: "ClassNames") -> "ClassNames":
        """Return these names, followed by those of other classes in the same languages."""
        return ClassNames(
            {
                language: (*names, *others.by_language[language])
                for language, names in self.by_language.items()
            }
        )
