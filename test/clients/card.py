"""card.py MODULE TOKEN-LABEL PIN on|off (PSS): the card by PyKCS11. Any exception is a failure."""
import hashlib
import sys

import PyKCS11
from PyKCS11 import CKA_CLASS, CKA_ID, CKA_PRIVATE, CKO_CERTIFICATE, CKO_PRIVATE_KEY, CKO_PUBLIC_KEY, Mechanism
from PyKCS11 import RSA_PSS_Mechanism

DIGEST_INFO_SHA256 = bytes.fromhex("3031300d060960864801650304020105000420")
PLAIN = {name: getattr(PyKCS11, "CKM_" + name.replace("-", "_"))
         for name in ("SHA1-RSA-PKCS", "SHA256-RSA-PKCS", "SHA384-RSA-PKCS", "SHA512-RSA-PKCS")}


def expect(code, function, *arguments):
    """function must fail with this CKR_..."""
    try:
        function(*arguments)
    except PyKCS11.PyKCS11Error as error:
        assert str(error).startswith(code), f"{error}, not {code}"
        print(f"{function.__name__}: {code}")
        return
    raise AssertionError(f"{function.__name__} succeeds")


def find_slot(library, label):
    for slot in library.getSlotList(tokenPresent=True):
        if library.getTokenInfo(slot).label.strip() == label:
            return slot
    raise AssertionError(f"no token {label}")


def pss_of(hashing):
    return RSA_PSS_Mechanism(hashing, PyKCS11.CKM_SHA256, PyKCS11.CKG_MGF1_SHA256, 32)


def mechanisms(data, with_pss):
    """name: what to sign, and how"""
    hashed = hashlib.sha256(data).digest()
    table = {name: (data, Mechanism(number)) for name, number in PLAIN.items()}
    table["RSA-PKCS"] = (DIGEST_INFO_SHA256 + hashed, Mechanism(PyKCS11.CKM_RSA_PKCS))
    if with_pss:
        table["RSA-PKCS-PSS"] = (hashed, pss_of(PyKCS11.CKM_RSA_PKCS_PSS))
        table["SHA256-RSA-PKCS-PSS"] = (data, pss_of(PyKCS11.CKM_SHA256_RSA_PKCS_PSS))
    return table


def private_key(session):
    keys = session.findObjects([(CKA_CLASS, CKO_PRIVATE_KEY)])
    assert len(keys) == 1, keys
    return keys[0]


def write(name, data):
    with open(name, "wb") as file:
        file.write(data)


def sign_all(session, key, with_pss):
    for name, (data, mechanism) in mechanisms(b"signed by PyKCS11", with_pss).items():
        signature = bytes(session.sign(key, data, mechanism))
        public = session.findObjects([(CKA_CLASS, CKO_PUBLIC_KEY), (CKA_ID, session.getAttributeValue(key, [CKA_ID])[0])])[0]
        assert session.verify(public, data, list(signature), mechanism), name
        write("data." + name, data)
        write("signature." + name, signature)
        print("signed and verified:", name)


def listed(library, slot, with_pss):
    names = library.getMechanismList(slot)
    for name in PLAIN:
        assert "CKM_" + name.replace("-", "_") in names, names
    assert any("PSS" in str(name) for name in names) == with_pss, names


def main(module, label, pin, pss):
    with_pss = pss == "on"
    library = PyKCS11.PyKCS11Lib()
    library.load(module)
    print(library.getInfo().libraryDescription.strip())
    slot = find_slot(library, label)
    listed(library, slot, with_pss)
    session = library.openSession(slot)
    assert not session.findObjects([(CKA_CLASS, CKO_PRIVATE_KEY)]), "a private key before login"
    assert not session.findObjects([(CKA_PRIVATE, True)]), "something private before login"
    expect("CKR_PIN_INCORRECT", session.login, "1" * 17)
    session.login(pin)
    expect("CKR_USER_ALREADY_LOGGED_IN", session.login, pin)
    key = private_key(session)
    assert session.findObjects([(CKA_CLASS, CKO_CERTIFICATE)]), "no certificate"
    sign_all(session, key, with_pss)
    expect("CKR_MECHANISM_INVALID", session.sign, key, b"data", Mechanism(PyKCS11.CKM_MD5_RSA_PKCS))
    session.logout()
    expect("CKR_KEY_HANDLE_INVALID", session.sign, key, b"data", Mechanism(PyKCS11.CKM_SHA256_RSA_PKCS))
    expect("CKR_USER_NOT_LOGGED_IN", session.logout)
    session.login(pin)
    session.sign(private_key(session), b"data", Mechanism(PyKCS11.CKM_SHA256_RSA_PKCS))
    print("signs after another login")
    session.logout()
    session.closeSession()


main(*sys.argv[1:])
