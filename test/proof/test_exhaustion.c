/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every sequence of answers to the commands that C_Login, C_SetPIN and a signature (with the VERIFY
 * of a kept PIN) send. every_answer_rules.c checks the commands, this file the return values. Each
 * run has a module, a session and a card of its own. PINS_SHORT=1 leaves out the long scenarios. */
#include "every_answer.h"

#include "vcard_fixture.h"

#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define FLAGS        (CKF_SERIAL_SESSION | CKF_RW_SESSION)
#define SEND         "untold-tries=send"

const struct jpki_module_config jpki_module_config = {
    .readers = &every_answer_readers,
    .slots = JPKI_SLOTS_AUTH | JPKI_SLOTS_SIGN,
};

static const char *const pins[] = {"1234", "ABC123"};
static CK_SLOT_ID slot;
static CK_OBJECT_HANDLE key;

/* ---- Calls ------------------------------------------------------------------------------ */

static CK_RV log_in_as(CK_SESSION_HANDLE session, CK_USER_TYPE user)
{
    CK_UTF8CHAR pin[16];
    size_t length = strlen(pins[slot]);
    memcpy(pin, pins[slot], length);
    return C_Login(session, user, pin, length);
}

static CK_RV log_in(CK_SESSION_HANDLE session)
{
    return log_in_as(session, CKU_USER);
}

static CK_RV log_in_at_keypad(CK_SESSION_HANDLE session)
{
    return C_Login(session, CKU_USER, NULL, 0);
}

static CK_RV begin_signature(CK_SESSION_HANDLE session)
{
    CK_MECHANISM mechanism = {CKM_SHA256_RSA_PKCS, NULL, 0};
    return C_SignInit(session, &mechanism, key);
}

static CK_RV log_in_for_signature(CK_SESSION_HANDLE session)
{
    assert_int_equal(begin_signature(session), CKR_OK);
    return log_in_as(session, CKU_CONTEXT_SPECIFIC);
}

static CK_RV change(CK_SESSION_HANDLE session)
{
    CK_UTF8CHAR old[16], new[] = "5678", new_letters[] = "XYZ789";
    size_t length = strlen(pins[slot]);
    memcpy(old, pins[slot], length);
    return C_SetPIN(session, old, length, slot == 0 ? new : new_letters, length);
}

static CK_RV sign(CK_SESSION_HANDLE session)
{
    CK_BYTE data[] = {'h', 'e', 'l', 'l', 'o'}, signature[256];
    CK_ULONG length = sizeof signature;
    assert_int_equal(begin_signature(session), CKR_OK);
    return C_Sign(session, data, sizeof data, signature, &length);
}

/* ---- Return values ---------------------------------------------------------------------- */

/* Nothing is wrong but that the card does not tell the tries left, and option untold-tries says
 * that the PIN is sent all the same: then it is. */
static bool held_back(const struct scenario *scenario, const struct facts *facts)
{
    return facts->tries == TRIES_UNTOLD && facts->verifies == 0 && !facts->broken &&
           strcmp(scenario->options, SEND) == 0 && !scenario->silent;
}

/* The errors that C_Login and C_SetPIN share; NULL when the facts agree. */
static const char *check_refusal(const struct scenario *scenario, const struct facts *facts,
                                 CK_RV rv)
{
    bool kept = facts->last_try && strstr(scenario->options, "keep-last-try=yes") != NULL;
    bool blocked = facts->verdict == BLOCKED || facts->tries == TRIES_NONE;
    switch (rv) {
    case CKR_PIN_INCORRECT:
        return facts->verdict == WRONG ? NULL : "PIN_INCORRECT, but the card did not answer so";
    case CKR_PIN_LOCKED:
        return blocked || kept ? NULL : "PIN_LOCKED, but the card did not answer so";
    case CKR_FUNCTION_CANCELED:
        return facts->verdict == NOT_TYPED ? NULL
                                           : "FUNCTION_CANCELED, but the keypad was not cancelled";
    case CKR_DEVICE_REMOVED:
        return facts->removed || (scenario->after_reset && !facts->same_card)
                   ? NULL
                   : "DEVICE_REMOVED, but the card was not removed";
    case CKR_TOKEN_NOT_RECOGNIZED:
        return facts->not_ours && !facts->selected
                   ? NULL
                   : "TOKEN_NOT_RECOGNIZED, but the application was selected";
    case CKR_DEVICE_ERROR:
        if (held_back(scenario, facts))
            return "DEVICE_ERROR, but the PIN was to be sent";
        if (facts->verdict == WRONG || blocked || kept || facts->verdict == NOT_TYPED)
            return "DEVICE_ERROR, but a more exact error is known";
        return facts->removed ? "DEVICE_ERROR, but the card was removed" : NULL;
    default:
        return "not a code of this function";
    }
}

