"""PDFs for the tests of signatures: made by programs of others, and by hand where a file must be unusual."""
import os
import re
import shutil
import subprocess

from signature_files import read, run_program, write

PAGE = "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 200] /Contents 4 0 R /Resources << >>%s >>"
CONTENT = "0 0 1 rg 20 20 100 50 re f"


def stream(content, extra=""):
    """An object that is a stream."""
    return f"<< /Length {len(content)}{extra} >>\nstream\n{content}\nendstream"


def objects(catalog="", page="", more=()):
    """A document of one page, with what is to be in its catalog and page, and further objects from 5 on."""
    return {1: f"<< /Type /Catalog /Pages 2 0 R{catalog} >>", 2: "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            3: PAGE % page, 4: stream(CONTENT), **dict(enumerate(more, 5))}


def table(places, begin=0):
    """Cross-references as a table: {number: place}."""
    rows = "".join(f"{number} 1\n{place:010} 00000 n \n" for number, place in sorted(places.items()))
    return f"xref\n{'0 1' + chr(10) + '0000000000 65535 f ' + chr(10) if begin == 0 else ''}{rows}"


def revision(parts, before=b"", trailer="", places=None):
    """Objects with cross-references behind what is before; `places` has numbers that point elsewhere."""
    out, found = before or b"%PDF-1.7\n", {}
    for number, content in parts.items():
        found[number] = len(out)
        out += f"{number} 0 obj\n{content}\nendobj\n".encode()
    found.update(places or {})
    sizes = [int(size) for size in re.findall(rb"/Size (\d+)", before)] + [max(found) + 1]
    previous = re.findall(rb"startxref\s+(\d+)", before)
    prev = f" /Prev {previous[-1].decode()}" if previous else ""
    start = len(out)
    tail = f"trailer\n<< /Size {max(sizes)} /Root 1 0 R{prev}{trailer} >>\nstartxref\n{start}\n%%EOF\n"
    return out + (table(found, len(before)) + tail).encode()


def simple(path, **parts):
    """A file of that."""
    write(path, revision(objects(**parts)))


def hybrid(path):
    """Cross-references for old viewers in a table, and more of them in a stream."""
    packed = b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>"
    parts = objects()
    del parts[2]
    parts[5] = f"<< /Type /ObjStm /N 1 /First 4 /Length {4 + len(packed)} >>\nstream\n2 0 {packed.decode()}\nendstream"
    body = revision(parts)[:revision(parts).rindex(b"xref\n0 1")]
    places = {number: body.index(b"%d 0 obj" % number) for number in parts}
    hidden = len(body)
    entries = bytes([2, 0, 5, 0]) + bytes([1]) + hidden.to_bytes(2, "big") + bytes([0])
    body += (b"6 0 obj\n<< /Type /XRef /Size 7 /W [1 2 1] /Index [2 1 6 1] /Root 1 0 R /Length 8 >>\nstream\n"
             + entries + b"\nendstream\nendobj\n")
    tail = f"trailer\n<< /Size 7 /Root 1 0 R /XRefStm {hidden} >>\nstartxref\n{len(body)}\n%%EOF\n"
    write(path, body + (table(places) + tail).encode())


def large(path, length):
    """A stream of zeros that take no place on the disk."""
    start = revision({1: "<< /Type /Catalog /Pages 2 0 R >>", 2: "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
                      3: PAGE % "", 4: stream(CONTENT)})
    begin = start[:start.rindex(b"xref\n0 1")]
    head = b"5 0 obj\n<< /Length %d >>\nstream\n" % length
    end = b"\nendstream\nendobj\n"
    places = {number: begin.index(b"%d 0 obj" % number) for number in range(1, 5)}
    places[5] = len(begin)
    place = len(begin) + len(head) + length + len(end)
    with open(path, "wb") as file:
        file.write(begin + head)
        file.seek(length, os.SEEK_CUR)
        file.write(end + (table(places) + f"trailer\n<< /Size 6 /Root 1 0 R >>\nstartxref\n{place}\n%%EOF\n").encode())


HOLE = "<" + "0" * 6000 + ">"
FIELD = "<< /Type /Annot /Subtype /Widget /FT /Sig /T (%s) /Rect [0 0 0 0] /P 3 0 R%s >>"


def signature(extra=""):
    """A signature that is still to be made."""
    return (f"<< /Type /Sig /Filter /Adobe.PPKLite /SubFilter /adbe.pkcs7.detached{extra} /ByteRange [{' ' * 40}] "
            f"/Contents {HOLE} >>")


def signed_objects(catalog="", page="", form="", fields="[5 0 R]", annots="[5 0 R]", more=()):
    """A document of one page with a signature that is still to be made: field 5, value 6, further objects from 7 on."""
    return objects(catalog=f" /AcroForm << /Fields {fields} /SigFlags 3{form} >>{catalog}", page=f" /Annots {annots}{page}",
                   more=[FIELD % ("other", " /V 6 0 R"), signature(), *more])


def sign_bytes(whole, digest="sha256"):
    """Fills the last hole by OpenSSL, with a key and certificate of its own: other.pem is its CA."""
    if not os.path.exists("other.pem"):
        run_program("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "other.key", "-out",
                    "other.pem", "-subj", "/CN=Other", "-addext", "keyUsage=digitalSignature,keyCertSign")
    begin = whole.rindex(HOLE.encode())
    end = begin + len(HOLE)
    whole = whole.replace(b"[" + b" " * 40, b"[" + (b"0 %d %d %d" % (begin, end, len(whole) - end)).ljust(40))
    write("part", whole[:begin] + whole[end:])
    run_program("openssl", "cms", "-sign", "-binary", "-signer", "other.pem", "-inkey", "other.key", "-md", digest,
                "-outform", "der", "-in", "part", "-out", "cms")
    return whole[:begin + 1] + read("cms").hex().encode().ljust(len(HOLE) - 2, b"0") + whole[end - 1:]


def sign_by_openssl(path, digest="sha256", **parts):
    """A file with such a signature."""
    write(path, sign_bytes(revision(signed_objects(**parts)), digest))


# ---- Programs ----------------------------------------------------------------------------


def groff(path):
    """Two pages."""
    text = b".TL\nA letter\n.PP\nHello world.\n.bp\nThe second page.\n"
    write(path, subprocess.run(["groff", "-ms", "-Tpdf"], input=text, capture_output=True, check=True).stdout)


def ghostscript(path):
    """A picture."""
    write("picture.ps", b"%!PS\n100 100 translate 200 200 scale 8 8 8 [8 0 0 8 0 0] {<000102030405060708090a0b0c0d0e0f"
          b"102030405060708090a0b0c0d0e0f0ff202122232425262728292a2b2c2d2e2f>} image showpage\n")
    run_program("gs", "-q", "-dSAFER", "-sDEVICE=pdfwrite", "-o", path, "picture.ps")


def scan(path):
    """A page of A4 that is a picture, 150 dots an inch."""
    groff("letter.pdf")
    run_program("pdftoppm", "-jpeg", "-gray", "-r", "150", "-scale-to-x", "1240", "-scale-to-y", "1754", "-singlefile",
                "letter.pdf", "scan")
    run_program("gs", "-q", "--permit-file-read=scan.jpg", "-sDEVICE=pdfwrite", "-o", path, "viewjpeg.ps", "-c",
                "<< /PageSize [595 842] >> setpagedevice (scan.jpg) viewJPEG")


def libreoffice(path):
    """A text document."""
    write("text.html", "<html><body><h1>見本</h1><p>Text.</p></body></html>".encode())
    home = os.path.abspath("office")
    subprocess.run(["soffice", f"-env:UserInstallation=file://{home}", "--headless", "--convert-to", "pdf", "text.html"],
                   capture_output=True, check=True, timeout=120, env={**os.environ, "HOME": home})
    os.rename("text.pdf", path)


def documents():
    """All that can be made here: {name: path}."""
    made = {}

    def add(name, program, make):
        if shutil.which(program):
            make(f"{name}.pdf")
            made[name] = f"{name}.pdf"
        else:
            print(f"skipped: {program} is not installed")

    add("groff", "groff", groff)
    add("ghostscript", "gs", ghostscript)
    if shutil.which("groff") and shutil.which("pdftoppm"):
        add("scan", "gs", scan)
    add("libreoffice", "soffice", libreoffice)
    simple("by-hand.pdf")
    add("cairo", "pdftocairo", lambda path: run_program("pdftocairo", "-pdf", "by-hand.pdf", path))
    for name, source, options in (("linearised", "by-hand.pdf", ["--linearize"]),
                                  ("objects", "by-hand.pdf", ["--object-streams=generate"]),
                                  ("both", "by-hand.pdf", ["--linearize", "--object-streams=generate"]),
                                  ("turned", "by-hand.pdf", ["--rotate=90"])):
        add(name, "qpdf", lambda path, words=(*options, source): run_program("qpdf", *words, path))
    hybrid("hybrid.pdf")
    return {"by-hand": "by-hand.pdf", "hybrid": "hybrid.pdf", **made}


def signatures(path):
    """Of a file: where the hole begins and ends, and where the end is of what is signed; in order."""
    found = re.findall(rb"/ByteRange \[0 (\d+) (\d+) (\d+) *\]", read(path))
    return [(int(begin), int(end), int(end) + int(rest)) for begin, end, rest in found]
