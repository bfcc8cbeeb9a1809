/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the values of the rows stand for. */
#include "arguments.h"

#include <string.h>

#define ROOMS 4U

/* Set anew for every call: what the module may write to, and what it reads. */
static struct {
    union {
        CK_ULONG align;
        CK_BYTE bytes[1024];
    } room[ROOMS];
    unsigned rooms;
    CK_ULONG size[ROOMS];
    unsigned sizes;
    CK_BYTE data[8];
    CK_UTF8CHAR pin[8], label[33];
    CK_OBJECT_CLASS class;
    CK_ATTRIBUTE attribute;
    CK_RSA_PKCS_PSS_PARAMS pss;
    CK_MECHANISM mechanism;
    CK_C_INITIALIZE_ARGS initialize;
} memory;

void material_start(void)
{
    memset(&memory, 0, sizeof memory);
    memcpy(memory.data, "hello", 5);
    memcpy(memory.pin, AUTH_PIN, 4);
    memset(memory.label, 'x', sizeof memory.label - 1);
    memory.class = CKO_CERTIFICATE;
    memory.pss = (CK_RSA_PKCS_PSS_PARAMS){CKM_SHA256, CKG_MGF1_SHA256, 32};
}

static void *room(void)
{
    assert_true(memory.rooms < ROOMS);
    return memory.room[memory.rooms++].bytes;
}

static void *size(CK_ULONG value)
{
    assert_true(memory.sizes < ROOMS);
    memory.size[memory.sizes] = value;
    return &memory.size[memory.sizes++];
}

static void *mechanism(CK_MECHANISM_TYPE type, void *parameter, CK_ULONG length)
{
    memory.mechanism = (CK_MECHANISM){type, parameter, length};
    return &memory.mechanism;
}

static void *template(CK_ATTRIBUTE_TYPE type, void *value, CK_ULONG length)
{
    memory.attribute = (CK_ATTRIBUTE){type, value, length};
    return &memory.attribute;
}

static CK_RV lock(void *mutex)
{
    (void)mutex;
    return CKR_OK;
}

static void *half_of_the_mutexes(void)
{
    memory.initialize.LockMutex = lock;
    memory.initialize.UnlockMutex = lock;
    return &memory.initialize;
}

static void *pointer(const struct material *material, enum value value)
{
    const CK_ULONG ones = ~0UL;
    switch ((int)value) {
    case SIGN_SHA256:
        return mechanism(CKM_SHA256_RSA_PKCS, NULL, 0);
    case SIGN_RAW:
        return mechanism(CKM_RSA_PKCS, NULL, 0);
    case DIGEST_SHA256:
    case MECHANISM_OF_DIGESTS:
        return mechanism(CKM_SHA256, NULL, 0);
    case MECHANISM_UNKNOWN:
        return mechanism(ones, NULL, 0);
    case PSS_NO_PARAMETER:
        return mechanism(CKM_RSA_PKCS_PSS, NULL, 0);
    case PSS_HUGE_PARAMETER:
        return mechanism(CKM_RSA_PKCS_PSS, &memory.pss, ones);
    case EXTRA_PARAMETER:
        return mechanism(CKM_SHA256_RSA_PKCS, memory.data, 5);
    case DATA:
        return memory.data;
    case ROOM:
        return room();
    case SIZE:
        return size(sizeof memory.room[0]);
    case SIZE_0:
        return size(0);
    case SIZE_ONES:
        return size(ones);
    case TEMPLATE:
        return template(CKA_CLASS, &memory.class, sizeof memory.class);
    case TEMPLATE_NO_VALUE:
        return template(CKA_CLASS, NULL, sizeof memory.class);
    case TEMPLATE_UNKNOWN:
        return template(ones, &memory.class, sizeof memory.class);
    case TEMPLATE_HUGE_VALUE:
        return template(CKA_CLASS, &memory.class, ones);
    case PIN:
        return memory.pin;
    case LABEL:
        return memory.label;
    case RIGHT_SIGNATURE:
        return memcpy(room(), material->signature, SIGNATURE);
    case MUTEX_HALF:
        return half_of_the_mutexes();
    default:
        return NULL;
    }
}

static CK_ULONG number(const struct material *material, enum value value)
{
    const CK_ULONG numbers[VALUES] = {
        [SESSION] = material->session,
        [CLOSED_SESSION] = material->closed,
        [ONES] = ~0UL,
        [ONE] = 1,
        [FIVE] = 5,
        [SLOT] = AUTH,
        [UNKNOWN_SLOT] = 999,
        [CERTIFICATE] = material->certificate,
        [KEY] = material->key,
        [PUBLIC_KEY] = material->public_key,
        [FOREIGN_OBJECT] = material->foreign,
        [UNKNOWN_OBJECT] = 0x123456,
        [SHA256_TYPE] = CKM_SHA256,
        [RSA_TYPE] = CKM_RSA_PKCS,
        [PIN_SIZE] = 4,
        [USER] = CKU_USER,
        [SIGNATURE_SIZE] = SIGNATURE,
        [SERIAL] = CKF_SERIAL_SESSION,
        [DONT_BLOCK] = CKF_DONT_BLOCK,
    };
    return numbers[value];
}

union argument material_value(const struct material *material, enum value value)
{
    union argument argument = {.p = pointer(material, value)};
    if (argument.p == NULL)
        argument.n = number(material, value);
    return argument;
}

/* ---- Opening ----------------------------------------------------------------------------- */

static CK_SESSION_HANDLE open_session(CK_SLOT_ID slot)
{
    CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
    assert_int_equal(C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &session),
                     CKR_OK);
    return session;
}

void material_open(struct material *material, struct app *app, enum during during)
{
    *material = (struct material){.app = app};
    app_restart(NULL);
    material->closed = open_session(AUTH);
    material->session = open_session(AUTH);
    assert_int_equal(C_CloseSession(material->closed), CKR_OK);
    app_login(material->session, AUTH_PIN);
    material->key = app_object(material->session, CKO_PRIVATE_KEY);
    material->public_key = app_object(material->session, CKO_PUBLIC_KEY);
    material->certificate = app_object(material->session, CKO_CERTIFICATE);
    assert_int_equal(app_sign(material->session, material->key, material->signature), CKR_OK);
    if (during == LOGGED_OUT)
        assert_int_equal(C_Logout(material->session), CKR_OK);
    material->foreign_session = app_key(SIGN, &material->foreign);
    if (during == CLOSED)
        assert_int_equal(C_Finalize(NULL), CKR_OK);
}

static bool has_state(CK_SESSION_HANDLE session, CK_STATE state)
{
    CK_SESSION_INFO info;
    return C_GetSessionInfo(session, &info) == CKR_OK && info.state == state;
}

bool material_holds(const struct material *material, enum during during)
{
    CK_OBJECT_CLASS class;
    CK_ATTRIBUTE attribute = {CKA_CLASS, &class, sizeof class};
    if (during == CLOSED || during == LOGGED_OUT)
        return false;
    return has_state(material->session, CKS_RW_USER_FUNCTIONS) &&
           has_state(material->foreign_session, CKS_RO_USER_FUNCTIONS) &&
           C_GetAttributeValue(material->session, material->key, &attribute, 1) == CKR_OK;
}
