"""A small OBS build worker for 127.0.0.1.

It speaks the backend's worker protocol (register as idle, take the job that the dispatcher PUTs, fetch the
sources, send the result with putjob), but instead of building in a chroot or a virtual machine it runs
rpmbuild or dpkg-buildpackage directly. Only for the trusted sources of the tests.
"""

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request
import xml.etree.ElementTree as ET
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import cpio  # type: ignore[import-not-found]

DEB_ARCH = {"x86_64": "amd64", "aarch64": "arm64"}
HOLD_SECONDS = 600  # an end for a hold that nobody releases


def log(text: str) -> None:
    print(time.strftime("%H:%M:%S"), text, flush=True)


def call(url: str, params: dict[str, str], data: bytes | None = None) -> bytes:
    request = urllib.request.Request(
        f"{url}?{urllib.parse.urlencode(params)}", data, {"Content-Type": "application/octet-stream"}
    )
    with urllib.request.urlopen(request, timeout=60) as reply:
        body: bytes = reply.read()
        return body


class Build:
    """One job in its own folder: sources in, package files and a log out."""

    def __init__(self, job: dict[str, str], arch: str, top: Path) -> None:
        self.job, self.arch, self.top = job, arch, top
        self.sources = top / "src"
        self.logfile = top / "logfile"

    def prepare(self) -> None:
        shutil.rmtree(self.top, ignore_errors=True)
        self.sources.mkdir(parents=True)
        self.note(f"[    0s] building {self.job['package']} for {self.job['repository']}/{self.arch}\n")
        wanted = {name: self.job[name] for name in ("project", "package", "srcmd5")}
        for name, body in cpio.read(call(self.job["srcserver"] + "/getsources", wanted)).items():
            (self.sources / Path(name).name).write_bytes(body)

    def note(self, text: str) -> None:
        with self.logfile.open("a") as log_file:
            log_file.write(text)

    def run(self, argv: list[str], cwd: Path) -> bool:
        self.note(f"+ {' '.join(argv)}\n")
        env = os.environ | {"DEB_BUILD_OPTIONS": "nocheck"}
        with self.logfile.open("ab") as out:
            done = subprocess.run(argv, stdout=out, stderr=out, cwd=cwd, env=env, stdin=subprocess.DEVNULL)
        return done.returncode == 0

    def packages(self) -> list[Path] | None:
        """The built files, or None if the build failed."""
        return self.rpms() if self.job["file"].endswith(".spec") else self.debs()

    def rpms(self) -> list[Path] | None:
        spec = self.top / self.job["file"]
        text = (self.sources / self.job["file"]).read_text()
        text = text.replace("@BUILD_FLAVOR@", self.job["package"].partition(":")[2])
        if self.job.get("release"):  # OBS sets the release number of each build
            text = re.sub(r"(?mi)^Release:.*$", "Release: " + self.job["release"], text)
        spec.write_text(text)
        defines = {
            "_topdir": str(self.top),
            "_tmppath": str(self.top),
            "_sourcedir": str(self.sources),
            "_build_name_fmt": "%%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm",
            "disturl": self.job.get("disturl", ""),
        }
        argv = ["rpmbuild", "-ba", "--nodeps", "--target", f"{self.arch}-linux"]
        argv += [part for name, value in defines.items() for part in ("--define", f"{name} {value}")]
        if not self.run([*argv, str(spec)], self.top):
            return None
        return sorted((self.top / "RPMS").rglob("*.rpm")) + sorted((self.top / "SRPMS").rglob("*.rpm"))

    def debs(self) -> list[Path] | None:
        tree, dsc = self.top / "tree", self.sources / self.job["file"]
        # "-b": packages of "Architecture: all" are built on every architecture, as OBS does it.
        build = ["dpkg-buildpackage", "-us", "-uc", "-d", "-b", "-rfakeroot", "-a" + DEB_ARCH[self.arch]]
        if not (self.run(["dpkg-source", "-x", str(dsc), str(tree)], self.top) and self.run(build, tree)):
            return None
        built = [path for path in self.top.iterdir() if path.suffix in {".deb", ".changes", ".buildinfo"}]
        named = set(re.findall(r"(?m)^ [0-9a-f]{64} \d+ (\S+)$", dsc.read_text()))
        return sorted(built) + [self.sources / name for name in sorted(named | {dsc.name})]

    def result(self, packages: list[Path] | None) -> bytes:
        """What putjob takes: the packages, and what the backend expects beside them."""
        now = int(time.time())
        entries = [(path.name, path.read_bytes(), int(path.stat().st_mtime)) for path in packages or []]
        if packages is not None:
            entries.append(("_statistics", b"<buildstatistics/>", now))
            source = self.job.get("verifymd5") or self.job["srcmd5"]
            entries.append(("meta", f"{source}  {self.job['package']}\n".encode(), now))
        entries.append(("logfile", self.logfile.read_bytes(), now))
        written: bytes = cpio.write(entries)
        return written


