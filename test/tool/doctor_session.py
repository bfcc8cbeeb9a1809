"""What the tests of jpki-tool doctor share: a machine of their own in the sandbox's mount namespace, which they
break on purpose; what doctor says, and the commands that it prints, which are run.
The tests run inside test/system/sandbox. From the environment, besides what tool_session wants: BUILD, the build
directory; MODULES and MODULE_FILES, where the modules and p11-kit's module files are installed.
"""
import os
import re
import shutil
import subprocess
import tempfile
import time

from tool_session import ENGLISH, LIMIT, check, counter, run, tries

ROOT = os.environ["SANDBOX_DIR"]
PROGRAMS = f"{ROOT}/programs"  # first on PATH
SOCKET, PID_FILE = "/run/pcscd/pcscd.comm", "/run/pcscd/pcscd.pid"
PLAIN = {"HOME": f"{ROOT}/home", "XDG_CONFIG_HOME": "", "XDG_DATA_HOME": "", **ENGLISH}
os.environ.pop("SSH_CONNECTION", None)


# ---- The machine -------------------------------------------------------------------------


def command(*words, status=0, **options):
    """Runs a program; returns its output and messages."""
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, stdin=subprocess.DEVNULL,
                          timeout=2 * LIMIT, check=False, **options)
    check(done.returncode == status, f"{words}: status {done.returncode}: {done.stdout}")
    return done.stdout


# For programs that load our modules, which may be built with a sanitizer.
FOREIGN = {"LD_PRELOAD": os.environ["SANITIZER"], "ASAN_OPTIONS": "detect_leaks=0"} if "SANITIZER" in os.environ else {}


def foreign(*words):
    """The same of a program that loads our modules."""
    return command(*words, env={**os.environ, **FOREIGN})


def write(path, text, mode=0o644):
    """A file, in directories that are made."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, mode)
    return path


def program(name, text):
    """A shell script in place of a program that the machine has, or lacks."""
    return write(f"{PROGRAMS}/{name}", f"#!/bin/bash\n{text}\n", 0o755)


def own_directory(directory):
    """A copy, of what may be read, lies over a directory of the machine, so that it can be changed."""
    top = directory
    while not os.path.isdir(top):
        top = os.path.dirname(top)
    copy = f"{ROOT}/over{top}"
    os.makedirs(os.path.dirname(copy), exist_ok=True)
    subprocess.run(["cp", "-r", "--preserve=mode,links", top, copy], check=False, stderr=subprocess.DEVNULL)
    os.makedirs(copy + directory.removeprefix(top), exist_ok=True)
    command("mount", "--bind", copy, top)


def own_run():
    """A new /run: without systemd and D-Bus, whatever the machine has. Only pcscd's directory stays."""
    new = f"{ROOT}/run"
    os.makedirs(new)
    command("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", new)
    os.makedirs(f"{new}/pcscd")
    command("mount", "--bind", "/run/pcscd", f"{new}/pcscd")
    command("mount", "--rbind", new, "/run")
    command("umount", "--recursive", new)


def own_usb():
    """A new /sys/bus, where plug_in() puts readers."""
    os.makedirs(f"{ROOT}/bus/usb/devices")
    command("mount", "--bind", f"{ROOT}/bus", "/sys/bus")


def install():
    """Our modules, as `meson install` brings them; p11-kit finds no others."""
    for directory in (os.environ["MODULES"], os.environ["MODULE_FILES"], "/usr/local"):
        own_directory(directory)
    for name in os.listdir(os.environ["MODULE_FILES"]):
        os.unlink(f"{os.environ['MODULE_FILES']}/{name}")
    meson_install()


def meson_install():
    """The command of the remedy, without compiling, as the build directory of the tests has another name."""
    command("meson", "install", "-C", os.environ["BUILD"], "--no-rebuild")


# In place of apt, as there may be no network: what a test has hidden comes back, if Debian's package has it.
APT = """
[[ $1 == install ]] || exit 1
while read -r path mended; do
    if dpkg --listfiles "$2" | grep -qx "$path"; then eval "$mended"; fi
done <"$HIDDEN"
"""


def hide(path, mended):
    """Tells the apt above which file is hidden, and the command that brings it back."""
    write(os.environ["HIDDEN"], f"{path} {mended}\n")


