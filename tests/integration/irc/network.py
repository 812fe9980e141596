"""A real network on loopback: inspircd with atheme-services, configured here."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from tests.integration.irc.authority import Authority
from tests.integration.irc.stage import free_port

DEADLINE_S = 20.0

_MODULES = (
    "botmode cap chghost hidechans ircv3 ircv3_accounttag ircv3_batch ircv3_capnotify "
    "ircv3_ctctags ircv3_echomessage ircv3_labeledresponse ircv3_msgid ircv3_servertime "
    "namesx services_account spanningtree ssl_gnutls sslinfo svshold uhnames"
)
_IRCD = """
<config format="xml">
<path configdir="{folder}" datadir="{folder}" logdir="{folder}" runtimedir="{folder}">
<server name="irc.parley.test" description="Parley tests" network="ParleyTest" id="1PT">
<admin name="test" email="test@parley.test" nick="test">
<bind address="127.0.0.1" port="{port}" type="clients">
<bind address="127.0.0.1" port="{tls_port}" type="clients" sslprofile="Clients">
<bind address="127.0.0.1" port="{link_port}" type="servers">
<sslprofile name="Clients" provider="gnutls" certfile="{certificate}" keyfile="{certificate}"
  requestclientcert="yes" hash="sha256">
<connect allow="*" maxchans="50" timeout="20" pingfreq="2m" recvq="64K" hardsendq="4M"
  softsendq="64K" commandrate="100000" fakelag="no" localmax="100" globalmax="100"
  resolvehostnames="no" useident="no">
<limits maxnick="20">
<log method="file" type="*" level="default" target="{folder}/ircd.log">
<link name="services.parley.test" ipaddr="127.0.0.1" port="{link_port}" allowmask="127.0.0.1"
  sendpass="linkpass" recvpass="linkpass">
<uline server="services.parley.test" silent="yes">
<sasl target="services.parley.test">
{modules}
"""
_SERVICES = """
loadmodule "modules/protocol/inspircd";
loadmodule "modules/backend/opensex";
loadmodule "modules/crypto/posix";
loadmodule "modules/nickserv/main";
loadmodule "modules/nickserv/cert";
loadmodule "modules/nickserv/enforce";
loadmodule "modules/nickserv/ghost";
loadmodule "modules/nickserv/group";
loadmodule "modules/nickserv/identify";
loadmodule "modules/nickserv/register";
loadmodule "modules/nickserv/set_core";
loadmodule "modules/saslserv/main";
loadmodule "modules/saslserv/plain";
loadmodule "modules/saslserv/external";
serverinfo {{
  name = "services.parley.test"; desc = "Services"; numeric = "00A"; recontime = 1;
  netname = "ParleyTest"; hidehostsuffix = "users.parley.test"; adminname = "test";
  commit_interval = 5; adminemail = "test@parley.test"; registeremail = "test@parley.test";
  mta = "/bin/true";
  loglevel = {{ error; info; network; }}; maxlogins = 50; maxusers = 0; mdlimit = 30;
  emaillimit = 100; emailtime = 1; auth = none; casemapping = rfc1459;
}};
uplink "irc.parley.test" {{
  host = "127.0.0.1"; port = {link_port};
  send_password = "linkpass"; receive_password = "linkpass";
}};
nickserv {{ nick = "NickServ"; user = "NickServ"; host = "services.parley.test"; real = "Nicks"; }};
saslserv {{ nick = "SaslServ"; user = "SaslServ"; host = "services.parley.test"; real = "SASL"; }};
logfile "{folder}/services.log" {{ error; info; register; network; }};
"""


def why_missing() -> str:
    """Why the network cannot be started here; empty when it can."""
    missing = [name for name in ("inspircd", "atheme-services") if not _program(name)]
    return f"{' and '.join(missing)} not installed" if missing else ""


class Network:
    """Both servers as child processes; with `sasl` off only NickServ can log us in."""

    def __init__(self, *, sasl: bool = True) -> None:
        self._sasl = sasl
        self.folder = Path(tempfile.mkdtemp(prefix="parley-ircd-"))
        self.port, self.tls_port, self._link_port = free_port(), free_port(), free_port()
        self.authority = Authority(self.folder)
        self._processes: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        self.start_server()
        self.start_services()

    def start_server(self) -> None:
        certificate = self.authority.issue("localhost")
        modules = _MODULES.split() + (["sasl"] if self._sasl else [])
        facts = {
            "folder": self.folder,
            "port": self.port,
            "tls_port": self.tls_port,
            "link_port": self._link_port,
            "certificate": certificate,
            "modules": "\n".join(f'<module name="{name}">' for name in modules),
        }
        (self.folder / "ircd.conf").write_text(_IRCD.format(**facts))
        (self.folder / "services.conf").write_text(_SERVICES.format(**facts))
        self._give_away()
        self._run("inspircd", "--nofork", "--nopid", f"--config={self.folder}/ircd.conf")
        self._until_open(self.port)

    def start_services(self) -> None:
        self._run(
            "atheme-services",
            "-n",
            *("-c", str(self.folder / "services.conf")),
            *("-D", str(self.folder)),
            *("-p", str(self.folder / "services.pid")),
            *("-l", str(self.folder / "services.log")),
        )
        self._until_linked()

    def stop(self) -> None:
        for process in reversed(self._processes):
            process.kill()
            process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _give_away(self) -> None:
        """Neither server runs as root, so the folder must belong to somebody else."""
        if os.geteuid() != 0:
            return
        owner = pwd.getpwnam("irc")
        for path in (self.folder, *self.folder.iterdir()):
            os.chown(path, owner.pw_uid, owner.pw_gid)

    def _run(self, name: str, *arguments: str) -> None:
        other = {"user": "irc", "group": "irc", "extra_groups": []} if os.geteuid() == 0 else {}
        output = (self.folder / f"{name}.out").open("wb")
        program = _program(name)
        assert program is not None
        self._processes.append(
            subprocess.Popen(
                [program, *arguments],
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                cwd=self.folder,
                **other,  # type: ignore[call-overload]
            )
        )

    def _until_open(self, port: int) -> None:
        deadline_s = time.monotonic() + DEADLINE_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
            except OSError:
                self._check(deadline_s)
            else:
                return

    def _until_linked(self) -> None:
        """Ask the server whether NickServ is there."""
        deadline_s = time.monotonic() + DEADLINE_S
        with socket.create_connection(("127.0.0.1", self.port), timeout=DEADLINE_S) as probe:
            lines = probe.makefile("rwb", buffering=0)
            lines.write(b"NICK probe\r\nUSER probe 0 * :probe\r\n")
            while True:
                line = lines.readline()
                if line.startswith(b"PING"):
                    lines.write(b"PONG" + line[4:])
                if (
                    b" 376 " in line
                    or b" 422 " in line
                    or (b" 303 " in line and b"Nick" not in line)
                ):
                    self._check(deadline_s)
                    lines.write(b"ISON NickServ\r\n")
                elif b" 303 " in line:
                    return

    def _check(self, deadline_s: float) -> None:
        """A failed start ends at once with what the server said."""
        dead = any(process.poll() is not None for process in self._processes)
        if dead or time.monotonic() > deadline_s:
            said = "".join(path.read_text(errors="replace") for path in self.folder.glob("*.out"))
            raise RuntimeError(f"the network did not start: {said[-2000:]}")
        time.sleep(0.02)  # between two looks at the state of another process


def _program(name: str) -> str | None:
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/lib/inspircd")
