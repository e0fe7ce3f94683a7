"""Watches the rule of shpool/daemon/loop/__init__.py: nobody is called back in the middle of its
own call.

While an object is in the middle of a call that it made into another one, no callback of its own
may be entered from there.  Callbacks are the methods of the classes in CALLBACKS; their properties
are questions, and may be asked.
"""

from __future__ import annotations

import os
import sys
from types import FrameType, FunctionType
from typing import Any

from shpool import daemon
from shpool.daemon.clients.channel import ChannelUser
from shpool.daemon.clients.client import ClientUser
from shpool.daemon.clients.connection import ConnectionUser, StreamUser
from shpool.daemon.clients.pager import PagerUser
from shpool.daemon.clients.passed_terminal import MournerUser
from shpool.daemon.clients.text_watch import TextUser
from shpool.daemon.loop.outbound import OutboundUser
from shpool.daemon.loop.reactor import Reactor
from shpool.daemon.programs.pty import PtyUser
from shpool.daemon.programs.spawn import ProgramOwner
from shpool.daemon.rehearsal import RehearsalUser
from shpool.daemon.sessions.drawings import DrawingsUser, Viewer
from shpool.daemon.sessions.participant import Onlooker, Participant
from shpool.daemon.sessions.picture import PictureUser
from shpool.daemon.sessions.roles import RolesUser
from shpool.daemon.sessions.seat import SeatUser
from shpool.daemon.sessions.session import SessionKeeper
from shpool.daemon.sessions.table import TableUser
from shpool.daemon.sessions.turns import TurnsUser
from shpool.daemon.sessions.typing import MessageUser, TypistUser

CALLBACKS: tuple[type, ...] = (
    *(ChannelUser, ClientUser, ConnectionUser, PagerUser, MournerUser, OutboundUser, PtyUser),
    *(ProgramOwner, Participant, Onlooker, PictureUser, SessionKeeper, TableUser),
    *(StreamUser, MessageUser, TextUser, DrawingsUser, Viewer, RehearsalUser),
    *(RolesUser, SeatUser, TurnsUser, TypistUser),
)

# Asked for an answer, and not to tell anything.
_QUESTIONS = {"outbound_writable"}

# Which classes have a callback of this name.
_KINDS: dict[str, tuple[type, ...]] = {}
for _kind in CALLBACKS:
    for _name, _what in vars(_kind).items():
        if isinstance(_what, FunctionType) and _name not in _QUESTIONS:
            _KINDS[_name] = (*_KINDS.get(_name, ()), _kind)
_DAEMON = os.path.dirname(daemon.__file__) + os.sep


class ReentryWatch:
    """Use as a context manager; raises AssertionError at the end for what was seen.

    `entered` counts the callbacks, so that a test can tell that there was something to see.
    """

    def __init__(self) -> None:
        self.entered = 0
        self._seen: dict[str, str] = {}

    def __enter__(self) -> ReentryWatch:
        sys.setprofile(self._profile)
        return self

    def __exit__(self, *reason: object) -> None:
        sys.setprofile(None)
        seen, self._seen = self._seen, {}
        assert seen == {}, "\n".join(seen.values())

    def _profile(self, frame: FrameType, event: str, arg: Any) -> None:
        if event != "call" or frame.f_code.co_name not in _KINDS:
            return
        owner = _object(frame)
        if not isinstance(owner, _KINDS[frame.f_code.co_name]):
            return
        self.entered += 1
        path = [f"{type(owner).__name__}.{frame.f_code.co_name}"]
        between = False
        caller = frame.f_back
        while caller is not None:
            found = _object(caller)
            if found is not None:
                path.append(f"{type(found).__name__}.{caller.f_code.co_name}")
                if found is owner and between:
                    self._seen[path[0]] = " <- ".join(path)
                    return
                between = between or found is not owner
            caller = caller.f_back


def _object(frame: FrameType) -> Any:
    """The object of the daemon whose method this is; None for functions, and for the loop."""
    code = frame.f_code
    if not code.co_filename.startswith(_DAEMON) or not code.co_argcount:
        return None
    if code.co_varnames[0] != "self":
        return None
    found = frame.f_locals.get("self")
    return None if isinstance(found, Reactor) else found
