"""Which frames of an animation are screened: what is shown longest, each look once, spread over time."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from services.screening.decode.model import View

_SKETCH = 32
_SAME = 3  # of 255, the largest difference of any sketch cell


@dataclass(slots=True)
class _Look:
    view: View
    sketch: NDArray[np.int16]
    order: int
    shown: float


class Gallery:
    """Collects views in order of time, merges near-identical ones and keeps the `room` longest-shown."""

    def __init__(self, room: int) -> None:
        self._room = room
        self._looks: list[_Look] = []
        self._order = 0

    def add(self, view: View, shown: float) -> None:
        """Count `shown` (milliseconds) for this look; memory stays bounded to three times the room."""
        sketch = _sketch(view)
        self._order += 1
        for look in self._looks:
            if view.luma.shape == look.view.luma.shape and np.abs(look.sketch - sketch).max() <= _SAME:
                look.shown += shown
                return
        self._looks.append(_Look(view, sketch, self._order, shown))
        if len(self._looks) > 3 * self._room:
            self._drop_least()

    def views(self) -> tuple[View, ...]:
        """The kept views, longest-shown first, then by time."""
        while len(self._looks) > self._room:
            self._drop_least()
        return tuple(look.view for look in sorted(self._looks, key=lambda look: (-look.shown, look.order)))

    def _drop_least(self) -> None:
        # Among equals the one closest to its neighbours in time goes, so that the rest stays spread out.
        orders = [look.order for look in self._looks]
        ends = [orders[0] - self._order, *orders, orders[-1] + self._order]
        gaps = [after - before for before, after in zip(ends, ends[2:], strict=False)]
        least = min(range(len(self._looks)), key=lambda i: (self._looks[i].shown, gaps[i]))
        del self._looks[least]


def _sketch(view: View) -> NDArray[np.int16]:
    return cv2.resize(view.luma, (_SKETCH, _SKETCH), interpolation=cv2.INTER_AREA).astype(np.int16)
