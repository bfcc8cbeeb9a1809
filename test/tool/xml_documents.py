"""Documents for the tests of XML signatures: invented, in the shape of those that are handed in to
offices; and programs that verify the signatures. The tests run inside test/system/sandbox.
"""
import contextlib
import os
import subprocess

from tool_session import LIMIT, check, expect, run

DSIG = "http://www.w3.org/2000/09/xmldsig#"
PIN = {"PIN": "ABC123"}
HERE = os.path.dirname(os.path.abspath(__file__))

# Namespaces, ids in both spellings, Japanese text, xml:lang, an empty element, and text that looks like tags.
ETAX = """<?xml version="1.0" encoding="UTF-8"?>
<DATA xmlns="http://xml.invalid/XSD/shotoku" xmlns:gen="http://xml.invalid/XSD/general" id="DATA">
  <RKO0010 VR="25.0.0" id="RKO0010" xml:lang="ja">
    <CATALOG id="CATALOG"><gen:FORM sequence="1">申告書等送信票</gen:FORM></CATALOG>
    <CONTENTS id="CONTENTS">
      <IT VR="1.5" id="IT" note="a &gt; b > c">
        <NOZEISHA_NM ID="NOZEISHA_NM">見本 花子 &amp; 太郎<![CDATA[ </IT> ]]></NOZEISHA_NM>
        <NOZEISHA_ADR ID="NOZEISHA_ADR">架空県見本市仮想町一丁目二番三号</NOZEISHA_ADR>
      </IT>
      <KOA020 VR="22.0" page='1' softNM="jpki-tool"><AMA00000 unit="円">1234567</AMA00000><EMPTY/></KOA020>
    </CONTENTS>
  </RKO0010>
</DATA>
"""

# An application, and the configuration file of one.
EGOV = """<?xml version="1.0" encoding="UTF-8"?>
<?xml-stylesheet type="text/xsl" href="form.xsl"?>
<DataRoot>
<ApplData Id="ApplData"><Name>見本花子</Name><Address>架空県見本市</Address></ApplData>
</DataRoot>
"""
KOUSEI = """<?xml version="1.0" encoding="UTF-8"?>
<DataRoot xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
<様式ID>999000000000000000</様式ID>
<構成情報 ID="構成情報"><管理情報><手続名称>見本の手続</手続名称></管理情報></構成情報>
<その他/>
</DataRoot>
"""
ATTACHMENTS = {"form_01.xml": "<申請書>\r\n<!-- as it is --></申請書>\n", "map (1) 50%.pdf": "%PDF-1.4 not really\n",
               "添付書類.txt": "三つ目\n"}


def write(name, text):
    """A file in the current directory; returns its name."""
    with open(name, "wb") as file:
        file.write(text if isinstance(text, bytes) else text.encode())
    return name


def read(name):
    """Its bytes."""
    with open(name, "rb") as file:
        return file.read()


def begin(name):
    """A directory of its own with the documents and the CA."""
    os.makedirs(os.path.join(os.environ["SANDBOX_DIR"], name))
    os.chdir(os.path.join(os.environ["SANDBOX_DIR"], name))
    for file, text in {"etax.xtx": ETAX, "egov.xml": EGOV, "kousei.xml": KOUSEI, **ATTACHMENTS}.items():
        write(file, text)
    write("ca.pem", run("cert", "sign-ca")[1])


def sign(document, output, *options, status=0):
    """sign --xml; returns what it said."""
    return expect(status, "sign", "--xml", "--pin-env", "PIN", "--output", output, *options, document, environment=PIN)


def attached():
    """The options that name the attachments."""
    return [word for name in ATTACHMENTS for word in ("--attach", name)]


def verify(document, *options, status=0):
    """Our verify; returns what it said."""
    return expect(status, "verify", *options, document)


def xmlsec(document, *options):
    """Whether xmlsec1 finds a signature valid that is made by a certificate of the CA."""
    ids = [word for element in ("DATA", "RKO0010", "IT", "CATALOG", "ApplData", f"{DSIG}:Object") for name in ("Id", "id")
           for word in (f"--id-attr:{name}", element)]
    done = subprocess.run(["xmlsec1", "--verify", "--trusted-pem", "ca.pem", *ids, *options, document],
                          capture_output=True, timeout=LIMIT, check=False)
    return done.returncode == 0


def java(*documents):
    """Those that Java finds valid, by the same CA."""
    done = subprocess.run(["java", os.path.join(HERE, "VerifyXml.java"), "ca.pem", os.getcwd(), *documents],
                          capture_output=True, text=True, timeout=120, check=False)
    check(len(done.stdout.splitlines()) == len(documents), f"java: {done.stdout}{done.stderr}")
    return {line.split(" ", 1)[1] for line in done.stdout.splitlines() if line.startswith("valid ")}


@contextlib.contextmanager
def nothing_written():
    """In here no file of the current directory is changed, made or removed."""
    before = {name: read(name) for name in os.listdir()}
    yield
    after = {name: read(name) for name in os.listdir()}
    check(before == after, f"files were written: {sorted(after.keys() ^ before.keys())}")
