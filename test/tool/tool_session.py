"""What the tests of jpki-tool share: the program on a terminal of its own or with pipes, the virtual
card, and another program at it. The tests run inside test/system/sandbox. From the environment: TOOL,
the program; OTHER_PROGRAM; VCARD and what the sandbox sets.
"""
import os
import re
import select
import signal
import struct
import fcntl
import subprocess
import sys
import termios
import time
import unicodedata

LIMIT = 30  # seconds for anything

ENGLISH = {"LC_ALL": "C.UTF-8"}
JAPANESE = {"LC_ALL": "ja_JP.UTF-8"}


def fail(text):
    """Ends the test."""
    print(f"FAILED: {text}", file=sys.stderr)
    log = os.environ.get("VCARD_LOG")
    if log and os.path.exists(log):
        with open(log, encoding="utf-8") as file:
            print("".join(line[:100].rstrip() + "\n" for line in file.readlines()[-20:]), file=sys.stderr)
    sys.exit(1)


def check(condition, text):
    """Ends the test unless the condition holds."""
    if not condition:
        fail(text)


def passed(text):
    """Says what has been shown."""
    print(f"ok: {text}", flush=True)


# ---- The card ----------------------------------------------------------------------------


def control(*words, card=0):
    """A command for the card in a reader; returns its answer."""
    path = os.environ.get(f"VCARD_CTL_{card}")
    done = subprocess.run([os.environ["VCARD"], "--ctl", path, *words], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=LIMIT, check=False)
    check(done.returncode == 0, f"{words}: {done.stdout}")
    return done.stdout


def settle(*settings, tries=None):
    """Sets switches ("name=value") and tries ({"jpki 0018": 1}), and puts the card in anew."""
    for setting in settings:
        control("set", setting)
    for pin, left in (tries or {}).items():
        control("set-tries", *pin.split(), str(left))
    reinsert()


def reinsert():
    """Takes the card out and puts it in again."""
    control("remove")
    control("wait-removed")
    control("insert")
    control("wait-inserted")


def swap(directory):
    """Another card, with the switches that it has from the start."""
    control("swap", directory)
    control("wait-inserted")


def kind(name):
    """The directory of a copy of a card of this kind."""
    copy = os.path.join(os.environ["SANDBOX_DIR"], f"kind-{name}")
    if not os.path.exists(copy):
        subprocess.run(["cp", "-r", f"{os.environ['VCARD_KINDS']}/kind-{name}", copy], check=True)
    return copy


def make_card(name, *options):
    """Personalises a card (jpki-vcard --make), and returns its directory."""
    directory = os.path.join(os.environ["SANDBOX_DIR"], f"made-{name}")
    subprocess.run([os.environ["VCARD"], "--make", directory, *options], check=True)
    return directory


def tries():
    """The tries left of each PIN: {"jpki 0018": 3, ...}"""
    return {f"{line.split()[0]} {line.split()[1]}": int(line.split()[2].split("/")[0])
            for line in control("tries").splitlines() if re.match(r"\w+ [0-9A-F]{4} ", line)}


def counter(name):
    """A counter of the card: commands, verifies, ..."""
    return int(re.search(rf"^{name}=(\d+)", control("counters"), re.MULTILINE).group(1))


def logged(text):
    """How often a text is in the card's log. (Its control socket does not answer while a command takes time.)"""
    with open(os.environ["VCARD_LOG"], encoding="utf-8") as log:
        return log.read().count(text)


class OtherProgram:
    """Another program at the card (test/support/other_program.c)."""

    def __init__(self):
        self.process = subprocess.Popen([os.environ["OTHER_PROGRAM"]], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)

    def ask(self, line):
        """Its answer to a line."""
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def does(self, *lines):
        """Fails unless the answer to each line is OK."""
        for line in lines:
            answer = self.ask(line)
            check(answer == "OK", f"other program, {line}: {answer}")

    def end(self):
        """Ends it."""
        self.process.stdin.close()
        self.process.wait(LIMIT)


# ---- With pipes --------------------------------------------------------------------------


def run(*words, language=None, given="", environment=None):
    """Runs jpki-tool without a terminal; returns status, output and messages."""
    done = subprocess.run([os.environ["TOOL"], *words], input=given, capture_output=True, text=True,
                          env={**os.environ, **(language or ENGLISH), **(environment or {})},
                          timeout=LIMIT, check=False, start_new_session=True)
    return done.returncode, done.stdout, done.stderr