class Worker:
    def __init__(self, *, arch: str, port: int, repserver: str, workdir: Path, hold_file: Path) -> None:
        self.arch, self.port, self.repserver = arch, port, repserver
        self.workdir, self.hold_file = workdir, hold_file
        self.name = f"mini-{arch}"
        self.busy = threading.Lock()

    def idle(self) -> None:
        params = {"state": "idle", "arch": self.arch, "port": str(self.port), "workerid": self.name}
        hardware = b"<worker><hardware><processors>1</processors></hardware></worker>"
        for _ in range(60):
            try:
                call(self.repserver + "/worker", params, hardware)
                return
            except OSError as error:
                log(f"cannot register: {error!r}")
                time.sleep(1)

    def take(self, xml: bytes) -> None:
        try:
            self.work(xml)
        except Exception as error:
            log(f"job lost: {error!r}")
        finally:
            self.busy.release()
            self.idle()

    def work(self, xml: bytes) -> None:
        root = ET.fromstring(xml)
        job = {element.tag: element.text or "" for element in root if len(element) == 0} | root.attrib
        build = Build(job, self.arch, self.workdir / "job")
        build.prepare()
        self.wait_for_release()
        packages = build.packages()
        code = "failed" if packages is None else "succeeded"
        params = {
            "job": job["job"],
            "arch": job["arch"],
            "jobid": hashlib.md5(xml).hexdigest(),
            "code": code,
            "now": str(int(time.time())),
            "workerid": self.name,
        }
        call(job["reposerver"] + "/putjob", params, build.result(packages))
        log(f"{job['job']}: {code}")

    def wait_for_release(self) -> None:
        until = time.monotonic() + HOLD_SECONDS
        while self.hold_file.exists() and time.monotonic() < until:
            time.sleep(0.1)


class Handler(BaseHTTPRequestHandler):
    worker: Worker

    def answer(self, status: int, text: str) -> None:
        body = f'<status code="{"ok" if status == 200 else status}"><details>{text}</details></status>\n'.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def body(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        out = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            out += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return out

    def do_PUT(self) -> None:
        xml = self.body()
        if not self.path.startswith("/build"):
            self.answer(404, "unknown request")
        elif not self.worker.busy.acquire(blocking=False):
            self.answer(400, "I am not idle!")
        else:
            self.answer(200, "building")
            threading.Thread(target=self.worker.take, args=(xml,), daemon=True).start()

    def do_GET(self) -> None:
        self.answer(200, "busy" if self.worker.busy.locked() else "idle")

    def do_POST(self) -> None:  # kill and discard: a build that nobody waits for simply ends
        self.body()
        self.answer(200, "")

    def log_message(self, format: str, *args: object) -> None:
        pass


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--arch", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--repserver", required=True)
    parser.add_argument("--workdir", type=Path, required=True)
    parser.add_argument("--hold-file", type=Path, required=True, help="builds wait while this file exists")
    Handler.worker = Worker(**vars(parser.parse_args()))
    server = HTTPServer(("127.0.0.1", Handler.worker.port), Handler)
    threading.Thread(target=Handler.worker.idle, daemon=True).start()
    server.serve_forever()


if __name__ == "__main__":
    main()
