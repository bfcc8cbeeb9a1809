/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Steps of other programs and of the card's holder. */
#include "random_steps_state.h"

#include <string.h>

/* The other program stays connected. */
static void send(struct random_steps *run, const char *apdu)
{
    readers_share(run->steps.app->reader, true);
    (void)ask(run->steps.app->card, apdu);
}

static void select_ours(struct random_steps *run)
{
    send(run, SELECT_JPKI);
}

static void select_resident(struct random_steps *run)
{
    send(run, SELECT_RESIDENT);
}

static void select_pin_of_resident(struct random_steps *run)
{
    send(run, SELECT_RESIDENT);
    send(run, "00A4020C020018");
}

static void select_face(struct random_steps *run)
{
    send(run, SELECT_FACE);
}

static void select_input(struct random_steps *run)
{
    send(run, SELECT_INPUT);
}

static void wrong_resident(struct random_steps *run)
{
    send(run, SELECT_RESIDENT);
    send(run, RESIDENT_WRONG);
}

static void verify(struct random_steps *run, const char *apdu)
{
    send(run, SELECT_JPKI);
    send(run, apdu);
}

static void right_auth(struct random_steps *run)
{
    verify(run, VERIFY_AUTH);
}

static void right_sign(struct random_steps *run)
{
    verify(run, VERIFY_SIGN);
}

static void wrong_auth(struct random_steps *run)
{
    verify(run, WRONG_AUTH);
}

static void wrong_sign(struct random_steps *run)
{
    verify(run, WRONG_SIGN);
}

/* To 5678; has an effect only where 1234 is right. */
static void change_auth(struct random_steps *run)
{
    verify(run, VERIFY_AUTH);
    send(run, "00A4020C020018");
    send(run, "002401800435363738");
}

static void warm_reset(struct random_steps *run)
{
    readers_reset(run->steps.app->reader);
}

static void cold_reset(struct random_steps *run)
{
    readers_repower(run->steps.app->reader);
}

static void power_down(struct random_steps *run)
{
    readers_power_down(run->steps.app->reader);
}

void step_other(struct random_steps *run, CK_SLOT_ID slot)
{
    static const struct {
        const char *name;
        void (*run)(struct random_steps *run);
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
    if (!run->inserted)
        return;
    unsigned which = steps_random(run, COUNT(others));
    int auth = steps_tries(run, AUTH), sign = steps_tries(run, SIGN);
    if (!vcard_powered(run->steps.app->vcard))
        readers_repower(run->steps.app->reader);
    others[which].run(run);
    pin_model_other_program(&run->model, AUTH, auth, steps_tries(run, AUTH));
    pin_model_other_program(&run->model, SIGN, sign, steps_tries(run, SIGN));
    char actual[PIN_TEXT];
    steps_card_pin(run, AUTH, actual);
    pin_model_set_right(&run->model, AUTH, actual);
    steps_note(run, "other: %s (%d, %d left)\n", others[which].name, steps_tries(run, AUTH),
               steps_tries(run, SIGN));
}

/* The municipal counter resets the tries of a PIN. */
void step_reset_pin(struct random_steps *run, CK_SLOT_ID slot)
{
    int before = steps_tries(run, slot), full = slot == AUTH ? 3 : 5;
    uint16_t file = slot == AUTH ? 0x0018 : 0x001B;
    assert_int_equal(vcard_set_tries(run->steps.app->vcard, "jpki", file, full), 0);
    pin_model_other_program(&run->model, slot, before, full);
    steps_note(run, "tries reset, slot %lu\n", slot);
}

void step_remove(struct random_steps *run, CK_SLOT_ID slot)
{
    (void)slot;
    steps_note(run, "card removed\n");
    readers_remove(run->steps.app->reader);
    run->inserted = false;
    run->stale[AUTH] = run->stale[SIGN] = true;
}

void step_insert(struct random_steps *run, CK_SLOT_ID slot)
{
    (void)slot;
    struct app *app = run->steps.app;
    size_t card = steps_random(run, 4) == 0 ? 1 - run->model.card : run->model.card;
    steps_note(run, "card %zu inserted\n", card);
    readers_remove(app->reader);
    app->card = run->steps.cards[card];
    app->vcard = app->card->card;
    readers_insert(app->reader, app->vcard);
    pin_model_insert(&run->model, card);
    run->inserted = true;
    run->stale[AUTH] = run->stale[SIGN] = true;
}

void step_restart(struct random_steps *run)
{
    static const char *const caches[] = {"auth", "none", "all"};
    char options[96];
    unsigned cache = steps_random(run, 3);
    run->model.keep_last_try = steps_random(run, 4) == 0;
    run->model.keeps[AUTH] = cache != 1;
    run->model.keeps[SIGN] = cache == 2;
    run->model.sends_untold = steps_random(run, 4) != 0;
    snprintf(options, sizeof options, "log=off;pin-cache=%s;keep-last-try=%s;untold-tries=%s",
             caches[cache], run->model.keep_last_try ? "yes" : "no",
             run->model.sends_untold ? "send" : "refuse");
    app_restart(options);
    pin_model_restart(&run->model);
    memset(run->sessions, 0, sizeof run->sessions);
    memset(run->keys, 0, sizeof run->keys);
    run->stale[AUTH] = run->stale[SIGN] = false;
    steps_note(run, "initialize %s\n", options);
}

void step_finalize(struct random_steps *run, CK_SLOT_ID slot)
{
    (void)slot;
    step_restart(run);
}
