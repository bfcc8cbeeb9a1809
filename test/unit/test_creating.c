/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Objects can neither be made nor changed: which code says so (PKCS#11 2.40, 4.1, 5.1.6, 5.7). */
#include "application.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static CK_OBJECT_CLASS class = CKO_DATA;
static CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
static CK_BYTE value[] = {1, 2, 3};
static CK_ULONG wide = 1;

#define CLASS                                                                                      \
    {                                                                                              \
        CKA_CLASS, &class, sizeof class                                                            \
    }
#define VALUE                                                                                      \
    {                                                                                              \
        CKA_VALUE, value, sizeof value                                                             \
    }

/* That the token is write-protected goes before what the session is: the same code in both kinds
 * of session. */
static const struct {
    CK_ATTRIBUTE template[3];
    CK_ULONG count;
    CK_RV rv;
} rows[] = {
    /* on the token */
    {{CLASS, VALUE, {CKA_TOKEN, &yes, 1}}, 3, CKR_TOKEN_WRITE_PROTECTED},
    {{{CKA_TOKEN, &yes, 1}, CLASS, VALUE}, 3, CKR_TOKEN_WRITE_PROTECTED},
    /* of the session, which is what a template says that does not tell */
    {{CLASS, VALUE, {CKA_TOKEN, &no, 1}}, 3, CKR_FUNCTION_NOT_SUPPORTED},
    {{CLASS, VALUE}, 2, CKR_FUNCTION_NOT_SUPPORTED},
    /* of no kind */
    {{VALUE, {CKA_TOKEN, &yes, 1}}, 2, CKR_TEMPLATE_INCOMPLETE},
    {{VALUE, {CKA_TOKEN, &no, 1}}, 2, CKR_TEMPLATE_INCOMPLETE},
    {{VALUE}, 0, CKR_TEMPLATE_INCOMPLETE},
    /* not a CK_BBOOL */
    {{CLASS, {CKA_TOKEN, &wide, sizeof wide}}, 2, CKR_ATTRIBUTE_VALUE_INVALID},
    {{CLASS, {CKA_TOKEN, NULL, 0}}, 2, CKR_ATTRIBUTE_VALUE_INVALID},
    {{CLASS, {CKA_TOKEN, NULL, 1}}, 2, CKR_ARGUMENTS_BAD},
};

static CK_SESSION_HANDLE open_session(CK_FLAGS flags)
{
    CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
    assert_int_equal(C_OpenSession(AUTH, CKF_SERIAL_SESSION | flags, NULL, NULL, &session), CKR_OK);
    return session;
}

static void creating(void **state)
{
    struct app *app = *state;
    const CK_SESSION_HANDLE sessions[] = {open_session(0), open_session(CKF_RW_SESSION)};
    app_commands(app);
    for (size_t i = 0; i < COUNT(rows); i++) {
        for (size_t s = 0; s < COUNT(sessions); s++) {
            CK_OBJECT_HANDLE made = 77;
            CK_ATTRIBUTE template[3];
            for (size_t a = 0; a < 3; a++)
                template[a] = rows[i].template[a];
            CK_RV rv = C_CreateObject(sessions[s], template, rows[i].count, &made);
            if (rv != rows[i].rv)
                fail_msg("row %zu, session %zu: 0x%lx", i, s, rv);
            assert_int_equal(made, 77);
        }
    }
    assert_int_equal(app_commands(app), 0);
}

static void changing(void **state)
{
    (void)state;
    CK_ATTRIBUTE label = {CKA_LABEL, value, sizeof value}, of_session = {CKA_TOKEN, &no, 1};
    const CK_SESSION_HANDLE sessions[] = {open_session(0), open_session(CKF_RW_SESSION)};
    for (size_t s = 0; s < COUNT(sessions); s++) {
        CK_OBJECT_HANDLE made = 77, object = app_object(sessions[s], CKO_CERTIFICATE);
        const CK_RV never = CKR_ACTION_PROHIBITED;
        assert_int_equal(C_CopyObject(sessions[s], object, NULL, 0, &made), never);
        assert_int_equal(C_CopyObject(sessions[s], object, &of_session, 1, &made), never);
        assert_int_equal(C_SetAttributeValue(sessions[s], object, &label, 1), never);
        assert_int_equal(C_DestroyObject(sessions[s], object), never);
        assert_int_equal(C_DestroyObject(sessions[s], ~0UL), CKR_OBJECT_HANDLE_INVALID);
        assert_int_equal(made, 77);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, app_open, app_close)
    const struct CMUnitTest tests[] = {
        TEST(creating),
        TEST(changing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
