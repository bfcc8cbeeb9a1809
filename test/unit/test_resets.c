/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Another program resets the card again and again: calls give up in the end. What was taken for a
 * reset was a change of cards. Another program selects another application of a card that does not
 * tell which one is current. */
#include "application.h"

/* ---- Resets ----------------------------------------------------------------------------- */

static unsigned begins;

static void reset_always(void *context, const struct readers_event *event)
{
    (void)context;
    begins += event->moment == READERS_BEFORE_BEGIN;
    if (event->moment != READERS_AFTER_END)
        readers_reset(event->reader);
}

static void a_call_begins_three_times(void **state)
{
    (void)state;
    int before[PINS_MAX];
    CK_OBJECT_HANDLE key;
    CK_BYTE signature[SIGNATURE];
    CK_SESSION_HANDLE session = app_key(AUTH, &key);
    (void)app_tries(*state, before);
    begins = 0;
    readers_hook(reset_always, NULL);
    assert_int_equal(app_sign(session, key, signature), CKR_DEVICE_ERROR);
    readers_hook(NULL, NULL);
    assert_int_equal(begins, 3);
    app_expect_tries(*state, before);
    assert_int_equal(app_sign(session, key, signature), CKR_OK);
}

/* ---- Another card, and PC/SC tells of a reset only --------------------------------------- */

/* How often the card that was put in the place of the known one loses its power when it is seen. */
static unsigned power_offs_of_other_card(struct app *app)
{
    void *made = NULL;
    CK_TOKEN_INFO info;
    assert_int_equal(vcard_fixture_open(&made), 0);
    struct vcard_fixture *other = made;
    make_other(other);
    assert_int_equal(C_GetTokenInfo(AUTH, &info), CKR_OK); /* connects */
    readers_exchange(app->reader, other->card);
    uint64_t before = readers_counts().power_offs;
    (void)C_GetTokenInfo(AUTH, &info);
    unsigned power_offs = (unsigned)(readers_counts().power_offs - before);
    assert_int_equal(C_Finalize(NULL), CKR_OK);
    readers_remove(app->reader);
    assert_int_equal(vcard_fixture_close(&made), 0);
    return power_offs;
}

/* Another program may be logged in to it. */
static void another_card_is_left_as_it_is(void **state)
{
    (void)app_session(AUTH);
    assert_int_equal(power_offs_of_other_card(*state), 0);
}

/* It may be the same card after all, which must not keep our PIN verified. */
static void another_card_is_locked_after_a_login(void **state)
{
    app_login(app_session(AUTH), AUTH_PIN);
    assert_int_equal(power_offs_of_other_card(*state), 1);
}

/* ---- A card without EF 0006 ------------------------------------------------------------- */

static CK_FLAGS token_flags(CK_SLOT_ID slot)
{
    CK_TOKEN_INFO info;
    assert_int_equal(C_GetTokenInfo(slot, &info), CKR_OK);
    return info.flags & (CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_FINAL_TRY | CKF_USER_PIN_LOCKED);
}

/* While logged in our application is taken to be current, since a SELECT could cost the login. It
 * is selected where the PIN's file is not found. */
static void a_missing_file_has_it_selected(void **state)
{
    struct app *app = *state;
    CK_OBJECT_HANDLE key;
    readers_remove(app->reader);
    vcard_set(app->vcard, "ef0006=off");
    readers_insert(app->reader, app->vcard);
    (void)app_key(AUTH, &key);
    vcard_set_tries(app->vcard, "jpki", 0x001B, 1);
    assert_int_equal(token_flags(AUTH), 0);
    expect(app->card, SELECT_FACE, "9000"); /* it has neither file of ours */
    assert_int_equal(token_flags(SIGN), CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_FINAL_TRY);
    assert_int_equal(token_flags(AUTH), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_call_begins_three_times, app_open, app_close),
        cmocka_unit_test_setup_teardown(another_card_is_left_as_it_is, app_open, app_close),
        cmocka_unit_test_setup_teardown(another_card_is_locked_after_a_login, app_open, app_close),
        cmocka_unit_test_setup_teardown(a_missing_file_has_it_selected, app_open, app_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
