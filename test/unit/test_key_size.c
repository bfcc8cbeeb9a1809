/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What mechanisms tell of a card whose keys are not RSA-2048, asked before anything else. */
#include "key_pair.h"

#define SIGNING 8U /* mechanisms that sign with RSA */
#define DIGESTS 5U

static void expect_size(CK_SLOT_ID slot, CK_ULONG least, CK_ULONG most)
{
    CK_MECHANISM_INFO info;
    assert_int_equal(C_GetMechanismInfo(slot, CKM_SHA256_RSA_PKCS, &info), CKR_OK);
    assert_int_equal(info.ulMinKeySize, least);
    assert_int_equal(info.ulMaxKeySize, most);
}

static CK_ULONG mechanisms(CK_SLOT_ID slot)
{
    CK_ULONG count = 0;
    assert_int_equal(C_GetMechanismList(slot, NULL, &count), CKR_OK);
    return count;
}

/* The signature token hides its key until login: then what the module can handle is told, which
 * the key is sure to be among. */
static void the_size_of_the_key(void **state)
{
    struct app *app = *state;
    static const unsigned sizes[] = {1024, 2048, 3072};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        key_pair_give(app, EVP_RSA_gen(sizes[i]));
        expect_size(AUTH, sizes[i], sizes[i]);
        assert_int_equal(mechanisms(AUTH), SIGNING + DIGESTS);
        expect_size(SIGN, 1024, 4096);
        assert_int_equal(mechanisms(SIGN), SIGNING + DIGESTS);
        app_login(app_session(SIGN), SIGN_PIN);
        expect_size(SIGN, sizes[i], sizes[i]);
    }
}

/* A phone hides that of the other token too. */
static void the_key_of_a_phone(void **state)
{
    struct app *app = *state;
    assert_int_equal(vcard_set(app->vcard, "phone=on"), 0);
    expect_size(AUTH, 1024, 4096);
    app_login(app_session(AUTH), AUTH_PIN);
    expect_size(AUTH, 2048, 2048);
}

static void a_key_of_another_kind(void **state)
{
    struct app *app = *state;
    CK_MECHANISM_INFO info;
    key_pair_give(app, EVP_EC_gen("P-256"));
    assert_int_equal(C_GetMechanismInfo(AUTH, CKM_SHA256_RSA_PKCS, &info), CKR_MECHANISM_INVALID);
    assert_int_equal(mechanisms(AUTH), DIGESTS);
    app_login(app_session(SIGN), SIGN_PIN);
    assert_int_equal(mechanisms(SIGN), DIGESTS);
}

/* What was read for it is not read again, and nothing is read that is hidden. */
static void what_it_costs(void **state)
{
    struct app *app = *state;
    (void)mechanisms(SIGN);
    app_commands(app);
    expect_size(SIGN, 1024, 4096);
    assert_int_equal(app_commands(app), 0);
    (void)mechanisms(AUTH);
    app_commands(app);
    expect_size(AUTH, 2048, 2048);
    (void)app_object(app_session(AUTH), CKO_CERTIFICATE);
    assert_int_equal(app_commands(app), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, app_open, app_close)
    const struct CMUnitTest tests[] = {
        TEST(the_size_of_the_key),
        TEST(the_key_of_a_phone),
        TEST(a_key_of_another_kind),
        TEST(what_it_costs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
