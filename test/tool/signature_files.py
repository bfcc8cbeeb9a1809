"""What the tests of signatures share: files in a directory of their own, and programs. From the environment: TOOL, and
what test/system/sandbox sets.
"""
import os
import subprocess

from tool_session import ENGLISH, LIMIT, check

PIN = "ABC123"


def inside(name="files"):
    """Goes to a new directory with a file `data`, and its SHA-256 in `hash`."""
    directory = os.path.join(os.environ["SANDBOX_DIR"], name)
    os.mkdir(directory)
    os.chdir(directory)
    write("data", b"".join(b"line %d\n" % number for number in range(100)))
    write("hash", run_program("openssl", "dgst", "-sha256", "-binary", "data"))


def read(path):
    """The bytes of a file."""
    with open(path, "rb") as file:
        return file.read()


def write(path, data):
    """Makes a file."""
    with open(path, "wb") as file:
        file.write(data)


def sparse(path, length):
    """A file of so many zeros that take no place."""
    with open(path, "wb") as file:
        file.truncate(length)


def run_program(*command, status=0):
    """Runs a program, and fails unless it ends with this status (None: any but 0 gives b""); returns what it prints."""
    done = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, timeout=LIMIT, check=False)
    if status is None:
        return done.stdout if done.returncode == 0 else b""
    check(done.returncode == status, f"{' '.join(command)}: status {done.returncode}: {done.stderr.decode()}")
    return done.stdout


def tool(*words, given=None, pin=PIN, language=None, binary=False):
    """Runs jpki-tool without a terminal; returns status, messages and, with `binary`, the output as bytes, else what
    was printed in all in place of the messages."""
    pins = ["--pin-env", "PIN"] if pin and words[0] == "sign" else []
    done = subprocess.run([os.environ["TOOL"], *words, *pins], input=given, capture_output=True, timeout=LIMIT, check=False,
                          stdin=subprocess.DEVNULL if given is None else None, start_new_session=True,
                          env={**os.environ, **(language or ENGLISH), "PIN": pin or PIN})
    messages = done.stderr.decode()
    if binary:
        return done.returncode, messages, done.stdout
    return done.returncode, messages + done.stdout.decode("utf-8", "replace"), b""


def fails(status, *words, **options):
    """Fails unless the tool ends with this status; returns what it prints."""
    got, text, _ = tool(*words, **options)
    check(got == status, f"jpki-tool {' '.join(words)}: status {got}, not {status}: {text}")
    return text


def sign(*words, **options):
    """jpki-tool sign, which must work."""
    return fails(0, "sign", *words, **options)


def verify(status, *words, **options):
    """jpki-tool verify."""
    return fails(status, "verify", *words, **options)


def certificates(prefix=""):
    """The card's certificates and public keys: sign.pem, sign.pub, sign-ca.pem, auth ..."""
    for word in ("sign", "auth", "sign-ca", "auth-ca"):
        pins = ["--pin-env", "PIN"] if word == "sign" else []
        text = fails(0, "cert", word, *pins)
        write(f"{prefix}{word}.pem", text[text.index("-----BEGIN"):].encode())
        write(f"{prefix}{word}.pub", run_program("openssl", "x509", "-in", f"{prefix}{word}.pem", "-noout", "-pubkey"))
