# SPDX-License-Identifier: GPL-2.0-only
"""Signals that must not come in the middle of something."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

from zapbench.error import Interrupted

STOPPING = (signal.SIGTERM, signal.SIGHUP)


@contextlib.contextmanager
def stopping_raises() -> Iterator[None]:
    """Turn signals that would end the process at once into `Interrupted`."""

    def stop(number: int, _frame: FrameType | None) -> None:
        raise Interrupted(f"stopped by {signal.Signals(number).name}")

    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may set handlers
        return
    ours = [number for number in STOPPING if signal.getsignal(number) is signal.SIG_DFL]
    for number in ours:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number in ours:
            signal.signal(number, signal.SIG_DFL)


@contextlib.contextmanager
def held_back(*numbers: signal.Signals) -> Iterator[None]:
    """Let these come after the block, without any: all that can.

    A program that is started meanwhile has them blocked.
    """
    which = numbers or (signal.SIGINT, *STOPPING)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, which)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
