/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table: a row per situation, and what it costs. "spent" is of the slot's own PIN; every other
 * PIN of every application on the card must stay as it was. Less than nought: given back by a right
 * PIN. What other programs and earlier logins did stands in "before" and is not counted. */
#include "pin_steps.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

#define FULL_WIDTH "\xEF\xBC\x91\xEF\xBC\x92\xEF\xBC\x93\xEF\xBC\x94" /* 1234 */
/* By somebody who knows how: SELECT JPKI, VERIFY 1234, SELECT 0018, CHANGE to 5678. */
#define CHANGED_ELSEWHERE                                                                          \
    "apdu:" SELECT_JPKI " apdu:" VERIFY_AUTH " apdu:00A4020C020018 apdu:002401800435363738"
#define RIGHT_ELSEWHERE "apdu:" SELECT_JPKI " apdu:" VERIFY_AUTH
#define WRONG_ELSEWHERE "apdu:" SELECT_JPKI " apdu:" WRONG_AUTH
#define NOTHING_FORGETS "set:forget.select_same=off set:forget.select_other=off"

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

static struct pins look(const struct stage *stage)
{
    struct pins pins = {.count = 0};
    vcard_each_pin(stage->app->vcard, note_pin, &pins);
    return pins;
}

/* Tries of the slot's own PIN; in `others` those of all others, however they changed. */
static int spent(const struct row *row, const struct pins *before, const struct pins *after,
                 int *others)
{
    uint16_t own = row->slot == AUTH ? 0x0018 : 0x001B;
    int mine = 0;
    *others = 0;
    assert_int_equal(before->count, after->count);
    for (size_t i = 0; i < before->count; i++) {
        int gone = before->pin[i].tries - after->pin[i].tries;
        bool is_mine =
            strcmp(before->pin[i].application, "jpki") == 0 && before->pin[i].file == own;
        if (is_mine)
            mine = gone;
        else
            *others += gone != 0;
    }
    return mine;
}

static bool play_row(struct stage *stage, const struct row *row)
{
    int others;
    stage_set(stage, row->slot, row->options);
    (void)stage_play(stage, row->before);
    struct pins before = look(stage);
    unsigned verifies = stage_verifies(stage);
    CK_RV rv = stage_play(stage, row->then);
    struct pins after = look(stage);
    verifies = stage_verifies(stage) - verifies;
    int mine = spent(row, &before, &after, &others);

    bool right = rv == row->rv && mine == row->spent && verifies == row->verifies && others == 0;
    printf("%-58s %-4s %-18s %5d %6d %8u%s\n", row->situation, row->slot == AUTH ? "auth" : "sign",
           ckr_name(rv), mine, others, verifies, right ? "" : "   <-- WRONG");
    if (!right)
        printf("    expected: %s, %d of its own, 0 of others, %u VERIFY\n", ckr_name(row->rv),
               row->spent, row->verifies);
    return right;
}

static void the_table(void **state)
{
    (void)state;
    struct stage stage;
    unsigned wrong = 0;
    jpki_log_open(JPKI_LOG_OFF, NULL);
    stage_open(&stage);
    printf("%-58s %-4s %-18s %5s %6s %8s\n", "situation", "slot", "CKR", "spent", "others",
           "VERIFYs");
    for (size_t i = 0; i < COUNT(rows); i++)
        wrong += !play_row(&stage, &rows[i]);
    printf("%zu rows, %u wrong\n", COUNT(rows), wrong);
    stage_close(&stage);
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_table)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
