/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Proof by exhaustion: every sequence of answers to every command that C_Login, C_SetPIN and a
 * signature with the silent re-VERIFY send. What may be sent is checked in liar_rules.c, what may
 * be claimed here (PINS_SHORT set: without the signatures, for valgrind). Each run has a module, a
 * session and a card of its own. */
#include "every_answer.h"

#include "vcard_fixture.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define FLAGS        (CKF_SERIAL_SESSION | CKF_RW_SESSION)

const struct jpki_module_config jpki_module_config = {
    .readers = &liar_readers,
    .slots = JPKI_SLOTS_AUTH | JPKI_SLOTS_SIGN,
};

static const char *const pins[] = {"1234", "ABC123"};
static CK_SLOT_ID slot;
static CK_OBJECT_HANDLE key;
static uint64_t total;

/* ---- What is done ----------------------------------------------------------------------- */

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

static CK_RV type_in(CK_SESSION_HANDLE session)
{
    return C_Login(session, CKU_USER, NULL, 0);
}

static CK_RV begin_signature(CK_SESSION_HANDLE session)
{
    CK_MECHANISM mechanism = {CKM_SHA256_RSA_PKCS, NULL, 0};
    return C_SignInit(session, &mechanism, key);
}

static CK_RV log_in_for_one(CK_SESSION_HANDLE session)
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

/* ---- What may be claimed ---------------------------------------------------------------- */

/* The codes that C_Login and C_SetPIN share; NULL when this one is borne out. */
static const char *judge_refusal(const struct scenario *scenario, const struct facts *facts,
                                 CK_RV rv)
{
    bool kept = facts->told_one && strstr(scenario->options, "keep-last-try=yes") != NULL;
    bool blocked = facts->verdict == BLOCKED || facts->told == TRIES_NONE;
    switch (rv) {
    case CKR_PIN_INCORRECT:
        return facts->verdict == WRONG ? NULL : "PIN_INCORRECT, and the card did not say so";
    case CKR_PIN_LOCKED:
        return blocked || kept ? NULL : "PIN_LOCKED, and the card did not say so";
    case CKR_FUNCTION_CANCELED:
        return facts->verdict == NOT_TYPED ? NULL : "FUNCTION_CANCELED, and nobody did";
    case CKR_DEVICE_REMOVED:
        return facts->removed ? NULL : "DEVICE_REMOVED, and it was not";
    case CKR_TOKEN_NOT_RECOGNIZED:
        return facts->not_ours && !facts->selected ? NULL : "TOKEN_NOT_RECOGNIZED, and it is";
    case CKR_DEVICE_ERROR:
        if (facts->verdict == WRONG || blocked || kept || facts->verdict == NOT_TYPED)
            return "DEVICE_ERROR, and it is known what happened";
        return facts->removed ? "DEVICE_ERROR, and the card was removed" : NULL;
    default:
        return "a code of some other function";
    }
}

/* Unlocked, perhaps, for nobody: then power goes. */
static bool left_unlocked(const struct facts *facts, bool logged_in)
{
    bool perhaps =
        facts->verifies > 0 && (facts->verdict == ACCEPTED || facts->verdict == NO_VERDICT);
    return perhaps && !logged_in && !facts->powered_off && !facts->removed;
}

static const char *judge_login(const struct scenario *scenario, const struct facts *facts, CK_RV rv,
                               bool logged_in)
{
    if (left_unlocked(facts, logged_in))
        return "the card is left unlocked";
    if (rv == CKR_OK) {
        if (!logged_in)
            return "OK, and not logged in";
        return facts->verdict == ACCEPTED ? NULL : "OK, and VERIFY was not answered 9000";
    }
    if (logged_in && !scenario->logged_in)
        return "logged in without OK";
    if (facts->verdict == ACCEPTED)
        return "VERIFY was answered 9000, and not OK";
    return judge_refusal(scenario, facts, rv);
}

static const char *judge_change(const struct scenario *scenario, const struct facts *facts,
                                CK_RV rv, bool logged_in)
{
    if (left_unlocked(facts, logged_in))
        return "the card is left unlocked";
    if (logged_in && !scenario->logged_in)
        return "logged in by a change";
    if (logged_in && facts->changes > 0 && !facts->changed && !facts->change_refused)
        return "logged in with a PIN that nobody knows";
    if (rv == CKR_OK)
        return facts->changed ? NULL : "OK, and CHANGE was not answered 9000";
    if (facts->changed)
        return "CHANGE was answered 9000, and not OK";
    return judge_refusal(scenario, facts, rv);
}

