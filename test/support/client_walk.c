/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client_walk.h"

#include <string.h>

#define MECHANISMS 32U

static bool check(struct client_walk *walk, bool condition, const char *what)
{
    if (!condition && walk->failure[0] == '\0')
        (void)snprintf(walk->failure, sizeof walk->failure, "slot %lu: %s", walk->slot, what);
    return condition;
}

static bool returns(struct client_walk *walk, CK_RV rv, CK_RV expected, const char *what)
{
    char text[128];
    (void)snprintf(text, sizeof text, "%s returns 0x%lx, not 0x%lx", what, rv, expected);
    return check(walk, rv == expected, text);
}

static bool works(struct client_walk *walk, CK_RV rv, const char *what)
{
    return returns(walk, rv, CKR_OK, what);
}

/* ---- Objects ---------------------------------------------------------------------------- */

static CK_ULONG find(struct client_walk *walk, CK_OBJECT_CLASS class, CK_BYTE id,
                     CK_OBJECT_HANDLE *found)
{
    CK_OBJECT_HANDLE all[8];
    CK_ULONG count = 0;
    CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof class}, {CKA_ID, &id, 1}};
    if (!works(walk, C_FindObjectsInit(walk->session, template, id == 0 ? 1 : 2),
               "FindObjectsInit"))
        return 0;
    works(walk, C_FindObjects(walk->session, all, 8, &count), "FindObjects");
    works(walk, C_FindObjectsFinal(walk->session), "FindObjectsFinal");
    *found = count > 0 ? all[0] : CK_INVALID_HANDLE;
    return count;
}

static CK_BYTE own_id(const struct client_walk *walk)
{
    return walk->slot == AUTH ? 1 : 2;
}

static bool find_one(struct client_walk *walk, CK_OBJECT_CLASS class, CK_OBJECT_HANDLE *found)
{
    return check(walk, find(walk, class, own_id(walk), found) == 1, "the object is there, once");
}

/* The certificate equals the card's file. */
static bool read_certificate(struct client_walk *walk, CK_BYTE id, const char *file)
{
    CK_BYTE value[CERT_MAX];
    uint8_t wanted[CERT_MAX];
    CK_OBJECT_HANDLE certificate;
    CK_ATTRIBUTE attribute = {CKA_VALUE, value, sizeof value};
    size_t length = state_file(walk->app->card, file, wanted, sizeof wanted);
    return check(walk, find(walk, CKO_CERTIFICATE, id, &certificate) == 1, "the certificate") &&
           works(walk, C_GetAttributeValue(walk->session, certificate, &attribute, 1),
                 "GetAttributeValue") &&
           check(walk, attribute.ulValueLen == length && memcmp(value, wanted, length) == 0,
                 "the certificate is the card's");
}

static const char *const files[2][2] = {{AUTH_CERT, AUTH_CA}, {SIGN_CERT, SIGN_CA}};

static bool read_everything(struct client_walk *walk)
{
    CK_OBJECT_HANDLE object;
    CK_ULONG size = 0;
    CK_BYTE id = own_id(walk);
    return read_certificate(walk, id, files[walk->slot][0]) &&
           read_certificate(walk, id + 2, files[walk->slot][1]) &&
           find_one(walk, CKO_PUBLIC_KEY, &object) && find_one(walk, CKO_PRIVATE_KEY, &object) &&
           works(walk, C_GetObjectSize(walk->session, object, &size), "GetObjectSize");
}

/* ---- Login ------------------------------------------------------------------------------ */

static CK_RV log_in(const struct client_walk *walk)
{
    return app_try_login(walk->session, walk->slot == AUTH ? AUTH_PIN : SIGN_PIN);
}

static CK_STATE state_of(const struct client_walk *walk)
{
    CK_SESSION_INFO info = {0};
    (void)C_GetSessionInfo(walk->session, &info);
    return info.state;
}

static const char *const pins[2][2] = {{AUTH_PIN, "8765"}, {SIGN_PIN, "XYZ98765"}};

