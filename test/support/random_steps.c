/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "random_steps_state.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define FULL_WIDTH "\xEF\xBC\x91\xEF\xBC\x92\xEF\xBC\x93\xEF\xBC\x94"

static const uint16_t files[] = {0x0018, 0x001B};

/* ---- Chance ----------------------------------------------------------------------------- */

/* splitmix64: the same everywhere. */
static uint64_t draw(struct play *play)
{
    uint64_t z = play->random += 0x9E3779B97F4A7C15;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
    z = (z ^ z >> 27) * 0x94D049BB133111EB;
    return z ^ z >> 31;
}

unsigned play_below(struct play *play, unsigned limit)
{
    return (unsigned)(draw(play) % limit);
}

const char *play_any(struct play *play, const char *const *list, unsigned count)
{
    return list[play_below(play, count)];
}

const char *play_any_pin(struct play *play, CK_SLOT_ID slot)
{
    static const char *const auth[] = {"1234", "1234", "1234", "5678",     "9999", "0000",
                                       "8888", "123",  "12a4", FULL_WIDTH, "12345"};
    static const char *const sign[] = {"ABC123", "abc123", "ABC123", "XYZ789", "WRONG1",
                                       "wrong1", "WRONG2", "ABCDEF", "ABC",    "ABC-123"};
    return slot == AUTH ? play_any(play, auth, COUNT(auth)) : play_any(play, sign, COUNT(sign));
}

/* ---- Notes ------------------------------------------------------------------------------ */

void play_note(struct play *play, const char *format, ...)
{
    size_t used = strlen(play->notes);
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(play->notes + used, NOTES - used, format, arguments);
    va_end(arguments);
}

void play_demand(struct play *play, bool kept, const char *what)
{
    if (!kept && play->complaint == NULL)
        play->complaint = what;
}

const char *play_complaint(const struct play *play)
{
    return play->complaint;
}

void play_print(const struct play *play)
{
    fprintf(stderr, "%s", play->notes);
}

void play_report(const struct play *play)
{
    printf("%llu steps, %llu ended well, %llu tries spent\n", (unsigned long long)play->steps,
           (unsigned long long)play->good, (unsigned long long)play->spent);
}

/* ---- The card --------------------------------------------------------------------------- */

int play_tries(const struct play *play, CK_SLOT_ID slot)
{
    return vcard_tries(play->stage.app->vcard, "jpki", files[slot]);
}

void play_set(struct play *play, const char *assignment)
{
    assert_int_equal(vcard_set(play->stage.app->vcard, assignment), 0);
}

/* ---- A sequence ------------------------------------------------------------------------- */

static const struct {
    void (*run)(struct play *play, CK_SLOT_ID slot);
    unsigned weight;
} steps[] = {
    {play_login, 30}, {play_sign, 12},         {play_change, 8},   {play_logout, 6},
    {play_info, 4},   {play_close_session, 3}, {play_other, 25},   {play_take_out, 2},
    {play_put_in, 5}, {play_municipal, 4},     {play_finalize, 2},
};

struct play *play_open(void)
{
    struct play *play = calloc(1, sizeof *play);
    assert_non_null(play);
    stage_open(&play->stage);
    return play;
}

void play_close(struct play *play)
{
    stage_close(&play->stage);
    free(play);
}

static void random_ways(struct play *play)
{
    static const char *const ways[] = {
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
        /* Not ef0006=off: while somebody is logged in the flags of such a card's tokens may be
         * those of another application with the same file numbers, see jpki_card_resume. */
        "t0=on",
        "61xx=on",
        "6cxx=on",
        "sign.pin_each=on",
        "sign.pin_first=on",
        "verify.length=6700",
        "pss=off",
    };
    for (unsigned i = play_below(play, 5); i > 0; i--) {
        const char *way = play_any(play, ways, COUNT(ways));
        for (size_t card = 0; card < 2; card++)
            assert_int_equal(vcard_set(play->stage.cards[card]->card, way), 0);
        play_note(play, "%s ", way);
    }
    play_note(play, "\n");
}

void play_begin(struct play *play, uint64_t seed)
{
    play->random = seed;
    play->notes[0] = '\0';
    play->complaint = NULL;
    play->model = (struct model){.tells_cards = true};
    play->inserted = true;
    stage_set(&play->stage, AUTH, "log=off");
    random_ways(play);
    for (size_t card = 0; card < 2; card++) {
        strcpy(play->model.right[card][AUTH], AUTH_PIN);
        strcpy(play->model.right[card][SIGN], SIGN_PIN);
    }
    play_restart(play);
    model_insert(&play->model, 0);
}

void play_step(struct play *play)
{
    unsigned total = 0, at = 0;
    for (size_t i = 0; i < COUNT(steps); i++)
        total += steps[i].weight;
    unsigned drawn = play_below(play, total);
    while (drawn >= steps[at].weight)
        drawn -= steps[at++].weight;
    play->steps++;
    play->broken = false;
    steps[at].run(play, play_below(play, 3) == 0 ? SIGN : AUTH);
}
