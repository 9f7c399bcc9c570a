"""Which labels a box or an image gets for a MID. Names, the hierarchy and the wanted classes decide."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from record_builders.annotations import Wanted
from record_builders.formats.open_images.hierarchy import Hierarchy
from tfod_tools.base import plugins
from tfod_tools.base.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Classes:
    """The classes of a run.

    Attributes:
      names: the label for each MID: its display name, or the MID if two classes share that name. Empty without
        descriptions; then a MID is its own label.
      wanted: MIDs of the classes to keep; None for all.
      hierarchy: of the classes; empty if boxes must not count for ancestors.
    """

    names: Mapping[str, str]
    wanted: frozenset[str] | None
    hierarchy: Hierarchy

    @classmethod
    def of(cls, descriptions: Mapping[str, str], hierarchy: Hierarchy, wanted: Wanted) -> Classes:
        """The classes that `wanted` names, by display name (upper or lower case) or by MID.

        Args:
          descriptions: display name for each MID; may be empty.
          hierarchy: of the classes; may be empty.
          wanted: which part of the annotations to read.

        Raises:
          UsageError: a class does not exist, or several classes have the name.
        """
        shared = {name for name, count in Counter(descriptions.values()).items() if count > 1}
        names = {mid: mid if name in shared else name for mid, name in descriptions.items()}
        mids = frozenset(_mid(name, descriptions) for name in wanted.classes) if wanted.classes else None
        return cls(names=names, wanted=mids, hierarchy=hierarchy if wanted.expand_hierarchy else Hierarchy.none())

    def is_known(self, mid: str) -> bool:
        """Whether `mid` has a label."""
        return not self.names or mid in self.names

    def of_present(self, mid: str) -> tuple[str, ...]:
        """Labels for a box or an image that shows `mid`: the class itself and its ancestors."""
        return self._labels(mid, self.hierarchy.ancestors.get(mid, frozenset()))

    def of_absent(self, mid: str) -> tuple[str, ...]:
        """Labels that an image without `mid` cannot have: the class itself and its descendants."""
        return self._labels(mid, self.hierarchy.descendants.get(mid, frozenset()))

    def boxed(self) -> frozenset[str] | None:
        """The MIDs whose boxes count for a wanted class; None for all."""
        if self.wanted is None:
            return None
        return self.wanted.union(*(self.hierarchy.descendants.get(mid, frozenset()) for mid in self.wanted))

    def labelled(self) -> frozenset[str] | None:
        """The MIDs whose labels, present or absent, count for a wanted class; None for all."""
        boxed = self.boxed()
        if self.wanted is None or boxed is None:
            return None
        return boxed.union(*(self.hierarchy.ancestors.get(mid, frozenset()) for mid in self.wanted))

    def _labels(self, mid: str, others: frozenset[str]) -> tuple[str, ...]:
        mids = (mid, *sorted(others))
        return tuple(self.names.get(each, each) for each in mids if self.wanted is None or each in self.wanted)


def _mid(name: str, descriptions: Mapping[str, str]) -> str:
    if name in descriptions or not descriptions:
        return name
    found = [mid for mid, shown in descriptions.items() if shown.casefold() == name.casefold()]
    if len(found) > 1:
        raise UsageError(
            f"the classes {', '.join(found)} have the same name '{name}'. Give --classes the MID of one of them."
        )
    if not found:
        known = set(descriptions.values())
        raise UsageError(f"no class has the name '{name}'. {plugins.suggestion(name, known)}")
    return found[0]