static CK_RV set_pin(const struct client_walk *walk, const char *from, const char *to)
{
    CK_UTF8CHAR old[16], new[16];
    memcpy(old, from, strlen(from));
    memcpy(new, to, strlen(to));
    return C_SetPIN(walk->session, old, strlen(from), new, strlen(to));
}

static bool change_pin_and_back(struct client_walk *walk)
{
    const char *const *pin = pins[walk->slot];
    return works(walk, set_pin(walk, pin[0], pin[1]), "SetPIN") &&
           works(walk, set_pin(walk, pin[1], pin[0]), "SetPIN back");
}

/* ---- Signatures ------------------------------------------------------------------------- */

static CK_BYTE text[] = {'T', 'h', 'i', 's', ' ', 'i', 's', ' ', 'a', ' ', 't',
                         'e', 'x', 't', ' ', 'o', 'f', ' ', '3', '2', ' ', 'b',
                         'y', 't', 'e', 's', ',', ' ', 'n', 'o', 't', '.'};

static CK_RV sign_once(struct client_walk *walk, CK_MECHANISM *mechanism,
                       CK_BYTE signature[SIGNATURE])
{
    CK_OBJECT_HANDLE key;
    CK_ULONG length = SIGNATURE;
    if (!find_one(walk, CKO_PRIVATE_KEY, &key))
        return CKR_KEY_HANDLE_INVALID;
    CK_RV rv = C_SignInit(walk->session, mechanism, key);
    return rv == CKR_OK ? C_Sign(walk->session, text, sizeof text, signature, &length) : rv;
}

/* Where the card forgets the PIN and it is not kept, the first attempt may return that; then logs
 * in and tries again. */
static CK_RV sign(struct client_walk *walk, CK_MECHANISM *mechanism, CK_BYTE signature[SIGNATURE])
{
    if (walk->expected.forgets && state_of(walk) == CKS_RW_PUBLIC_SESSION)
        works(walk, log_in(walk), "login after the card forgot");
    CK_RV rv = sign_once(walk, mechanism, signature);
    if (rv != CKR_USER_NOT_LOGGED_IN || !walk->expected.forgets)
        return rv;
    check(walk, state_of(walk) == CKS_RW_PUBLIC_SESSION, "a lost login is over");
    works(walk, log_in(walk), "login after the card forgot");
    return sign_once(walk, mechanism, signature);
}

static CK_RV verify(struct client_walk *walk, CK_MECHANISM *mechanism, CK_BYTE signature[SIGNATURE])
{
    CK_OBJECT_HANDLE key;
    /* After the logout a hidden public key is not visible. */
    if (walk->expected.forgets && state_of(walk) == CKS_RW_PUBLIC_SESSION)
        works(walk, log_in(walk), "login after the card forgot");
    if (!find_one(walk, CKO_PUBLIC_KEY, &key))
        return CKR_KEY_HANDLE_INVALID;
    CK_RV rv = C_VerifyInit(walk->session, mechanism, key);
    return rv == CKR_OK ? C_Verify(walk->session, text, sizeof text, signature, SIGNATURE) : rv;
}

/* After a wrong or refused signature the module selects the application again, which may lose the
 * signature PIN: then that is the code, and the login ends. */
static bool refused_by_card(struct client_walk *walk, CK_RV rv, const char *what)
{
    if (rv == CKR_USER_NOT_LOGGED_IN && walk->slot == SIGN)
        return check(walk, state_of(walk) == CKS_RW_PUBLIC_SESSION, "a lost login is over") &&
               works(walk, log_in(walk), "login after a refusal");
    return returns(walk, rv, CKR_DEVICE_ERROR, what);
}