/* The PIN may be verified though no user is logged in; then the card must have been powered off. */
static bool left_unlocked(const struct facts *facts, bool logged_in)
{
    bool perhaps =
        facts->verifies > 0 && (facts->verdict == ACCEPTED || facts->verdict == NO_VERDICT);
    return perhaps && !logged_in && !facts->powered_off && !facts->removed;
}

static const char *check_login(const struct scenario *scenario, const struct facts *facts, CK_RV rv,
                               bool logged_in)
{
    if (left_unlocked(facts, logged_in))
        return "the PIN may stay verified";
    if (rv == CKR_OK) {
        if (!logged_in)
            return "OK, but not logged in";
        return facts->verdict == ACCEPTED ? NULL : "OK, but VERIFY was not answered 9000";
    }
    if (logged_in && !scenario->logged_in)
        return "logged in, but not OK";
    if (facts->verdict == ACCEPTED)
        return "VERIFY was answered 9000, but not OK";
    return check_refusal(scenario, facts, rv);
}

static const char *check_change(const struct scenario *scenario, const struct facts *facts,
                                CK_RV rv, bool logged_in)
{
    if (left_unlocked(facts, logged_in))
        return "the PIN may stay verified";
    if (logged_in && !scenario->logged_in)
        return "logged in by C_SetPIN";
    if (logged_in && facts->changes > 0 && !facts->changed && !facts->change_refused)
        return "logged in, though it is unknown which PIN the card has";
    if (rv == CKR_OK)
        return facts->changed ? NULL : "OK, but CHANGE was not answered 9000";
    if (facts->changed)
        return "CHANGE was answered 9000, but not OK";
    return check_refusal(scenario, facts, rv);
}

static const char *check_signature(const struct scenario *scenario, const struct facts *facts,
                                   CK_RV rv, bool logged_in)
{
    bool other = scenario->after_reset && !facts->same_card;
    if (left_unlocked(facts, logged_in) ||
        (other && !logged_in && !facts->powered_off && !facts->removed))
        return "the PIN may stay verified";
    if (rv == CKR_OK && !logged_in)
        return "OK, but not logged in";
    bool refused = facts->verifies > 0 && facts->verdict != ACCEPTED;
    if (refused && logged_in)
        return "logged in with a PIN that was refused";
    switch (rv) {
    case CKR_OK:
        return facts->signature ? NULL : "OK, but the card gave no valid signature";
    case CKR_USER_NOT_LOGGED_IN:
        if (logged_in)
            return "USER_NOT_LOGGED_IN, but logged in";
        return facts->got_6982 ? NULL : "USER_NOT_LOGGED_IN, but the card did not answer so";
    case CKR_DEVICE_REMOVED:
    case CKR_TOKEN_NOT_RECOGNIZED:
        return check_refusal(scenario, facts, rv);
    case CKR_DEVICE_ERROR:
        return facts->signature ? "DEVICE_ERROR, but the card gave a valid signature" : NULL;
    default:
        return "not a code of this function";
    }
}

/* ---- Scenarios -------------------------------------------------------------------------- */

