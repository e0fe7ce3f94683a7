"""Every message as bytes, in both directions, so that neither end of the wire can drift."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shpool.protocol.all_requests import KINDS, KNOWN, read_request
from shpool.protocol.attaching import AttachHeader, AttachReply, Comeback
from shpool.protocol.msgpack import Decoder, WireError, pack
from shpool.protocol.replies import (
    Attachment,
    Destination,
    Here,
    MaybeSwitch,
    SessionRow,
    detach_reply,
    greeting,
    kill_reply,
    list_reply,
    read_greeting,
    read_here,
    read_list_reply,
    read_missed,
    session_message_reply,
)
from shpool.protocol.requests import (
    LOG_LEVELS,
    DetachRequest,
    GetVars,
    KillRequest,
    ListRequest,
    ModifyVar,
    SessionMessage,
    SetLogLevel,
    TtySize,
)
from shpool.protocol.running import RunRequest
from shpool.protocol.switching import SwitchReply, SwitchRequest
from shpool.protocol.upgrading import UpgradeReply, UpgradeRequest


def decode(wire: bytes) -> Any:
    decoder = Decoder()
    assert decoder.feed(wire)
    assert decoder.rest == b""
    return decoder.value


def plain(value: Any) -> Any:
    """A message as data that can be compared: its attributes, with its class."""
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    names = getattr(value, "__slots__", None)
    if names is None:
        names = getattr(value, "__dict__", None)
        if names is None:
            return value
    return type(value).__name__, {name: plain(getattr(value, name)) for name in names}


# ---- requests

SIZE = TtySize(24, 80)
SIZE_WIRE = b"\x84\xa4rows\x18\xa4colsP\xa6xpixel\x00\xa6ypixel\x00"

REQUESTS: list[tuple[Any, bytes]] = [
    (ListRequest(), b"\xa4List"),
    (GetVars(), b"\xa7GetVars"),
    (
        AttachHeader("one", "one", SIZE, [("TERM", "xterm")], 3600),
        b"\x81\xa6Attach\x88\xa4name\xa3one\xadname_template\xa3one\xaelocal_tty_size"
        + SIZE_WIRE
        + b"\xa9local_env\x91\x92\xa4TERM\xa5xterm\xa8ttl_secs\xcd\x0e\x10\xa3cmd\xc0\xa3dir\xc0"
        b"\xa9start_cmd\xc0",
    ),
    (
        AttachHeader("w-é", "w-{x}", TtySize(300, 65_535, 1, 256), [], None, "sh -c 'x'", "/", ""),
        b"\x81\xa6Attach\x88\xa4name\xa4w-\xc3\xa9\xadname_template\xa5w-{x}\xaelocal_tty_size"
        b"\x84\xa4rows\xcd\x01\x2c\xa4cols\xcd\xff\xff\xa6xpixel\x01\xa6ypixel\xcd\x01\x00"
        b"\xa9local_env\x90\xa8ttl_secs\xc0\xa3cmd\xa9sh -c 'x'\xa3dir\xa1/\xa9start_cmd\xa0",
    ),
    (
        AttachHeader("one", "one", SIZE, [], background=True),
        b"\x81\xa6Attach\x89\xa4name\xa3one\xadname_template\xa3one\xaelocal_tty_size"
        + SIZE_WIRE
        + b"\xa9local_env\x90\xa8ttl_secs\xc0\xa3cmd\xc0\xa3dir\xc0\xa9start_cmd\xc0"
        b"\xaabackground\xc3",
    ),
    (
        AttachHeader("one", "one", SIZE, [], client="shpool-py 1.2.3"),
        b"\x81\xa6Attach\x89\xa4name\xa3one\xadname_template\xa3one\xaelocal_tty_size"
        + SIZE_WIRE
        + b"\xa9local_env\x90\xa8ttl_secs\xc0\xa3cmd\xc0\xa3dir\xc0\xa9start_cmd\xc0"
        b"\xa6client\xafshpool-py 1.2.3",
    ),
    (
        AttachHeader("b", "b", SIZE, [], client="shpool-py 1", previous="a", nested=False),
        b"\x81\xa6Attach\x8b\xa4name\xa1b\xadname_template\xa1b\xaelocal_tty_size"
        + SIZE_WIRE
        + b"\xa9local_env\x90\xa8ttl_secs\xc0\xa3cmd\xc0\xa3dir\xc0\xa9start_cmd\xc0"
        b"\xa6client\xabshpool-py 1\xa8previous\xa1a\xa6nested\xc2",
    ),
    (
        RunRequest("a", ["echo", "é"]),
        b"\x81\xa3Run\x84\xacsession_name\xa1a\xa5words\x92\xa4echo\xa2\xc3\xa9\xa4line\xc0"
        b"\xaatimeout_ms\xc0",
    ),
    (
        RunRequest("a", [], "true", 5),
        b"\x81\xa3Run\x84\xacsession_name\xa1a\xa5words\x90\xa4line\xa4true\xaatimeout_ms\x05",
    ),
    (
        SwitchRequest(".", Destination("b")),
        b"\x81\xa6Switch\x84\xacsession_name\xa1.\xa3pid\xc0\xa4back\xc2\xa9switch_to\xa1b",
    ),
    (
        SwitchRequest("", Destination("", force=True), pid=7, back=True),
        b"\x81\xa6Switch\x85\xacsession_name\xa0\xa3pid\x07\xa4back\xc3\xa9switch_to\xa0"
        b"\xa5force\xc3",
    ),
    (
        UpgradeRequest([b"/python", b"-I", b"/\xff"], check=True),
        b"\x81\xa7Upgrade\x82\xa7program\x93\xc4\x07/python\xc4\x02-I\xc4\x02/\xff\xa5check\xc3",
    ),
    (
        SessionMessage("one", SIZE),
        b"\x81\xaeSessionMessage\x82\xacsession_name\xa3one\xa7payload"
        b"\x81\xa6Resize\x81\xa8tty_size" + SIZE_WIRE,
    ),
    (
        SessionMessage("one", None),
        b"\x81\xaeSessionMessage\x82\xacsession_name\xa3one\xa7payload\xa6Detach",
    ),
    (DetachRequest(["one", "zzz"]), b"\x81\xa6Detach\x81\xa8sessions\x92\xa3one\xa3zzz"),
    (DetachRequest([]), b"\x81\xa6Detach\x81\xa8sessions\x90"),
    (DetachRequest(["a"], 7), b"\x81\xa6Detach\x82\xa8sessions\x91\xa1a\xa3pid\x07"),
    (
        DetachRequest(["a"], except_pid=7, watchers=True),
        b"\x81\xa6Detach\x83\xa8sessions\x91\xa1a\xaaexcept_pid\x07\xa8watchers\xc3",
    ),
    (
        AttachHeader("a", "a", SIZE, [], share=True),
        b"\x81\xa6Attach\x89\xa4name\xa1a\xadname_template\xa1a\xaelocal_tty_size"
        + SIZE_WIRE
        + b"\xa9local_env\x90\xa8ttl_secs\xc0\xa3cmd\xc0\xa3dir\xc0\xa9start_cmd\xc0\xa5share\xc3",
    ),
    (
        AttachHeader("a", "a", SIZE, [], read_only=True),
        b"\x81\xa6Attach\x89\xa4name\xa1a\xadname_template\xa1a\xaelocal_tty_size"
        + SIZE_WIRE
        + b"\xa9local_env\x90\xa8ttl_secs\xc0\xa3cmd\xc0\xa3dir\xc0\xa9start_cmd\xc0"
        b"\xa9read_only\xc3",
    ),
    (KillRequest(["one"]), b"\x81\xa4Kill\x81\xa8sessions\x91\xa3one"),
    (SetLogLevel("Off"), b"\x81\xabSetLogLevel\x81\xa5level\xa3Off"),
    (SetLogLevel("Error"), b"\x81\xabSetLogLevel\x81\xa5level\xa5Error"),
    (SetLogLevel("Warn"), b"\x81\xabSetLogLevel\x81\xa5level\xa4Warn"),
    (SetLogLevel("Info"), b"\x81\xabSetLogLevel\x81\xa5level\xa4Info"),
    (SetLogLevel("Debug"), b"\x81\xabSetLogLevel\x81\xa5level\xa5Debug"),
    (SetLogLevel("Trace"), b"\x81\xabSetLogLevel\x81\xa5level\xa5Trace"),
    (ModifyVar("a", None), b"\x81\xa9ModifyVar\x82\xa3var\xa1a\xa3val\xc0"),
    (ModifyVar("a", "b c"), b"\x81\xa9ModifyVar\x82\xa3var\xa1a\xa3val\xa3b c"),
]


@pytest.mark.parametrize(("request_", "wire"), REQUESTS, ids=lambda item: repr(item)[:30])
def test_a_request_is_written_and_read_as_the_original_has_it(request_: Any, wire: bytes) -> None:
    assert pack(request_.to_wire()) == wire
    assert plain(read_request(decode(wire))) == plain(request_)


def test_a_request_in_five_pieces_is_read() -> None:
    request, wire = REQUESTS[2]
    decoder = Decoder()
    for start in range(0, 4 * (len(wire) // 5), len(wire) // 5):
        assert not decoder.feed(wire[start : start + len(wire) // 5])
    assert decoder.feed(wire[4 * (len(wire) // 5) :])
    assert plain(read_request(decoder.value)) == plain(request)


def test_input_that_follows_a_request_is_kept() -> None:
    decoder = Decoder()
    assert decoder.feed(REQUESTS[2][1] + b"ls\r\xc1")
    assert decoder.rest == b"ls\r\xc1"


def test_numbers_and_text_of_a_request_may_come_in_any_form() -> None:
    wire = (
        b"\xdf\x00\x00\x00\x01\xc4\x06Attach\xde\x00\x04"
        b"\xd9\x04name\xc5\x00\x03one"
        b"\xda\x00\x0elocal_tty_size\x82\xa4rows\xd3\x00\x00\x00\x00\x00\x00\x00\x18"
        b"\xc4\x04cols\xcf\x00\x00\x00\x00\x00\x00\x00\x50"
        b"\xa9local_env\xdd\x00\x00\x00\x01\xdc\x00\x02\xdb\x00\x00\x00\x04TERM\xc4\x05xterm"
        b"\xa8ttl_secs\xd1\x0e\x10"
    )
    want = AttachHeader("one", "", SIZE, [("TERM", "xterm")], 3600)
    assert plain(read_request(decode(wire))) == plain(want)


def test_of_what_a_client_calls_itself_only_so_much_is_kept() -> None:
    got = read_request({"Attach": {"client": "x" * 1000}})
    assert isinstance(got, AttachHeader)
    assert got.client == "x" * 64


def test_who_comes_back_says_how_it_is_known() -> None:
    header = AttachHeader("one", "one", SIZE, [], comeback=Comeback("a1", ["b2", "c3"], 7))
    wire = header.to_wire()
    assert {key: wire["Attach"][key] for key in ("token", "replaces", "since")} == {
        "token": "a1",
        "replaces": ["b2", "c3"],
        "since": 7,
    }
    assert plain(read_request(wire)) == plain(header)
    assert "token" not in header.plain().to_wire()["Attach"]
    first = AttachHeader("one", "one", SIZE, [], comeback=Comeback("a1", [], None))
    assert plain(read_request(first.to_wire())) == plain(first)


@pytest.mark.parametrize(
    "fields",
    [
        {"token": "a;b"},
        {"token": "a\x07"},
        {"token": "é"},
        {"token": "a" * 65},
        {"token": "a", "replaces": ["b\n"]},
        {"token": "a", "replaces": [""]},
        {"token": "a", "replaces": ["b"] * 17},
        {"token": "a", "since": -1},
        {"token": "a", "replaces": "b"},
    ],
)
def test_a_token_that_no_mark_could_have_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(WireError):
        read_request({"Attach": {"name": "one", **fields}})
    with pytest.raises(
        WireError, match="a token is at most 64 letters and digits, and replaces at most 16"
    ):
        read_request({"Attach": {"name": "one", "token": "a b"}})


def test_a_missing_field_has_its_default_and_an_unknown_one_is_ignored() -> None:
    got = read_request({"Attach": {"name": "x", "novelty": {"deep": [1, 2]}, 7: None}})
    assert plain(got) == plain(AttachHeader("x", "", TtySize(0, 0), []))
    assert plain(read_request({"Attach": {}})) == plain(AttachHeader("", "", TtySize(0, 0), []))
    assert plain(read_request({"Kill": {}})) == plain(KillRequest([]))
    assert plain(read_request({"Detach": {"more": 1}})) == plain(DetachRequest([]))
    assert plain(read_request({"ModifyVar": {"var": "a"}})) == plain(ModifyVar("a", None))


@pytest.mark.parametrize(
    "value",
    [
        None,
        7,
        [],
        {},
        "Lists",
        b"\xff",
        ["List"],
        {"List": {}, "GetVars": {}},
        {7: {}},
        "Attach",
        "SessionMessage",
        "Detach",
        "Kill",
        "ModifyVar",
        "SetLogLevel",
        {"Attach": []},
        {"Attach": {"name": 7}},
        {"Attach": {"name": None}},
        {"Attach": {"name": b"\xff"}},
        {"Attach": {"local_tty_size": [24, 80]}},
        {"Attach": {"local_tty_size": {"rows": -1}}},
        {"Attach": {"local_tty_size": {"rows": 65_536}}},
        {"Attach": {"local_tty_size": {"rows": "24"}}},
        {"Attach": {"local_tty_size": {"rows": 24.0}}},
        {"Attach": {"local_tty_size": {"rows": True}}},
        {"Attach": {"local_env": {"TERM": "xterm"}}},
        {"Attach": {"local_env": ["TERM"]}},
        {"Attach": {"local_env": [["TERM"]]}},
        {"Attach": {"local_env": [["TERM", "a", "b"]]}},
        {"Attach": {"local_env": [["TERM", None]]}},
        {"Attach": {"ttl_secs": -1}},
        {"Attach": {"ttl_secs": 1 << 64}},
        {"Attach": {"ttl_secs": "1"}},
        {"Attach": {"cmd": ["sh"]}},
        {"Attach": {"client": 7}},
        {"Attach": {"previous": ["a"]}},
        {"Switch": {"pid": -1}},
        {"Switch": {"switch_to": None}},
        {"Switch": {"cmd": 7}},
        {"SessionMessage": {"session_name": "x"}},
        {"SessionMessage": {"session_name": "x", "payload": "Resize"}},
        {"SessionMessage": {"session_name": "x", "payload": "Shrink"}},
        {"SessionMessage": {"session_name": "x", "payload": {"Resize": 7}}},
        {"SessionMessage": {"session_name": 7, "payload": "Detach"}},
        {"Detach": {"sessions": "one"}},
        {"Detach": {"sessions": [1]}},
        {"Kill": {"sessions": [None]}},
        {"Kill": None},
        {"SetLogLevel": {}},
        {"SetLogLevel": {"level": "info"}},
        {"SetLogLevel": {"level": 3}},
        {"Upgrade": {}},
        {"Upgrade": {"program": "/bin/true"}},
        {"Upgrade": {"program": []}},
        {"Upgrade": {"program": [7]}},
        {"Upgrade": {"program": ["/bin/true", None]}},
        {"Upgrade": {"program": ["bin/true"]}},
        {"Upgrade": {"program": ["/bin/true"] * 17}},
        {"Upgrade": {"program": ["/bin/t\0rue"]}},
        {"ModifyVar": {"var": 1}},
        {"ModifyVar": {"var": "a", "val": 1}},
    ],
    ids=repr,
)
def test_a_request_of_another_shape_is_refused(value: Any) -> None:
    with pytest.raises(WireError):
        read_request(value)


UPGRADE_REPLIES = [
    (UpgradeReply("Refused", "no"), b"\x81\xa6status\x81\xa7Refused\xa2no"),
    (
        UpgradeReply("Upgraded", "", "1.0", "2.0", 3, 2, 1),
        b"\x81\xa6status\x81\xa8Upgraded\x85\xa6before\xa31.0\xa5after\xa32.0\xa8sessions\x03"
        b"\xa7clients\x02\xabsubscribers\x01",
    ),
]


@pytest.mark.parametrize(("reply", "wire"), UPGRADE_REPLIES, ids=["refused", "upgraded"])
def test_what_became_of_an_upgrade_is_written_and_read(reply: UpgradeReply, wire: bytes) -> None:
    assert pack(reply.to_wire()) == wire
    assert plain(UpgradeReply.from_wire(decode(wire))) == plain(reply)


def test_a_terminal_without_rows_or_columns_counts_as_24_by_80() -> None:
    for size in (TtySize(0, 0), TtySize(0, 80), TtySize(24, 0, 5, 5)):
        assert plain(size.usable()) == plain(TtySize(24, 80))
    assert plain(TtySize(1, 1, 2, 3).usable()) == plain(TtySize(1, 1, 2, 3))


# ---- greeting and replies


def test_the_greeting_names_the_protocol_version() -> None:
    assert pack(greeting("0.4.2", "shpool-py 1.0", ["Send"])) == (
        b"\x83\xa7version\xa50.4.2\xa6server\xadshpool-py 1.0\xa5knows\x91\xa4Send"
    )
    assert read_greeting(decode(b"\x81\xa7version\xa50.4.2")) == ("0.4.2", "", None)
    older = {"version": "1.0.0", "server": "shpool-py 1.0"}
    assert read_greeting(older) == ("1.0.0", "shpool-py 1.0", None)
    assert read_greeting({**older, "knows": ["x"]}) == ("1.0.0", "shpool-py 1.0", ["x"])
    assert read_greeting({"server": "another", "knows": ["x"]}) == ("", "", None)
    assert read_greeting({}) == ("", "", None)


# The original's, from its protocol crate 0.4.2.
ORIGINAL = {
    *("Attach", "Detach", "GetVars", "Kill", "List", "ModifyVar", "SessionMessage"),
    "SetLogLevel",
}


def test_each_request_that_the_original_does_not_have_needs_a_daemon_that_knows_it() -> None:
    assert KINDS.keys() >= ORIGINAL
    for name, kind in KINDS.items():
        features = getattr(kind, "FEATURES", ())
        of_fields = features if name in ORIGINAL else features[1:]
        assert name in ORIGINAL or features[:1] == (name,)
        assert all(each.startswith(f"{name}.") for each in of_fields)
    assert {each for each in KNOWN if "." not in each} == KINDS.keys() - ORIGINAL


@pytest.mark.parametrize("value", ["0.4.2", None, ["0.4.2"], {"version": 4}, {"version": None}])
def test_a_greeting_of_another_shape_is_refused(value: Any) -> None:
    with pytest.raises(WireError):
        read_greeting(value)


ATTACH_REPLIES: list[tuple[AttachReply, bytes]] = [
    (AttachReply("Created"), b"\x81\xa6status\x81\xa7Created\x81\xa8warnings\x90"),
    (
        AttachReply("Attached", ["w1", ""]),
        b"\x81\xa6status\x81\xa8Attached\x81\xa8warnings\x92\xa2w1\xa0",
    ),
    (AttachReply("Busy"), b"\x81\xa6status\xa4Busy"),
    (AttachReply("Forbidden", reason="no"), b"\x81\xa6status\x81\xa9Forbidden\xa2no"),
    (AttachReply("UnexpectedError", reason=""), b"\x81\xa6status\x81\xafUnexpectedError\xa0"),
]


@pytest.mark.parametrize(("reply", "wire"), ATTACH_REPLIES, ids=lambda item: repr(item)[:40])
def test_an_attach_reply_is_written_and_read(reply: AttachReply, wire: bytes) -> None:
    assert pack(reply.to_wire()) == wire
    assert plain(AttachReply.from_wire(decode(wire))) == plain(reply)


@pytest.mark.parametrize(
    "value",
    [
        None,
        {},
        {"status": None},
        {"status": "Gone"},
        {"status": "Forbidden"},
        {"status": {"Forbidden": ["no"]}},
        {"status": {"Created": {"warnings": "w"}}},
        {"status": {"Created": 7}},
    ],
    ids=repr,
)
def test_an_attach_reply_of_another_shape_is_refused(value: Any) -> None:
    with pytest.raises(WireError):
        AttachReply.from_wire(value)


MS = 1_700_000_000_123
MS_WIRE = b"\xcf\x00\x00\x01\x8b\xcf\xe5\x68\x7b"

PROMPT = {"at_prompt": False, "command": "make", "running_ms": 9, "last_status": None}

LISTS: list[tuple[list[SessionRow], bytes]] = [
    ([], b"\x81\xa8sessions\x90"),
    (
        [
            SessionRow("one", MS, MS, None, [Attachment("one", 70_000)]),
            SessionRow("é", MS, None, MS, []),
        ],
        b"\x81\xa8sessions\x92"
        b"\x89\xa4name\xa3one\xb2started_at_unix_ms"
        + MS_WIRE
        + b"\xb9last_connected_at_unix_ms"
        + MS_WIRE
        + b"\xbclast_disconnected_at_unix_ms\xc0\xa6status\xa8Attached\xabattachments"
        b"\x91\x82\xb5session_name_template\xa3one\xa3pid\xce\x00\x01\x11\x70"
        b"\xa8watchers\x90\xa6prompt\xc0\xaeforeground_pid\x00"
        b"\x89\xa4name\xa2\xc3\xa9\xb2started_at_unix_ms"
        + MS_WIRE
        + b"\xb9last_connected_at_unix_ms\xc0\xbclast_disconnected_at_unix_ms"
        + MS_WIRE
        + b"\xa6status\xacDisconnected\xabattachments\x90"
        b"\xa8watchers\x90\xa6prompt\xc0\xaeforeground_pid\x00",
    ),
    (
        [
            SessionRow(
                *("one", MS, MS, None, [Attachment("one", 7, "driver", 24, 80, 5)]),
                watchers=[Attachment("one", 8, "watcher", 30, 90, 6)],
                prompt=PROMPT,
                foreground_pid=9,
            ),
        ],
        b"\x81\xa8sessions\x91\x89\xa4name\xa3one\xb2started_at_unix_ms"
        + MS_WIRE
        + b"\xb9last_connected_at_unix_ms"
        + MS_WIRE
        + b"\xbclast_disconnected_at_unix_ms\xc0\xa6status\xa8Attached\xabattachments"
        b"\x91\x86\xb5session_name_template\xa3one\xa3pid\x07\xa4role\xa6driver"
        b"\xa4rows\x18\xa4cols\x50\xa7idle_ms\x05"
        b"\xa8watchers"
        b"\x91\x86\xb5session_name_template\xa3one\xa3pid\x08\xa4role\xa7watcher"
        b"\xa4rows\x1e\xa4cols\x5a\xa7idle_ms\x06"
        b"\xa6prompt\x84\xa9at_prompt\xc2\xa7command\xa4make\xaarunning_ms\x09\xablast_status\xc0"
        b"\xaeforeground_pid\x09",
    ),
]


@pytest.mark.parametrize(("sessions", "wire"), LISTS, ids=["none", "two", "several"])
def test_a_list_reply_is_written_and_read(sessions: list[SessionRow], wire: bytes) -> None:
    assert pack(list_reply(sessions)) == wire
    assert plain(read_list_reply(decode(wire))) == plain(sessions)


def test_a_row_says_what_it_says_and_not_what_could_be_concluded() -> None:
    (row,) = read_list_reply({"sessions": [{"name": "x", "status": "Attached"}]})
    assert (row.status, row.attachments, row.started_at_unix_ms) == ("Attached", [], 0)
    (row,) = read_list_reply({"sessions": [{}]})
    assert (row.name, row.status, row.last_connected_at_unix_ms) == ("", "Disconnected", None)
    assert read_list_reply({}) == []


def test_a_list_reply_may_say_where_it_was_asked_for() -> None:
    assert read_here(list_reply([])) is None
    for pid in (7, None):
        reply = list_reply([], Here("one", pid))
        assert reply == {"sessions": [], "here": {"name": "one", "pid": pid}}
        assert plain(read_here(reply)) == plain(Here("one", pid))
    with pytest.raises(WireError):
        read_here({"here": "one"})


@pytest.mark.parametrize(
    "row",
    [
        None,
        "one",
        {"name": 1},
        {"started_at_unix_ms": None},
        {"started_at_unix_ms": 1 << 63},
        {"last_connected_at_unix_ms": "now"},
        {"status": 1},
        {"attachments": {}},
        {"attachments": [{"pid": 1 << 31}]},
        {"attachments": ["one"]},
    ],
    ids=repr,
)
def test_a_row_of_another_shape_is_refused(row: Any) -> None:
    with pytest.raises(WireError):
        read_list_reply({"sessions": [row]})


def test_a_session_message_reply_names_the_kind_only_when_it_went_well() -> None:
    assert pack(session_message_reply("Resize", "Ok")) == b"\x81\xa6Resize\xa2Ok"
    assert pack(session_message_reply("Detach", "Ok")) == b"\x81\xa6Detach\xa2Ok"
    assert pack(session_message_reply("Detach", "NotFound")) == b"\xa8NotFound"
    assert pack(session_message_reply("Resize", "NotAttached")) == b"\xabNotAttached"


def test_detach_and_kill_replies_name_what_was_missed() -> None:
    wire = b"\x82\xb2not_found_sessions\x91\xa3zzz\xb5not_attached_sessions\x91\xa3one"
    assert pack(detach_reply(["zzz"], ["one"])) == wire
    assert read_missed(decode(wire)) == (["zzz"], ["one"])
    wire = b"\x81\xb2not_found_sessions\x91\xa3zzz"
    assert pack(kill_reply(["zzz"])) == wire
    assert read_missed(decode(wire)) == (["zzz"], [])
    assert read_missed({}) == ([], [])
    values: list[Any] = [None, [], {"not_found_sessions": "zzz"}, {"not_attached_sessions": [1]}]
    for value in values:
        with pytest.raises(WireError):
            read_missed(value)


def test_the_variables_are_written_and_read() -> None:
    none = b"\x82\xa9switch_to\xc0\xa4vars\x90"
    assert pack(MaybeSwitch([]).to_wire()) == none
    assert plain(MaybeSwitch.from_bytes(none)) == plain(MaybeSwitch([]))
    some = b"\x82\xa9switch_to\xa3two\xa4vars\x92\x92\xa1a\xa0\x92\xa1b\xa21 "
    variables = [("a", ""), ("b", "1 ")]
    assert MaybeSwitch(variables, Destination("two")).to_bytes() == some
    assert plain(MaybeSwitch.from_bytes(some)) == plain(MaybeSwitch(variables, Destination("two")))
    assert plain(MaybeSwitch.from_wire({})) == plain(MaybeSwitch([]))


def test_where_a_client_is_to_go_and_how_travels_beside_the_variables() -> None:
    wire = (
        b"\x87\xa9switch_to\xa3two\xa4vars\x90\xa3cmd\xa2sh\xa3dir\xa1/\xa5force\xc3"
        b"\xa9start_cmd\xa1x\xa8ttl_secs\x3c"
    )
    message = MaybeSwitch([], Destination("two", 60, "sh", "/", "x", force=True))
    assert message.to_bytes() == wire
    assert plain(MaybeSwitch.from_bytes(wire)) == plain(message)
    every = Destination("two", existing=True, share=True)
    assert plain(Destination.from_fields("two", every.fields())) == plain(every)


def test_a_switch_is_answered_with_what_was_wrong_if_anything() -> None:
    assert SwitchReply().to_wire() == {"error": None}
    assert SwitchReply.from_wire({"error": "no"}).error == "no"
    assert SwitchReply.from_wire({}).error is None


@pytest.mark.parametrize(
    "payload", [b"", b"\x82", b"\x82\xa9switch_to\xc0\xa4vars", b"\xc0", b"\xc1"]
)
def test_a_chunk_of_variables_that_is_not_one_whole_message_is_refused(payload: bytes) -> None:
    with pytest.raises(WireError):
        MaybeSwitch.from_bytes(payload)


# ---- whatever else

texts = st.text(st.characters(codec="utf-8"), max_size=40)
optional_texts = st.none() | texts
u16 = st.integers(0, 65_535)
sizes = st.builds(TtySize, u16, u16, u16, u16)
requests = st.one_of(
    st.builds(ListRequest),
    st.builds(GetVars),
    st.builds(
        AttachHeader,
        texts,
        texts,
        sizes,
        st.lists(st.tuples(texts, texts), max_size=5),
        st.none() | st.integers(0, (1 << 64) - 1),
        optional_texts,
        optional_texts,
        optional_texts,
    ),
    st.builds(SessionMessage, texts, st.none() | sizes),
    st.builds(DetachRequest, st.lists(texts)),
    st.builds(KillRequest, st.lists(texts)),
    st.builds(SetLogLevel, st.sampled_from(LOG_LEVELS)),
    st.builds(ModifyVar, texts, optional_texts),
)
i64 = st.integers(-(1 << 63), (1 << 63) - 1)
attachments = st.builds(Attachment, texts, st.integers(-(1 << 31), (1 << 31) - 1))
sessions = st.builds(
    SessionRow, texts, i64, st.none() | i64, st.none() | i64, st.lists(attachments, max_size=3)
)


@settings(derandomize=True, deadline=None)
@given(requests)
def test_every_request_survives_the_wire(request_: Any) -> None:
    assert plain(read_request(decode(pack(request_.to_wire())))) == plain(request_)


@settings(derandomize=True, deadline=None)
@given(st.lists(sessions, max_size=5))
def test_every_list_reply_survives_the_wire(rows: list[SessionRow]) -> None:
    assert plain(read_list_reply(decode(pack(list_reply(rows))))) == plain(rows)


wire_values = st.recursive(
    st.none() | st.integers(-2, 70_000) | texts | st.binary(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "Attach",
                    "Kill",
                    "SessionMessage",
                    "SetLogLevel",
                    "name",
                    "sessions",
                    "payload",
                    "Resize",
                    "tty_size",
                    "level",
                    "local_env",
                    "status",
                    "attachments",
                    "vars",
                ]
            ),
            inner,
            max_size=3,
        )
    ),
)


@settings(derandomize=True, deadline=None)
@given(wire_values)
def test_any_value_is_a_message_or_refused(value: Any) -> None:
    for read in (
        read_request,
        read_greeting,
        read_list_reply,
        read_missed,
        AttachReply.from_wire,
        MaybeSwitch.from_wire,
    ):
        try:
            read(value)
        except WireError:
            pass
