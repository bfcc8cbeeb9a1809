/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "random_steps_state.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define FULL_WIDTH "\xEF\xBC\x91\xEF\xBC\x92\xEF\xBC\x93\xEF\xBC\x94"

static const uint16_t files[] = {0x0018, 0x001B};

/* ---- Random numbers --------------------------------------------------------------------- */

/* splitmix64: the same numbers on every machine. */
static uint64_t draw(struct random_steps *run)
{
    uint64_t z = run->random += 0x9E3779B97F4A7C15;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
    z = (z ^ z >> 27) * 0x94D049BB133111EB;
    return z ^ z >> 31;
}

unsigned steps_random(struct random_steps *run, unsigned limit)
{
    return (unsigned)(draw(run) % limit);
}

const char *steps_any(struct random_steps *run, const char *const *list, unsigned count)
{
    return list[steps_random(run, count)];
}

const char *steps_any_pin(struct random_steps *run, CK_SLOT_ID slot)
{
    static const char *const auth[] = {"1234", "1234", "1234", "5678",     "9999", "0000",
                                       "8888", "123",  "12a4", FULL_WIDTH, "12345"};
    static const char *const sign[] = {"ABC123", "abc123", "ABC123", "XYZ789", "WRONG1",
                                       "wrong1", "WRONG2", "ABCDEF", "ABC",    "ABC-123"};
    return slot == AUTH ? steps_any(run, auth, COUNT(auth)) : steps_any(run, sign, COUNT(sign));
}

/* ---- Records ---------------------------------------------------------------------------- */

void steps_note(struct random_steps *run, const char *format, ...)
{
    size_t used = strlen(run->notes);
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(run->notes + used, NOTES - used, format, arguments);
    va_end(arguments);
}

void steps_require(struct random_steps *run, bool kept, const char *what)
{
    if (!kept && run->violation == NULL)
        run->violation = what;
}

const char *steps_violation(const struct random_steps *run)
{
    return run->violation;
}

void steps_print(const struct random_steps *run)
{
    fprintf(stderr, "%s", run->notes);
}

void steps_report(const struct random_steps *run)
{
    printf("%llu steps, %llu succeeded, %llu tries spent\n", (unsigned long long)run->count,
           (unsigned long long)run->good, (unsigned long long)run->spent);
}

/* ---- The card --------------------------------------------------------------------------- */

int steps_tries(const struct random_steps *run, CK_SLOT_ID slot)
{
    return vcard_tries(run->steps.app->vcard, "jpki", files[slot]);
}

void steps_set(struct random_steps *run, const char *assignment)
{
    assert_int_equal(vcard_set(run->steps.app->vcard, assignment), 0);
}

/* ---- A sequence ------------------------------------------------------------------------- */

static const struct {
    void (*run)(struct random_steps *run, CK_SLOT_ID slot);
    unsigned weight;
} step_kinds[] = {
    {step_login, 30}, {step_sign, 12},         {step_change, 8},   {step_logout, 6},
    {step_info, 4},   {step_close_session, 3}, {step_other, 25},   {step_remove, 2},
    {step_insert, 5}, {step_reset_pin, 4},     {step_finalize, 2},
};

struct random_steps *steps_open(void)
{
    struct random_steps *run = calloc(1, sizeof *run);
    assert_non_null(run);
    pin_steps_open(&run->steps);
    return run;
}

void steps_close(struct random_steps *run)
{
    pin_steps_close(&run->steps);
    free(run);
}

static void random_switches(struct random_steps *run)
{
    static const char *const switches[] = {
        "forget.select_same=on",
        "forget.select_same=off",
        "forget.select_other=off",
        "forget.warm_reset=on",
        "warm_reset.selection=kept",
        "sfi=off",
        "sfi.verify=off",
        "sfi.sign=off",
        "sfi.read=off",
        "sfi.refusal=6A82",
        "sfi.refusal=6985",
        "pin.blocked=6983",
        "pin.blocked=63C0",
        "pin.blocked_query=6983",
        "pin.blocked_query=6984",
        "pin.query_verified=9000",
        "first=6F00",
        "ef0006=off",
        "ef0006.size=32",
        "t0=on",
        "61xx=on",
        "6cxx=on",
        "sign.pin_each=on",
        "sign.pin_first=on",
        "verify.length=6700",
        "pss=off",
        "pin.query=6300",
        "pin.query=6700",
        "pin.query=6985",
        "pin.query_form=5",
        "select.name=61xx",
        "select.file=61xx",
        "select.unfetched=6985",
    };
    for (unsigned i = steps_random(run, 5); i > 0; i--) {
        const char *one = steps_any(run, switches, COUNT(switches));
        for (size_t card = 0; card < 2; card++)
            assert_int_equal(vcard_set(run->steps.cards[card]->card, one), 0);
        run->no_0006 |= strcmp(one, "ef0006=off") == 0;
        run->model.untold |= strncmp(one, "pin.query=", strlen("pin.query=")) == 0;
        steps_note(run, "%s ", one);
    }
    steps_note(run, "\n");
}

void steps_begin(struct random_steps *run, uint64_t seed)
{
    run->random = seed;
    run->notes[0] = '\0';
    run->violation = NULL;
    run->model = (struct pin_model){.identifies_card = true};
    run->inserted = true;
    run->no_0006 = false;
    pin_steps_begin(&run->steps, AUTH, "log=off");
    random_switches(run);
    for (size_t card = 0; card < 2; card++) {
        strcpy(run->model.right[card][AUTH], AUTH_PIN);
        strcpy(run->model.right[card][SIGN], SIGN_PIN);
    }
    step_restart(run);
    pin_model_insert(&run->model, 0);
}

void steps_next(struct random_steps *run)
{
    unsigned total = 0, at = 0;
    for (size_t i = 0; i < COUNT(step_kinds); i++)
        total += step_kinds[i].weight;
    unsigned drawn = steps_random(run, total);
    while (drawn >= step_kinds[at].weight)
        drawn -= step_kinds[at++].weight;
    run->count++;
    run->broken = false;
    step_kinds[at].run(run, steps_random(run, 3) == 0 ? SIGN : AUTH);
}