static CK_SESSION_HANDLE open_session(const struct scenario *scenario)
{
    CK_SESSION_HANDLE session;
    CK_ULONG count = 0;
    CK_C_INITIALIZE_ARGS args = {.flags = CKF_OS_LOCKING_OK};
    char options[64];
    snprintf(options, sizeof options, "log=off;%s", scenario->options);
    args.pReserved = (void *)options;
    assert_int_equal(C_Initialize(&args), CKR_OK);
    assert_int_equal(C_GetSlotList(CK_FALSE, NULL, &count), CKR_OK);
    assert_int_equal(C_OpenSession(slot, FLAGS, NULL, NULL, &session), CKR_OK);
    if (!scenario->logged_in)
        return session;

    CK_OBJECT_CLASS private_key = CKO_PRIVATE_KEY;
    CK_ATTRIBUTE template = {CKA_CLASS, &private_key, sizeof private_key};
    assert_int_equal(log_in(session), CKR_OK);
    assert_int_equal(C_FindObjectsInit(session, &template, 1), CKR_OK);
    assert_int_equal(C_FindObjects(session, &key, 1, &count), CKR_OK);
    assert_int_equal(count, 1);
    assert_int_equal(C_FindObjectsFinal(session), CKR_OK);
    return session;
}

static bool is_logged_in(CK_SESSION_HANDLE session)
{
    CK_SESSION_INFO info;
    return C_GetSessionInfo(session, &info) == CKR_OK &&
           (info.state == CKS_RW_USER_FUNCTIONS || info.state == CKS_RO_USER_FUNCTIONS);
}

static const char *run_once(struct vcard *vcard, const struct scenario *scenario,
                            struct answer_tree *tree, CK_RV *rv)
{
    every_answer_reset(vcard, scenario);
    slot = scenario->slot;
    CK_SESSION_HANDLE session = open_session(scenario);
    every_answer_begin(tree);
    *rv = scenario->call(session);
    const char *violation = every_answer_violation();
    if (violation == NULL && !answer_tree_is_cut(tree))
        violation = scenario->check(scenario, every_answer_facts(), *rv, is_logged_in(session));
    every_answer_end();
    assert_int_equal(C_Finalize(NULL), CKR_OK);
    return violation;
}

#define LOGIN  .call = log_in, .check = check_login, .reads_after = true, .merge = true
#define CHANGE .call = change, .check = check_change, .merge = true
#define KEPT                                                                                       \
    .call = sign, .check = check_signature, .logged_in = true, .silent = true, .merge = true