static bool sign_by(struct client_walk *walk, CK_MECHANISM_TYPE type)
{
    CK_RSA_PKCS_PSS_PARAMS pss = {CKM_SHA256, CKG_MGF1_SHA256, 32};
    CK_MECHANISM mechanism = {type, NULL, 0};
    CK_BYTE signature[SIGNATURE] = {0};
    char what[40];
    bool is_pss = type == CKM_RSA_PKCS_PSS || type == CKM_SHA256_RSA_PKCS_PSS;
    if (is_pss)
        mechanism = (CK_MECHANISM){type, &pss, sizeof pss};
    (void)snprintf(what, sizeof what, "signing by 0x%lx", type);
    CK_RV rv = sign(walk, &mechanism, signature);
    /* By C_SignInit, or when the card has refused. */
    if (is_pss && !walk->expected.pss)
        return rv == CKR_MECHANISM_INVALID || refused_by_card(walk, rv, what);
    if (walk->expected.corrupts)
        return refused_by_card(walk, rv, "a wrong signature");
    walk->signatures++;
    bool right =
        works(walk, rv, what) && works(walk, verify(walk, &mechanism, signature), "verifying");
    signature[0] ^= 1;
    return right && returns(walk, verify(walk, &mechanism, signature), CKR_SIGNATURE_INVALID,
                            "verifying a wrong one");
}

/* With every mechanism that the token lists. */
static bool sign_each_way(struct client_walk *walk)
{
    CK_MECHANISM_TYPE list[MECHANISMS];
    CK_MECHANISM_INFO info;
    CK_ULONG count = MECHANISMS, pss = 0, all = 0;
    if (!works(walk, C_GetMechanismList(walk->slot, list, &count), "GetMechanismList"))
        return false;
    for (CK_ULONG i = 0; i < count && walk->failure[0] == '\0'; i++) {
        works(walk, C_GetMechanismInfo(walk->slot, list[i], &info), "GetMechanismInfo");
        if (!(info.flags & CKF_SIGN))
            continue;
        sign_by(walk, list[i]);
        pss += list[i] == CKM_RSA_PKCS_PSS || list[i] == CKM_SHA256_RSA_PKCS_PSS;
        all++;
    }
    return check(walk, all - pss == 6, "six ways of PKCS#1") &&
           check(walk, pss == 2 || (pss == 0 && !walk->expected.pss), "two ways of PSS");
}

/* ---- A token ---------------------------------------------------------------------------- */

static bool is_listed(struct client_walk *walk)
{
    CK_SLOT_ID list[8];
    CK_ULONG count = 8;
    bool found = false;
    works(walk, C_GetSlotList(CK_TRUE, list, &count), "GetSlotList");
    for (CK_ULONG i = 0; i < count && i < 8; i++)
        found = found || list[i] == walk->slot;
    return found;
}

static bool walk_absent(struct client_walk *walk)
{
    CK_TOKEN_INFO info;
    CK_SESSION_HANDLE none;
    CK_RV code = walk->expected.outcome[walk->slot] == FOREIGN ? CKR_TOKEN_NOT_PRESENT
                                                               : CKR_TOKEN_NOT_PRESENT;
    CK_FLAGS flags = CKF_SERIAL_SESSION | CKF_RW_SESSION;
    return check(walk, !is_listed(walk), "not in the list") &&
           returns(walk, C_GetTokenInfo(walk->slot, &info), code, "GetTokenInfo") &&
           returns(walk, C_OpenSession(walk->slot, flags, NULL, NULL, &none), code, "OpenSession");
}

static bool refuses_pins(const struct client_walk *walk)
{
    return walk->expected.untold && !walk->sends;
}

static bool walk_in(struct client_walk *walk)
{
    CK_TOKEN_INFO info;
    CK_FLAGS odd = CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_FINAL_TRY | CKF_USER_PIN_LOCKED;
    CK_FLAGS flags = CKF_SERIAL_SESSION | CKF_RW_SESSION;
    return check(walk, is_listed(walk), "in the list") &&
           works(walk, C_GetTokenInfo(walk->slot, &info), "GetTokenInfo") &&
           check(walk, !(info.flags & odd), "no try is missing") &&
           works(walk, C_OpenSession(walk->slot, flags, NULL, NULL, &walk->session),
                 "OpenSession") &&
           returns(walk, log_in(walk), refuses_pins(walk) ? CKR_DEVICE_ERROR : CKR_OK, "Login");
}

