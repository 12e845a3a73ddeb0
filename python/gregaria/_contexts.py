"""`ssl_context_factory`: what a Python SSLContext says, told to the engine.

A context does not tell everything that was put into it: its own certificate, for one, cannot be read back. So
`watch` has contexts note such calls, which must happen before a locustfile makes any. What the engine cannot do as the
context has it is refused, never ignored.
"""

from __future__ import annotations

import functools
import os
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import requests.utils


@dataclass
class Notes:
    """What was done to a context and cannot be asked of it."""

    identity: tuple[str, bytes, bytes | None, bytes | None] | None = None
    """Name of the file, certificate, key unless it stands beside the certificate, password."""
    folders: list[str] = field(default_factory=list)
    """Folders of authorities; OpenSSL looks into them only when it needs a certificate."""
    protocols: list[str] | None = None
    unsupported: list[str] = field(default_factory=list)


_notes: WeakKeyDictionary[ssl.SSLContext, Notes] = WeakKeyDictionary()


def watch() -> None:
    """Have all contexts that are made from now on note what they cannot be asked for."""
    kind: Any = _standard()
    if hasattr(kind.load_cert_chain, "__wrapped__"):
        return
    kind.load_cert_chain = _noting_chain(kind.load_cert_chain)
    _note_calls(kind, "load_verify_locations", _note_locations)
    _note_calls(kind, "set_default_verify_paths", _note_defaults)
    _note_calls(kind, "set_alpn_protocols", _note_protocols)
    for name in ("set_ecdh_curve", "set_psk_client_callback"):
        if hasattr(kind, name):
            _note_calls(kind, name, functools.partial(_note_unsupported, name))


def _standard() -> type[ssl.SSLContext]:
    """The standard library's own class: gevent's, and everybody else's, inherits from it."""
    return next(kind for kind in reversed(ssl.SSLContext.__mro__) if kind.__module__ == "ssl")


def _of(context: ssl.SSLContext) -> Notes:
    return _notes.setdefault(context, Notes())


def _note_calls(kind: Any, name: str, note: Callable[..., None]) -> None:
    original = getattr(kind, name)

    @functools.wraps(original)
    def noting(context: ssl.SSLContext, *args: Any, **kwargs: Any) -> Any:
        result = original(context, *args, **kwargs)
        note(_of(context), *args, **kwargs)
        return result

    setattr(kind, name, noting)


def _noting_chain(original: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(original)
    def load_cert_chain(context: ssl.SSLContext, certfile: Any, keyfile: Any = None, password: Any = None) -> None:
        given: list[Any] = []

        def ask() -> Any:
            if password is None:
                # OpenSSL would ask at the terminal, where a load test has nobody.
                raise ValueError(f"the private key in `{keyfile or certfile}` is encrypted and no password was given")
            given.append(password() if callable(password) else password)
            return given[-1]

        original(context, certfile, keyfile, ask)
        # Read now: such files are often temporary.
        key = Path(os.fsdecode(keyfile)).read_bytes() if keyfile is not None else None
        secret = given[-1].encode() if given and isinstance(given[-1], str) else bytes(given[-1]) if given else None
        certificate = os.fsdecode(certfile)
        _of(context).identity = (certificate, Path(certificate).read_bytes(), key, secret)

    return load_cert_chain


def _note_locations(notes: Notes, cafile: Any = None, capath: Any = None, cadata: Any = None) -> None:
    if capath is not None:
        notes.folders.append(os.fsdecode(capath))


def _note_defaults(notes: Notes) -> None:
    folder = ssl.get_default_verify_paths().capath
    if folder is not None:
        notes.folders.append(folder)


def _note_protocols(notes: Notes, alpn_protocols: Any) -> None:
    notes.protocols = list(alpn_protocols)


def _note_unsupported(name: str, notes: Notes, *_: Any) -> None:
    notes.unsupported.append(f"`{name}`")


def configure(session: Any, factory: Callable[..., Any], insecure: bool) -> None:
    """Give `session` the TLS options of the context that `factory` makes, called as geventhttpclient calls it."""
    system = system_authorities()
    context, is_told = _made_by(factory, system or requests.utils.DEFAULT_CA_BUNDLE_PATH)
    _check(context)
    if system is not None and not is_told:
        context.load_verify_locations(cafile=system)
    notes = _notes.get(context, Notes())
    # A context's own `check_hostname` counts for nothing, `insecure` decides; its `verify_mode` does count.
    is_checked = not insecure or context.verify_mode != ssl.CERT_NONE
    lowest, highest = _versions(context)
    session._configure_tls(
        authorities=context.get_ca_certs(binary_form=True) if is_checked else None,
        folders=notes.folders,
        # Loading Mozilla's list into each user's context would take a while; the engine has it.
        and_mozilla=system is None and not is_told,
        check_host_name=not insecure,
        identity=notes.identity,
        tls12=lowest <= ssl.TLSVersion.TLSv1_2 <= highest and not context.options & ssl.OP_NO_TLSv1_2,
        tls13=lowest <= ssl.TLSVersion.TLSv1_3 <= highest and not context.options & ssl.OP_NO_TLSv1_3,
        cipher_suites=[cipher["id"] & 0xFFFF for cipher in context.get_ciphers()],
        log_keys=context.keylog_filename is not None,
    )


def system_authorities() -> str | None:
    """The file of authorities that OpenSSL was built with, or that `SSL_CERT_FILE` names, where there is one.

    geventhttpclient prefers it to Mozilla's list.
    """
    return ssl.get_default_verify_paths().cafile


def _made_by(factory: Callable[..., Any], authorities: str) -> tuple[Any, bool]:
    """The context, and whether the factory took the file of authorities."""
    try:
        return factory(cafile=authorities), True
    except TypeError:
        return factory(), False


def _versions(context: ssl.SSLContext) -> tuple[int, int]:
    """The lowest and highest version, as numbers that can be compared: those of the whole range are negative."""
    lowest, highest = context.minimum_version, context.maximum_version
    return max(lowest, 0), ssl.TLSVersion.TLSv1_3 if highest < 0 else highest


def _check(context: Any) -> None:
    """Refuse what would have to be ignored."""
    if not isinstance(context, _standard()):
        raise TypeError(f"`ssl_context_factory` must return an ssl.SSLContext, not {type(context).__name__}")
    if problems := _problems(context):
        raise NotImplementedError(
            f"gregaria does not support what the context has: {problems[0]} (`ssl_context_factory`)"
        )


def _problems(context: Any) -> list[str]:
    notes = _notes.get(context, Notes())
    problems = list(notes.unsupported)
    if type(context).wrap_socket not in (_standard().wrap_socket, ssl.SSLContext.wrap_socket):
        problems.append(f"a `wrap_socket` of its own (in {type(context).__name__})")
    if notes.protocols and "http/1.1" not in notes.protocols:
        problems.append("ALPN protocols without `http/1.1`")
    if context.verify_flags & (ssl.VERIFY_CRL_CHECK_LEAF | ssl.VERIFY_CRL_CHECK_CHAIN):
        problems.append("revocation lists (`verify_flags`)")
    if getattr(context, "post_handshake_auth", False):
        problems.append("`post_handshake_auth`")
    if context.keylog_filename not in (None, os.environ.get("SSLKEYLOGFILE")):
        problems.append("a `keylog_filename` other than that of `SSLKEYLOGFILE`")
    _, highest = _versions(context)
    if highest < ssl.TLSVersion.TLSv1_2:
        problems.append(f"`maximum_version` {context.maximum_version.name}: only TLS 1.2 and 1.3 are spoken")
    return problems
