/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What other programs do to the card, and people with cards and programs. */
#include "random_steps_state.h"

#include <string.h>

static void lend(struct play *play, const char *apdu)
{
    (void)ask(play->stage.app->card, apdu);
}

static void select_ours(struct play *play)
{
    lend(play, SELECT_JPKI);
}

static void select_resident(struct play *play)
{
    lend(play, SELECT_RESIDENT);
}

static void select_pin_of_resident(struct play *play)
{
    lend(play, SELECT_RESIDENT);
    lend(play, "00A4020C020018");
}

static void select_face(struct play *play)
{
    lend(play, SELECT_FACE);
}

static void select_input(struct play *play)
{
    lend(play, SELECT_INPUT);
}

static void wrong_resident(struct play *play)
{
    lend(play, SELECT_RESIDENT);
    lend(play, RESIDENT_WRONG);
}

static void verify(struct play *play, const char *apdu)
{
    lend(play, SELECT_JPKI);
    lend(play, apdu);
}

static void right_auth(struct play *play)
{
    verify(play, VERIFY_AUTH);
}

static void right_sign(struct play *play)
{
    verify(play, VERIFY_SIGN);
}

static void wrong_auth(struct play *play)
{
    verify(play, WRONG_AUTH);
}

static void wrong_sign(struct play *play)
{
    verify(play, WRONG_SIGN);
}

/* To 5678; done only where 1234 was right. */
static void change_auth(struct play *play)
{
    verify(play, VERIFY_AUTH);
    lend(play, "00A4020C020018");
    lend(play, "002401800435363738");
}

static void warm_reset(struct play *play)
{
    readers_reset(play->stage.app->reader);
}

static void cold_reset(struct play *play)
{
    readers_repower(play->stage.app->reader);
}

static void power_down(struct play *play)
{
    readers_power_down(play->stage.app->reader);
}

void play_other(struct play *play, CK_SLOT_ID slot)
{
    static const struct {
        const char *name;
        void (*run)(struct play *play);
    } others[] = {
        {"select JPKI", select_ours},
        {"select resident", select_resident},
        {"select resident 0018", select_pin_of_resident},
        {"select face", select_face},
        {"select input", select_input},
        {"wrong PIN of resident", wrong_resident},
        {"right auth", right_auth},
        {"right sign", right_sign},
        {"wrong auth", wrong_auth},
        {"wrong sign", wrong_sign},
        {"change auth", change_auth},
        {"reset", warm_reset},
        {"repower", cold_reset},
        {"power down", power_down},
    };
    (void)slot;
    if (!play->inserted)
        return;
    unsigned which = play_below(play, COUNT(others));
    int auth = play_tries(play, AUTH), sign = play_tries(play, SIGN);
    if (!vcard_powered(play->stage.app->vcard))
        readers_repower(play->stage.app->reader);
    others[which].run(play);
    model_elsewhere(&play->model, AUTH, auth, play_tries(play, AUTH));
    model_elsewhere(&play->model, SIGN, sign, play_tries(play, SIGN));
    char truth[PIN_TEXT];
    play_truth(play, AUTH, truth);
    model_set_right(&play->model, AUTH, truth);
    play_note(play, "other: %s (%d, %d left)\n", others[which].name, play_tries(play, AUTH),
              play_tries(play, SIGN));
}

/* The municipal counter sets a PIN back. */
void play_municipal(struct play *play, CK_SLOT_ID slot)
{
    int before = play_tries(play, slot), full = slot == AUTH ? 3 : 5;
    uint16_t file = slot == AUTH ? 0x0018 : 0x001B;
    assert_int_equal(vcard_set_tries(play->stage.app->vcard, "jpki", file, full), 0);
    model_elsewhere(&play->model, slot, before, full);
    play_note(play, "municipal counter, slot %lu\n", slot);
}

void play_take_out(struct play *play, CK_SLOT_ID slot)
{
    (void)slot;
    play_note(play, "card out\n");
    readers_remove(play->stage.app->reader);
    play->inserted = false;
    play->stale[AUTH] = play->stale[SIGN] = true;
}

void play_put_in(struct play *play, CK_SLOT_ID slot)
{
    (void)slot;
    struct app *app = play->stage.app;
    size_t card = play_below(play, 4) == 0 ? 1 - play->model.card : play->model.card;
    play_note(play, "card %zu in\n", card);
    readers_remove(app->reader);
    app->card = play->stage.cards[card];
    app->vcard = app->card->card;
    readers_insert(app->reader, app->vcard);
    model_insert(&play->model, card);
    play->inserted = true;
    play->stale[AUTH] = play->stale[SIGN] = true;
}

void play_restart(struct play *play)
{
    static const char *const caches[] = {"auth", "none", "all"};
    char options[64];
    unsigned cache = play_below(play, 3);
    play->model.keep_last_try = play_below(play, 4) == 0;
    play->model.keeps[AUTH] = cache != 1;
    play->model.keeps[SIGN] = cache == 2;
    snprintf(options, sizeof options, "log=off;pin-cache=%s;keep-last-try=%s", caches[cache],
             play->model.keep_last_try ? "yes" : "no");
    app_restart(options);
    model_restart(&play->model);
    memset(play->sessions, 0, sizeof play->sessions);
    memset(play->keys, 0, sizeof play->keys);
    play->stale[AUTH] = play->stale[SIGN] = false;
    play_note(play, "initialize %s\n", options);
}

void play_finalize(struct play *play, CK_SLOT_ID slot)
{
    (void)slot;
    play_restart(play);
}