/* All that needs no PIN works, and nothing else is tried. */
static bool walk_without_pin(struct client_walk *walk)
{
    CK_OBJECT_HANDLE key;
    const char *const *pin = pins[walk->slot];
    bool empty = walk->expected.outcome[walk->slot] == EMPTY;
    bool hidden = walk->slot == SIGN || walk->expected.hides;
    return check(walk, state_of(walk) == CKS_RW_PUBLIC_SESSION, "not logged in") &&
           (empty || hidden || read_certificate(walk, own_id(walk), files[walk->slot][0])) &&
           (empty || read_certificate(walk, own_id(walk) + 2, files[walk->slot][1])) &&
           check(walk, find(walk, CKO_PRIVATE_KEY, 0, &key) == 0, "no key without login") &&
           returns(walk, set_pin(walk, pin[0], pin[1]), CKR_DEVICE_ERROR, "SetPIN") &&
           works(walk, C_CloseSession(walk->session), "CloseSession");
}

static bool walk_token(struct client_walk *walk, CK_SLOT_ID slot)
{
    CK_OBJECT_HANDLE key;
    walk->slot = slot;
    if (walk->expected.outcome[slot] == ABSENT || walk->expected.outcome[slot] == FOREIGN)
        return walk_absent(walk);
    if (!walk_in(walk))
        return false;
    if (refuses_pins(walk))
        return walk_without_pin(walk);
    if (walk->expected.outcome[slot] == EMPTY)
        return check(walk, find(walk, CKO_PRIVATE_KEY, 0, &key) == 0, "no key without certificate");
    if (!read_everything(walk) || !sign_each_way(walk) || !change_pin_and_back(walk))
        return false;
    if (walk->expected.forgets && state_of(walk) == CKS_RW_PUBLIC_SESSION)
        return works(walk, C_CloseSession(walk->session), "CloseSession");
    return works(walk, C_Logout(walk->session), "Logout") &&
           check(walk, state_of(walk) == CKS_RW_PUBLIC_SESSION, "logged out") &&
           check(walk, find(walk, CKO_PRIVATE_KEY, 0, &key) == 0, "no key after logout") &&
           works(walk, C_CloseSession(walk->session), "CloseSession");
}

/* Both tokens logged in. The login at one selects the application again, which may lose the other's
 * PIN: the authentication PIN is kept and sent again, the signature PIN is not, and neither is to a
 * card that does not tell the tries left. */
static bool walk_both(struct client_walk *walk)
{
    CK_SESSION_HANDLE sessions[2];
    CK_BYTE signature[SIGNATURE];
    CK_MECHANISM mechanism = {CKM_SHA256_RSA_PKCS, NULL, 0};
    if (walk->expected.outcome[AUTH] != WORKS || walk->expected.outcome[SIGN] != WORKS ||
        refuses_pins(walk))
        return true;
    for (walk->slot = AUTH; walk->slot <= SIGN; walk->slot++) {
        if (!walk_in(walk))
            return false;
        sessions[walk->slot] = walk->session;
    }
    for (unsigned i = 0; i < 6 && walk->failure[0] == '\0'; i++) {
        walk->slot = i % 2;
        walk->session = sessions[walk->slot];
        bool forgets = walk->expected.forgets;
        walk->expected.forgets = forgets || walk->slot == SIGN || walk->expected.untold;
        CK_RV rv = sign(walk, &mechanism, signature);
        if (walk->expected.corrupts)
            refused_by_card(walk, rv, "a wrong signature");
        else
            works(walk, rv, "signing in turns");
        walk->expected.forgets = forgets;
    }
    return walk->failure[0] == '\0';
}

bool client_walk(struct client_walk *walk)
{
    int before[PINS_MAX], after[PINS_MAX];
    (void)app_tries(walk->app, before);
    walk->failure[0] = '\0';
    CK_ULONG slots = 0;
    const char *options = walk->sends ? "untold-tries=send" : NULL;
    if (works(walk, app_initialize(options), "Initialize") &&
        works(walk, C_GetSlotList(CK_FALSE, NULL, &slots), "GetSlotList") &&
        walk_token(walk, walk->first) && walk_token(walk, 1 - walk->first))
        (void)walk_both(walk);
    works(walk, C_Finalize(NULL), "Finalize");
    (void)app_tries(walk->app, after);
    return check(walk, memcmp(before, after, sizeof before) == 0, "a try is gone") &&
           walk->failure[0] == '\0';
}
