/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is under way when a row's function is called. */
#include "arguments.h"

static CK_BYTE hello[] = {'h', 'e', 'l', 'l', 'o'};

void during_begin(const CK_FUNCTION_LIST_3_0 *f, const struct material *material,
                  enum during during)
{
    CK_MECHANISM digest = {CKM_SHA256, NULL, 0}, sha256 = {CKM_SHA256_RSA_PKCS, NULL, 0},
                 raw = {CKM_RSA_PKCS, NULL, 0};
    CK_SESSION_HANDLE session = material->session;
    CK_RV rv = CKR_OK, then = CKR_OK;
    switch (during) {
    case DIGESTING:
    case DIGESTED:
        rv = f->C_DigestInit(session, &digest);
        if (during == DIGESTED)
            then = f->C_DigestUpdate(session, hello, sizeof hello);
        break;
    case SIGNING:
    case SIGNED:
        rv = f->C_SignInit(session, &sha256, material->key);
        if (during == SIGNED)
            then = f->C_SignUpdate(session, hello, sizeof hello);
        break;
    case VERIFYING:
    case VERIFIED:
        rv = f->C_VerifyInit(session, &sha256, material->public_key);
        if (during == VERIFIED)
            then = f->C_VerifyUpdate(session, hello, sizeof hello);
        break;
    case SIGNING_RAW:
        rv = f->C_SignInit(session, &raw, material->key);
        break;
    case VERIFYING_RAW:
        rv = f->C_VerifyInit(session, &raw, material->public_key);
        break;
    case FINDING:
        rv = f->C_FindObjectsInit(session, NULL, 0);
        break;
    case IDLE:
    case LOGGED_OUT:
    case CLOSED:
        break;
    }
    assert_int_equal(rv, CKR_OK);
    assert_int_equal(then, CKR_OK);
}

bool during_end(const CK_FUNCTION_LIST_3_0 *f, const struct material *material, enum during during)
{
    CK_SESSION_HANDLE session = material->session;
    CK_BYTE out[SIGNATURE];
    CK_ULONG length = sizeof out;
    CK_RV rv = CKR_OK;
    switch (during) {
    case DIGESTING:
    case DIGESTED:
        rv = f->C_DigestFinal(session, out, &length);
        break;
    case SIGNING:
    case SIGNED:
        rv = f->C_SignFinal(session, out, &length);
        break;
    case SIGNING_RAW:
        rv = f->C_SignUpdate(session, hello, sizeof hello);
        break;
    case VERIFYING:
    case VERIFIED:
    case VERIFYING_RAW:
        rv = f->C_VerifyUpdate(session, hello, sizeof hello);
        break;
    case FINDING:
        rv = f->C_FindObjectsFinal(session);
        break;
    case IDLE:
    case LOGGED_OUT:
    case CLOSED:
        return true;
    }
    (void)C_SessionCancel(session, CKF_SIGN | CKF_VERIFY | CKF_DIGEST | CKF_FIND_OBJECTS);
    assert_true(rv == CKR_OK || rv == CKR_OPERATION_NOT_INITIALIZED);
    return rv == CKR_OK;
}