def make_machine():
    """All of the above."""
    os.chmod(ROOT, 0o755)
    os.environ["HIDDEN"] = f"{ROOT}/hidden"
    own_run()
    own_usb()
    own_directory("/etc")
    install()
    shutil.rmtree("/etc/reader.conf.d")
    os.symlink(f"{ROOT}/reader.conf.d", "/etc/reader.conf.d")
    program("apt", APT)
    shutil.copy(os.environ["TOOL"], f"{PROGRAMS}/jpki-tool")
    os.environ["TOOL"] = f"{PROGRAMS}/jpki-tool"
    os.environ["PATH"] = f"{PROGRAMS}:{os.environ['PATH']}"
    os.makedirs(f"{ROOT}/home", mode=0o700)


# ---- pcscd -------------------------------------------------------------------------------


def wait_until(condition, what):
    """Polls."""
    end = time.monotonic() + LIMIT
    while not condition():
        check(time.monotonic() < end, f"not within {LIMIT} s: {what}")
        time.sleep(0.02)


def running_pcscd():
    """Its process, by its own file; None where there is none."""
    try:
        with open(PID_FILE, encoding="utf-8") as file:
            return int(file.read().strip("\0\n"))
    except FileNotFoundError:
        return None


def stop_pcscd():
    """As the system does it."""
    pid = running_pcscd()
    with open(os.environ["PCSCD_PID"], "w", encoding="utf-8") as file:
        file.write(f"{pid}\n")
    command(os.environ["PCSCD_STOP"])
    wait_until(lambda: not os.path.exists(SOCKET), "pcscd takes its socket away")


def adopt_pcscd():
    """One that a remedy has started: the sandbox ends it, too."""
    wait_until(lambda: running_pcscd() is not None and os.path.exists(SOCKET), "pcscd starts")
    with open(os.environ["PCSCD_PID"], "w", encoding="utf-8") as file:
        file.write(f"{running_pcscd()}\n")


# ---- What doctor says --------------------------------------------------------------------


class Report:
    """The lines of a run: (verdict, text, commands beneath)."""

    def __init__(self, output):
        self.output = output
        self.lines = []
        *lines, self.last = output.splitlines()
        for line in lines:
            if line.startswith("         $ "):
                self.lines[-1][2].append(line.removeprefix("         $ "))
                continue
            found = re.fullmatch(r"(ok|warning|wrong|-) +(.*)", line)
            check(found, f"a line of another form: {line!r}: {output}")
            self.lines.append((found.group(1), found.group(2), []))

    def find(self, verdict, part):
        """The line of this verdict with this text; there must be one."""
        found = [line for line in self.lines if line[0] == verdict and part in line[1]]
        check(len(found) == 1, f"{len(found)} lines {verdict!r} with {part!r}: {self.output}")
        return found[0]

    def texts(self, verdict):
        """All of this verdict."""
        return [line[1] for line in self.lines if line[0] == verdict]

    def not_looked(self, *names):
        """Exactly these were not looked at."""
        check(self.texts("-") == [f"not looked at: {name}" for name in names], f"not {names}: {self.output}")


def doctor(status, *words, prefix=(), **environment):
    """Runs it. It spends no try and sends no PIN."""
    before = (tries(), counter("verifies")) if "VCARD_CTL_0" in os.environ else None
    options = {"environment": {**PLAIN, **environment}}
    if prefix:
        with tempfile.TemporaryDirectory() as counts: # of lines reached; other users cannot write them into the build
            os.chmod(counts, 0o777)
            done = subprocess.run([*prefix, os.environ["TOOL"], "doctor", *words], capture_output=True, text=True,
                                  env={**os.environ, **options["environment"], "GCOV_PREFIX": counts}, check=False,
                                  timeout=LIMIT, stdin=subprocess.DEVNULL)
        got, output, messages = done.returncode, done.stdout, done.stderr
    else:
        got, output, messages = run("doctor", *words, **options)
    check(got == status and messages == "", f"status {got}, not {status}: {output}{messages}")
    check(before is None or before == (tries(), counter("verifies")), "doctor has spent a try or sent a PIN")
    return Report(output)


def mend(commands, expected):
    """Runs the commands that doctor has printed, as root; they must be as expected."""
    check(commands == expected, f"doctor prints {commands}, not {expected}")
    for one in commands:
        if one == "meson install -C build":
            meson_install()
            continue
        ours = FOREIGN if one.startswith("jpki-tool ") else {} # modutil loads the modules
        done = subprocess.run(["bash", "-c", re.sub(r"\bsudo ", "", one)], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=LIMIT, check=False, stdin=subprocess.DEVNULL,
                              env={**os.environ, **PLAIN, **ours})
        check(done.returncode == 0, f"{one}: status {done.returncode}: {done.stdout}")
