/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every sequence of answers to the commands of `jpki-tool pin verify` and `pin change`, up to the
 * end of the transaction in which the PIN is sent. every_answer_rules.c checks the commands, this
 * file the exit statuses. Each run has a reader and a card of its own. */
#include "every_answer.h"

#include "tool/pins.h"
#include "vcard_fixture.h"

#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* The module's part is not used. */
const struct jpki_module_config jpki_module_config = {.readers = &every_answer_readers};

/* What the virtual card has, and new ones. */
static const char *const pins[JPKI_PINS] = {"1234", "ABC123", "2345", "4567"};
static const char *const new_pins[JPKI_PINS] = {"5678", "XYZ789", "5678", "5678"};

static struct tool tool;
static struct jpki_reader *reader;
static enum jpki_key key;

/* ---- In place of src/tool/output.c ------------------------------------------------------ */

void __wrap_say(const char *format, ...);
void __wrap_complain(const char *format, ...);

void __wrap_say(const char *format, ...)
{
    (void)format;
}

void __wrap_complain(const char *format, ...)
{
    (void)format;
}

/* ---- Calls ------------------------------------------------------------------------------ */

static CK_RV verify(CK_SESSION_HANDLE none)
{
    (void)none;
    return pin_verify(&tool, reader, key);
}

static CK_RV change(CK_SESSION_HANDLE none)
{
    (void)none;
    return pin_change(&tool, reader, key);
}

/* ---- Exit statuses ---------------------------------------------------------------------- */

static bool is_blocked(const struct facts *facts)
{
    return facts->verdict == BLOCKED || (facts->verifies == 0 && facts->tries == TRIES_NONE);
}

/* A status that claims something, and what must be so for it; NULL when it is so. */
static const char *check_claim(const struct scenario *scenario, const struct facts *facts, CK_RV rv)
{
    bool kept = facts->last_try && facts->verifies == 0;
    bool confirmed = strstr(scenario->options, "last-try") != NULL;
    switch (rv) {
    case EXIT_REFUSED:
        return facts->verdict == WRONG || (kept && !confirmed) ? NULL
                                                               : "REFUSED, but the card did not";
    case EXIT_LOCKED:
        return is_blocked(facts) ? NULL : "LOCKED, but the card did not answer so";
    case EXIT_MISSING:
        return facts->verifies == 0 || facts->verdict == NO_FILE ? NULL : "MISSING, after a VERIFY";
    case EXIT_NO_CARD:
        return facts->removed || facts->not_ours ? NULL : "NO_CARD, but there is one";
    case EXIT_UNKNOWN: /* also where nothing was sent, as the second reading of the tries failed */
        return facts->broken || facts->verdict == NO_VERDICT || facts->changes > 0 ||
                       facts->tries != TRIES_LEFT
                   ? NULL
                   : "UNKNOWN, but every answer was clear";
    case EXIT_BUSY:
        return scenario->others && scenario->slot >= JPKI_KEYS && facts->verifies == 0
                   ? NULL
                   : "BUSY, but the card is free";
    case EXIT_FAILED:
        return NULL;
    default:
        return "not a status of this command";
    }
}

static const char *check_secrecy(const struct facts *facts)
{
    bool perhaps = facts->verdict == ACCEPTED || facts->verdict == NO_VERDICT;
    bool open = facts->verifies > 0 && perhaps && !facts->powered_off && !facts->removed;
    return open ? "the PIN may stay verified" : NULL;
}

static const char *check_verify(const struct scenario *scenario, const struct facts *facts,
                                CK_RV rv, bool ignored)
{
    (void)ignored;
    const char *open = check_secrecy(facts);
    if (open != NULL)
        return open;
    if (facts->changes > 0)
        return "a CHANGE was sent";
    if ((rv == EXIT_OK) != (facts->verdict == ACCEPTED))
        return "OK without an accepted VERIFY, or the other way round";
    if (rv == EXIT_OK)
        return NULL;
    if (facts->verdict == WRONG && rv != EXIT_REFUSED)
        return "the card refused the PIN, but the status is not REFUSED";
    if (facts->verdict == NO_VERDICT && !facts->reset && rv != EXIT_UNKNOWN)
        return "what the VERIFY did is unknown, but the status is not UNKNOWN";
    return check_claim(scenario, facts, rv);
}

static const char *check_change(const struct scenario *scenario, const struct facts *facts,
                                CK_RV rv, bool ignored)
{
    (void)ignored;
    const char *open = check_secrecy(facts);
    if (open != NULL)
        return open;
    if ((rv == EXIT_OK) != (facts->changed != 0))
        return "OK without an accepted CHANGE, or the other way round";
    if (rv == EXIT_OK)
        return NULL;
    if (facts->change_refused)
        return rv == EXIT_FAILED || rv == EXIT_UNKNOWN /* after 6F00 */
                   ? NULL
                   : "the card refused the CHANGE, but the status is another";
    if (facts->changes > 0 && !facts->reset)
        return rv == EXIT_UNKNOWN ? NULL : "what the CHANGE did is unknown, but not the status";
    if (facts->verdict == WRONG && rv != EXIT_REFUSED)
        return "the card refused the PIN, but the status is not REFUSED";
    return check_claim(scenario, facts, rv);
}