static const char *judge_signature(const struct scenario *scenario, const struct facts *facts,
                                   CK_RV rv, bool logged_in)
{
    (void)scenario;
    if (left_unlocked(facts, logged_in))
        return "the card is left unlocked";
    bool refused = facts->verifies > 0 && facts->verdict != ACCEPTED;
    if (refused && logged_in)
        return "logged in with a PIN that was not accepted";
    switch (rv) {
    case CKR_OK:
        return facts->signature ? NULL : "OK, and no right signature was given";
    case CKR_USER_NOT_LOGGED_IN:
        if (logged_in)
            return "USER_NOT_LOGGED_IN, and logged in";
        return facts->said_no_pin ? NULL : "USER_NOT_LOGGED_IN, and the card did not say so";
    case CKR_MECHANISM_INVALID:
        return facts->said_no_scheme ? NULL : "MECHANISM_INVALID, and the card did not say so";
    case CKR_DEVICE_REMOVED:
    case CKR_TOKEN_NOT_RECOGNIZED:
        return judge_refusal(scenario, facts, rv);
    case CKR_DEVICE_ERROR:
        return facts->signature ? "DEVICE_ERROR, and there was a right signature" : NULL;
    default:
        return "a code of some other function";
    }
}

/* ---- The walk --------------------------------------------------------------------------- */

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

static const char *run_once(struct vcard *vcard, const struct scenario *scenario, struct walk *walk,
                            CK_RV *rv)
{
    liar_reset(vcard, scenario);
    CK_SESSION_HANDLE session = open_session(scenario);
    liar_begin(walk);
    *rv = scenario->act(session);
    const char *complaint = liar_complaint();
    if (complaint == NULL && !walk_is_cut(walk))
        complaint = scenario->judge(scenario, liar_facts(), *rv, is_logged_in(session));
    liar_end();
    assert_int_equal(C_Finalize(NULL), CKR_OK);
    return complaint;
}

/* All sequences of a scenario; how many broke a rule. Shows the first few of them. */
static unsigned walk_scenario(struct vcard *vcard, const struct scenario *scenario)
{
    enum { SHOWN = 3 };
    struct walk *walk = walk_new();
    unsigned complaints = 0;
    CK_RV rv;
    slot = scenario->slot;
    do {
        const char *complaint = run_once(vcard, scenario, walk, &rv);
        if (complaint != NULL && complaints++ < SHOWN) {
            fprintf(stderr, "%s: %s (returned 0x%lX)\n", scenario->name, complaint, rv);
            liar_print();
        }
    } while (walk_next(walk));
    printf("%-42s %15" PRIu64 " sequences, %7" PRIu64 " run", scenario->name, walk_leaves(walk),
           walk_runs(walk));
    if (scenario->merge)
        printf(", %zu states", walk_names(walk));
    if (complaints > 0)
        printf(", %u BROKE A RULE", complaints);
    puts("");
    fflush(stdout);
    total += walk_leaves(walk);
    walk_free(walk);
    return complaints;
}

#define LOGIN  .act = log_in, .judge = judge_login, .reads_after = true, .merge = true
#define CHANGE .act = change, .judge = judge_change, .merge = true
#define KEPT   .act = sign, .judge = judge_signature, .logged_in = true, .merge = true

static const struct scenario scenarios[] = {
    {"C_Login", 0, "", "", LOGIN},
    {"C_Login, no short identifiers", 0, "", "sfi=off", LOGIN},
    {"C_Login, signature", 1, "", "", LOGIN},
    {"C_Login, signature, no short identifiers", 1, "", "sfi=off", LOGIN},
    {"C_Login, beside other programs", 0, "", "", LOGIN, .others = true},
    {"C_Login, signature, beside other programs", 1, "", "", LOGIN, .others = true},
    {"C_Login, last try kept", 0, "keep-last-try=yes", "", LOGIN},
    {"C_Login, at the keypad", 0, "", "", .act = type_in, .judge = judge_login, .reads_after = true,
     .keypad = true, .merge = true},
    {"C_Login, at the keypad, last try kept", 0, "keep-last-try=yes", "sfi=off", .act = type_in,
     .judge = judge_login, .reads_after = true, .keypad = true, .merge = true},
    {"C_Login, CONTEXT_SPECIFIC", 1, "", "", .act = log_in_for_one, .judge = judge_login,
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
};

static void run_scenario(void **state)
{
    const struct scenario *scenario = *state;
    void *fixture = NULL;
    bool is_long = scenario->merge || (scenario->reads_after && scenario->settings[0] == '\0');
    if (is_long && getenv("PINS_SHORT") != NULL)
        skip();
    vcard_fixture_open(&fixture);
    struct vcard_fixture *card = fixture;
    unsigned complaints = walk_scenario(card->card, scenario);
    vcard_fixture_close(&fixture);
    assert_int_equal(complaints, 0);
}

int main(void)
{
    struct CMUnitTest tests[COUNT(scenarios)];
    struct scenario copies[COUNT(scenarios)];
    memcpy(copies, scenarios, sizeof copies);
    for (size_t i = 0; i < COUNT(scenarios); i++)
        tests[i] = (struct CMUnitTest){copies[i].name, run_scenario, NULL, NULL, &copies[i]};
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    printf("%" PRIu64 " sequences in all\n", total);
    return failed;
}