static const struct scenario scenarios[] = {
    {"C_Login", 0, "", "", LOGIN},
    {"C_Login, no short identifiers", 0, "", "sfi=off", LOGIN},
    {"C_Login, signature", 1, "", "", LOGIN},
    {"C_Login, signature, no short identifiers", 1, "", "sfi=off", LOGIN},
    {"C_Login, beside other programs", 0, "", "", LOGIN, .others = true},
    {"C_Login, signature, beside other programs", 1, "", "", LOGIN, .others = true},
    {"C_Login, last try kept", 0, "keep-last-try=yes", "", LOGIN},
    {"C_Login, at the keypad", 0, "", "", .call = log_in_at_keypad, .check = check_login,
     .reads_after = true, .keypad = true, .merge = true},
    {"C_Login, at the keypad, last try kept", 0, "keep-last-try=yes", "sfi=off",
     .call = log_in_at_keypad, .check = check_login, .reads_after = true, .keypad = true,
     .merge = true},
    {"C_Login, CONTEXT_SPECIFIC", 1, "", "", .call = log_in_for_signature, .check = check_login,
     .reads_after = true, .logged_in = true, .merge = true},
    {"C_SetPIN", 0, "", "", CHANGE},
    {"C_SetPIN, beside other programs", 0, "", "", CHANGE, .others = true},
    {"C_SetPIN, no short identifiers", 0, "", "sfi=off", CHANGE},
    {"C_SetPIN, signature", 1, "", "", CHANGE},
    {"C_SetPIN, last try kept", 1, "keep-last-try=yes", "", CHANGE},
    {"C_SetPIN, logged in", 0, "", "", CHANGE, .logged_in = true},
    {"C_SetPIN, signature, logged in", 1, "", "", CHANGE, .logged_in = true},
    {"C_Sign, PIN kept", 0, "", "", KEPT},
    {"C_Sign, PIN kept, no short identifiers", 0, "", "sfi=off", KEPT},
    {"C_Sign, signature, pin-cache=all", 1, "pin-cache=all", "", KEPT},
    {"C_Sign, pin-cache=none", 0, "pin-cache=none", "sfi=off", KEPT},
    {"C_Sign, signature, PIN not kept", 1, "", "", KEPT},
    {"C_Login, no EF 0006", 0, "", "ef0006=off", LOGIN},
    {"C_Login, short EF 0006", 0, "", "ef0006.size=32", LOGIN},
    {"C_Sign, no EF 0006", 0, "", "ef0006=off", KEPT},
    {"C_Sign, short EF 0006", 0, "", "ef0006.size=32 sfi=off", KEPT},
    {"C_Login, tries untold", 0, SEND, "", LOGIN},
    {"C_Login, tries untold, no short identifiers", 0, SEND, "sfi=off", LOGIN},
    {"C_Login, tries untold, signature", 1, SEND, "", LOGIN},
    {"C_Login, tries untold, beside others", 0, SEND, "", LOGIN, .others = true},
    {"C_Login, tries untold, no EF 0006", 0, SEND, "ef0006=off", LOGIN},
    {"C_Login, tries untold, last try kept", 0, SEND " keep-last-try=yes", "", LOGIN},
    {"C_Login, tries untold, at the keypad", 0, SEND, "", .call = log_in_at_keypad,
     .check = check_login, .reads_after = true, .keypad = true, .merge = true},
    {"C_Login, tries untold, CONTEXT_SPECIFIC", 1, SEND, "", .call = log_in_for_signature,
     .check = check_login, .reads_after = true, .logged_in = true, .merge = true},
    {"C_SetPIN, tries untold", 0, SEND, "", CHANGE},
    {"C_SetPIN, tries untold, logged in", 1, SEND, "", CHANGE, .logged_in = true},
    {"C_Sign, tries untold, PIN kept", 0, SEND, "sfi=off", KEPT},
    {"C_Login, after a reset", 0, "", "sfi=off", LOGIN, .after_reset = true},
    {"C_Login, after a reset, no EF 0006", 0, "", "ef0006=off", LOGIN, .after_reset = true},
    {"C_Login, after a reset, short EF 0006", 0, "", "ef0006.size=32", LOGIN, .after_reset = true},
    /* Without short identifiers there are far fewer sequences. */
    {"C_Sign, after a reset", 0, "", "sfi=off", KEPT, .after_reset = true},
    {"C_Sign, after a reset, no EF 0006", 0, "", "ef0006=off sfi=off", KEPT, .after_reset = true},
    {"C_Sign, after a reset, short EF 0006", 0, "", "ef0006.size=32 sfi=off", KEPT,
     .after_reset = true},
    {"C_Sign, after a reset, PIN not kept", 1, "", "ef0006=off sfi=off", KEPT, .after_reset = true},
};

static void run_scenario(void **state)
{
    const struct scenario *scenario = *state;
    /* Without short identifiers there are far fewer sequences. */
    bool is_short = strstr(scenario->settings, "sfi=off") != NULL && !scenario->logged_in &&
                    !scenario->after_reset;
    if (!is_short && getenv("PINS_SHORT") != NULL)
        skip();
    every_answer_walk(scenario, run_once);
}

/* exhaustion PART PARTS: every so many scenarios, from the PARTth on, so that parts run side by
 * side. */
int main(int argc, char **argv)
{
    struct CMUnitTest tests[COUNT(scenarios)];
    struct scenario copies[COUNT(scenarios)];
    size_t part = argc == 3 ? strtoul(argv[1], NULL, 10) : 1;
    size_t parts = argc == 3 ? strtoul(argv[2], NULL, 10) : 1;
    size_t count = 0;
    assert_true(part >= 1 && part <= parts);
    memcpy(copies, scenarios, sizeof copies);
    for (size_t i = part - 1; i < COUNT(scenarios); i += parts, count++)
        tests[count] = (struct CMUnitTest){copies[i].name, run_scenario, NULL, NULL, &copies[i]};
    int failed = _cmocka_run_group_tests("exhaustion", tests, count, NULL, NULL);
    every_answer_print_total();
    return failed;
}
