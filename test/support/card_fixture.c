/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "card_fixture.h"

#include <stdlib.h>
#include <string.h>

static void note(void *context, const struct rack_event *event)
{
    struct lab *lab = context;
    if (event->moment != RACK_BEFORE_TRANSMIT)
        return;
    assert_true(lab->count < LAB_NOTES);
    memcpy(lab->sent[lab->count++], event->command, 4);
}

int lab_open(void **state)
{
    void *fixture = NULL;
    struct lab *lab = calloc(1, sizeof *lab);
    rack_clear();
    assert_int_equal(fixture_open(&fixture), 0);
    lab->fixture = fixture;
    lab->vcard = lab->fixture->card;
    lab_set(lab, "persist=off");
    lab->reader = rack_plug("Reader of the lab 00 00");
    rack_insert(lab->reader, lab->vcard);
    struct jpki_options options;
    jpki_options_default(&options, JPKI_SLOTS_AUTH | JPKI_SLOTS_SIGN);
    lab->source = rack_readers.open(&options);
    lab->card = jpki_card_new(rack_readers.transport(lab->source, "Reader of the lab 00 00"));
    assert_non_null(lab->card);
    rack_hook(note, lab);
    jpki_log_open(JPKI_LOG_OFF, NULL);
    *state = lab;
    return 0;
}

int lab_close(void **state)
{
    struct lab *lab = *state;
    void *fixture = lab->fixture;
    if (rack_counts().held > 0) /* the test failed midway */
        lab_end(lab);
    jpki_card_free(lab->card);
    rack_readers.close(lab->source);
    rack_clear();
    fixture_close(&fixture);
    free(lab);
    return 0;
}

void lab_set(struct lab *lab, const char *assignment)
{
    if (vcard_set(lab->vcard, assignment) != 0)
        fail_msg("no such switch: %s", assignment);
}

void lab_fresh(struct lab *lab)
{
    jpki_card_disconnect(lab->card);
    jpki_card_forget(lab->card);
    vcard_rewind(lab->vcard);
    vcard_reset_counters(lab->vcard);
    lab->count = 0;
}

void lab_begin(struct lab *lab)
{
    enum jpki_card_event event;
    assert_int_equal(jpki_card_begin(lab->card, &event), JPKI_OK);
    lab->count = 0;
}

void lab_enter(struct lab *lab)
{
    lab_begin(lab);
    assert_int_equal(jpki_card_select(lab->card), JPKI_OK);
    lab->count = 0;
}

void lab_end(struct lab *lab)
{
    jpki_card_end(lab->card, JPKI_LEAVE);
}

enum jpki_error lab_verify(struct lab *lab, enum jpki_key key, const char *text, unsigned *tries)
{
    struct jpki_pin pin;
    enum jpki_error error =
        jpki_pin_prepare(jpki_profile(key), (const uint8_t *)text, strlen(text), &pin);
    assert_int_equal(error, JPKI_OK);
    error = jpki_card_select(lab->card);
    if (error == JPKI_OK)
        error = jpki_card_tries(lab->card, key, false, tries);
    return error == JPKI_OK ? jpki_card_verify(lab->card, key, &pin, tries) : error;
}

unsigned lab_sent(const struct lab *lab, uint8_t ins)
{
    unsigned count = 0;
    for (unsigned i = 0; i < lab->count; i++)
        count += ins == 0 || lab->sent[i][1] == ins;
    return count;
}

void lab_each_naming(struct lab *lab, void (*fn)(struct lab *lab, const char *naming))
{
    static const char *const switches[] = {"sfi.read=off", "sfi.verify=off", "sfi.sign=off",
                                           "sfi=off"};
    static const char *const refusals[] = {"sfi.refusal=6A86", "sfi.refusal=6A82",
                                           "sfi.refusal=6985", "sfi.refusal=6986"};
    lab_fresh(lab);
    fn(lab, "sfi=on");
    for (size_t i = 0; i < 4; i++) {
        for (size_t j = 0; j < 4; j++) {
            char naming[64];
            lab_fresh(lab);
            lab_set(lab, switches[i]);
            lab_set(lab, refusals[j]);
            snprintf(naming, sizeof naming, "%s %s", switches[i], refusals[j]);
            fn(lab, naming);
        }
    }
}
