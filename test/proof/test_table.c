/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A table of situations, and how many tries each costs. `spent` is of the slot's own PIN, less than
 * 0 where a right PIN restores tries; all other PINs of the card must keep theirs. The steps
 * `before` are not counted. */
#include "pin_steps.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

#define FULL_WIDTH "\xEF\xBC\x91\xEF\xBC\x92\xEF\xBC\x93\xEF\xBC\x94" /* 1234 */
/* By another program: SELECT JPKI, VERIFY 1234, SELECT 0018, CHANGE to 5678. */
#define OTHER_CHANGES                                                                              \
    "apdu:" SELECT_JPKI " apdu:" VERIFY_AUTH " apdu:00A4020C020018 apdu:002401800435363738"
#define OTHER_VERIFIES "apdu:" SELECT_JPKI " apdu:" VERIFY_AUTH
#define OTHER_FAILS    "apdu:" SELECT_JPKI " apdu:" WRONG_AUTH
#define SEND           "untold-tries=send"
#define CARD_REMEMBERS "set:forget.select_same=off set:forget.select_other=off"

static const struct row {
    const char *situation;
    CK_SLOT_ID slot;
    const char *options;
    const char *before;
    const char *then;
    CK_RV rv;
    int spent;
    unsigned verifies;
} rows[] = {
#include "table.inc"
};

/* ---- Counting --------------------------------------------------------------------------- */

struct pin {
    char application[16];
    uint16_t file;
    int tries;
};

struct pins {
    struct pin pin[PINS_MAX];
    size_t count;
};

static void note_pin(void *context, const char *application, uint16_t file, int tries, int full,
                     bool verified)
{
    struct pins *pins = context;
    (void)full, (void)verified;
    assert_true(pins->count < PINS_MAX);
    struct pin *pin = &pins->pin[pins->count++];
    snprintf(pin->application, sizeof pin->application, "%s", application);
    pin->file = file;
    pin->tries = tries;
}

static struct pins read_pins(const struct pin_steps *steps)
{
    struct pins pins = {.count = 0};
    vcard_each_pin(steps->app->vcard, note_pin, &pins);
    return pins;
}

/* Returns how many tries of the slot's own PIN were spent; `others`: of how many other PINs the
 * tries changed. */
static int spent(const struct row *row, const struct pins *before, const struct pins *after,
                 int *others)
{
    uint16_t own = row->slot == AUTH ? 0x0018 : 0x001B;
    int mine = 0;
    *others = 0;
    assert_int_equal(before->count, after->count);
    for (size_t i = 0; i < before->count; i++) {
        int difference = before->pin[i].tries - after->pin[i].tries;
        bool is_mine =
            strcmp(before->pin[i].application, "jpki") == 0 && before->pin[i].file == own;
        if (is_mine)
            mine = difference;
        else
            *others += difference != 0;
    }
    return mine;
}

static bool run_row(struct pin_steps *steps, const struct row *row)
{
    int others;
    pin_steps_begin(steps, row->slot, row->options);
    (void)pin_steps_run(steps, row->before);
    struct pins before = read_pins(steps);
    unsigned verifies = pin_steps_verifies(steps);
    CK_RV rv = pin_steps_run(steps, row->then);
    struct pins after = read_pins(steps);
    verifies = pin_steps_verifies(steps) - verifies;
    int mine = spent(row, &before, &after, &others);

    bool right = rv == row->rv && mine == row->spent && verifies == row->verifies && others == 0;
    printf("%-58s %-4s %-18s %5d %6d %8u%s\n", row->situation, row->slot == AUTH ? "auth" : "sign",
           ckr_name(rv), mine, others, verifies, right ? "" : "   <-- WRONG");
    if (!right)
        printf("    expected: %s, %d of its own, 0 of others, %u VERIFY\n", ckr_name(row->rv),
               row->spent, row->verifies);
    return right;
}

static void every_row(void **state)
{
    (void)state;
    struct pin_steps steps;
    unsigned wrong = 0;
    jpki_log_open(JPKI_LOG_OFF, NULL);
    pin_steps_open(&steps);
    printf("%-58s %-4s %-18s %5s %6s %8s\n", "situation", "slot", "CKR", "spent", "others",
           "VERIFYs");
    for (size_t i = 0; i < COUNT(rows); i++)
        wrong += !run_row(&steps, &rows[i]);
    printf("%zu rows, %u wrong\n", COUNT(rows), wrong);
    pin_steps_close(&steps);
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_row)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