def expect(status, *words, **options):
    """The same, and fails unless the status is this one; returns output and messages together."""
    got, output, messages = run(*words, **options)
    check(got == status, f"jpki-tool {' '.join(words)}: status {got}, not {status}: {output}{messages}")
    return output + messages


# ---- On a terminal -----------------------------------------------------------------------


def columns_of(text):
    """Columns that a line takes, full-width characters two each."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def without_colours(text):
    """What is left when the terminal has obeyed its control sequences."""
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


class Terminal:
    """jpki-tool on a terminal of its own, of which it is the session's leader or, with `shell`, a
    job of a shell."""

    def __init__(self, *words, language=None, columns=80, environment=None, shell=False):
        self.ours, theirs = os.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        self.before = termios.tcgetattr(theirs)
        command = ["bash", "--norc", "--noediting", "-i"] if shell else [os.environ["TOOL"], *words]
        self.process = subprocess.Popen(
            command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
            env={**os.environ, "TERM": "xterm", "PS1": "shell> ", **(language or ENGLISH), **(environment or {})})
        self.theirs = theirs  # kept open, so that its settings can be read after the program's end
        self.text = ""
        self.seen = 0
        self.bytes = b""

    def read(self, wait):
        """Takes what has been printed; False when there was nothing."""
        ready, _, _ = select.select([self.ours], [], [], wait)
        if not ready:
            return False
        self.bytes += os.read(self.ours, 65536)
        self.text = self.bytes.decode("utf-8", "replace").replace("\r\n", "\n")
        return True

    def expect(self, pattern):
        """Waits for a text behind what was expected before."""
        end = time.monotonic() + LIMIT
        while True:
            found = re.search(pattern, without_colours(self.text)[self.seen:])
            if found:
                self.seen += found.end()
                return found
            if time.monotonic() > end:
                fail(f"no {pattern!r} on the terminal: {self.text}")
            if not self.read(0.05) and self.process.poll() is not None and not self.read(0.2):
                fail(f"ended ({self.process.returncode}) without {pattern!r}: {self.text}")

    def send(self, text):
        """Types."""
        os.write(self.ours, text.encode())

    def echoes(self):
        """Whether the terminal shows what is typed."""
        return bool(termios.tcgetattr(self.theirs)[3] & termios.ECHO)

    def wait_for_echo(self, wanted):
        """Until the terminal does, or does not."""
        end = time.monotonic() + LIMIT
        while self.echoes() != wanted:
            check(time.monotonic() < end, f"the terminal's echo is {self.echoes()}: {self.text}")
            time.sleep(0.01)

    def kill(self, number):
        """A signal for the program."""
        self.process.send_signal(number)

    def end(self, status):
        """Waits for its end: a status, or minus the number of a signal. The terminal must be as
        before. Returns all that was printed."""
        end = time.monotonic() + LIMIT
        while self.process.poll() is None:
            check(time.monotonic() < end, f"does not end: {self.text}")
            self.read(0.02)
        while self.read(0):
            pass
        check(self.process.returncode == status,
              f"ended with {self.process.returncode}, not {status}: {self.text}")
        after = termios.tcgetattr(self.theirs)
        check(after[:4] == self.before[:4], f"the terminal is not as before: {after} {self.before}")
        os.close(self.ours)
        os.close(self.theirs)
        return self.text


def show(*words, status=0, **options):
    """What it prints on a terminal, when it asks nothing."""
    return Terminal(*words, **options).end(status)


SIGNALS = {"SIGINT": signal.SIGINT, "SIGTERM": signal.SIGTERM, "SIGHUP": signal.SIGHUP}


def ended_while_the_card_works(session, pin, number, seen, microseconds):
    """Types a PIN, and sends a signal when the card's log has the text `seen` once more: each command takes so long.
    Returns what is on the terminal when the signal has ended the tool."""
    control("set", f"latency.command_us={microseconds}")
    before = logged(seen)
    end = time.monotonic() + LIMIT
    session.send(pin + "\n")
    while logged(seen) == before:
        check(time.monotonic() < end, f"no {seen} in the card's log")
        time.sleep(0.005)
    session.kill(number)
    text = session.end(-number)
    control("set", "latency.command_us=0")
    return text