/* ---- Scenarios -------------------------------------------------------------------------- */

/* As main() would fill it in. */
static void make_tool(const struct scenario *scenario)
{
    tool = (struct tool){.shared = {.ops = &every_answer_readers}};
    jpki_options_default(&tool.shared.options, JPKI_SLOTS_AUTH | JPKI_SLOTS_SIGN);
    tool.shared.options.send_untold = strstr(scenario->options, "untold-tries=send") != NULL;
    tool.shared.options.pin_cache = JPKI_PIN_CACHE_NONE;
    tool.shared.crypto = jpki_crypto_new();
    tool.shared.source = every_answer_readers.open(&tool.shared.options);
    tool.options[OPTION_PIN_ENV] = "PIN";
    tool.options[OPTION_NEW_PIN_ENV] = "NEW_PIN";
    if (strstr(scenario->options, "last-try") != NULL)
        tool.options[OPTION_LAST_TRY] = "";
    setenv("PIN", pins[key], 1);
    setenv("NEW_PIN", new_pins[key], 1);
    jpki_log_open(JPKI_LOG_OFF, NULL);
}

/* With a card that is recognised already, and known to have both keys. */
static void open_reader(void)
{
    reader = jpki_reader_new(&tool.shared, "Every answer 00 00");
    assert_non_null(reader);
    jpki_reader_lock(reader);
    (void)jpki_reader_refresh(reader);
    for (int known = 0; known < JPKI_KEYS; known++) {
        struct jpki_pin_status status;
        struct jpki_credential *one = jpki_reader_credential(reader, (enum jpki_key)known);
        assert_int_equal(jpki_credential_pin_status(one, 0, &status), JPKI_OK);
    }
}

static const char *run_once(struct vcard *vcard, const struct scenario *scenario,
                            struct answer_tree *tree, CK_RV *rv)
{
    every_answer_reset(vcard, scenario);
    key = (enum jpki_key)scenario->slot;
    make_tool(scenario);
    open_reader();
    every_answer_begin(tree);
    *rv = scenario->call(0);
    const char *violation = every_answer_violation();
    if (violation == NULL && !answer_tree_is_cut(tree))
        violation = scenario->check(scenario, every_answer_facts(), *rv, false);
    every_answer_end();
    close_reader(reader);
    return violation;
}

#define VERIFY .call = verify, .check = check_verify, .asks_after = true, .merge = true
#define CHANGE .call = change, .check = check_change, .asks_after = true, .merge = true
#define SPEND  "last-try"

static const struct scenario scenarios[] = {
    {"verify auth", JPKI_KEY_AUTH, "", "", VERIFY},
    {"verify auth, no short identifiers", JPKI_KEY_AUTH, "", "sfi=off", VERIFY},
    {"verify auth, beside other programs", JPKI_KEY_AUTH, "", "sfi=off", VERIFY, .others = true},
    {"verify auth, no EF 0006", JPKI_KEY_AUTH, "", "ef0006=off", VERIFY},
    {"verify sign, last try confirmed", JPKI_KEY_SIGN, SPEND, "sfi=off", VERIFY},
    {"verify juki", JPKI_PIN_RESIDENT, "", "", VERIFY},
    {"verify juki, no short identifiers", JPKI_PIN_RESIDENT, "", "sfi=off", VERIFY},
    {"verify juki, beside other programs", JPKI_PIN_RESIDENT, "", "", VERIFY, .others = true},
    {"verify juki, last try confirmed", JPKI_PIN_RESIDENT, SPEND, "sfi=off", VERIFY},
    {"verify juki, untold tries sent", JPKI_PIN_RESIDENT, SPEND " untold-tries=send", "sfi=off",
     VERIFY},
    {"change auth, untold tries sent", JPKI_KEY_AUTH, SPEND " untold-tries=send", "sfi=off",
     CHANGE},
    {"verify input", JPKI_PIN_INPUT, "", "sfi=off", VERIFY},
    {"change auth", JPKI_KEY_AUTH, "", "sfi=off", CHANGE},
    {"change sign, last try confirmed", JPKI_KEY_SIGN, SPEND, "sfi=off", CHANGE},
    {"change juki", JPKI_PIN_RESIDENT, "", "", CHANGE},
    {"change juki, no short identifiers", JPKI_PIN_RESIDENT, "", "sfi=off", CHANGE},
    {"change input, last try confirmed", JPKI_PIN_INPUT, SPEND, "sfi=off", CHANGE},
};

static void run_scenario(void **state)
{
    const struct scenario *scenario = *state;
    every_answer_walk(scenario, run_once);
}

int main(void)
{
    struct CMUnitTest tests[COUNT(scenarios)];
    struct scenario copies[COUNT(scenarios)];
    memcpy(copies, scenarios, sizeof copies);
    for (size_t i = 0; i < COUNT(scenarios); i++)
        tests[i] = (struct CMUnitTest){copies[i].name, run_scenario, NULL, NULL, &copies[i]};
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    every_answer_print_total();
    return failed;
}
