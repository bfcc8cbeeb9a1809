/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "card_fixture.h"

#include <stdlib.h>
#include <string.h>

static const char reader_name[] = "Fake reader 00 00";

/* A hook. */
static void record(void *context, const struct readers_event *event)
{
    struct card_fixture *fixture = context;
    if (event->moment != READERS_BEFORE_TRANSMIT)
        return;
    assert_true(fixture->count < FIXTURE_COMMANDS);
    memcpy(fixture->sent[fixture->count++], event->command, 4);
}

int fixture_open(void **state)
{
    void *vcard_fixture = NULL;
    struct card_fixture *fixture = calloc(1, sizeof *fixture);
    readers_clear();
    assert_int_equal(vcard_fixture_open(&vcard_fixture), 0);
    fixture->vcard_fixture = vcard_fixture;
    fixture->vcard = fixture->vcard_fixture->card;
    fixture_set(fixture, "persist=off");
    fixture->reader = readers_plug(reader_name);
    readers_insert(fixture->reader, fixture->vcard);
    struct jpki_options options;
    jpki_options_default(&options, JPKI_SLOTS_AUTH | JPKI_SLOTS_SIGN);
    fixture->source = fake_readers.open(&options);
    fixture->card = jpki_card_new(fake_readers.transport(fixture->source, reader_name));
    assert_non_null(fixture->card);
    readers_hook(record, fixture);
    jpki_log_open(JPKI_LOG_OFF, NULL);
    *state = fixture;
    return 0;
}

int fixture_close(void **state)
{
    struct card_fixture *fixture = *state;
    void *vcard_fixture = fixture->vcard_fixture;
    if (readers_counts().held > 0) /* the test failed midway */
        fixture_end(fixture);
    jpki_card_free(fixture->card);
    fake_readers.close(fixture->source);
    readers_clear();
    vcard_fixture_close(&vcard_fixture);
    free(fixture);
    return 0;
}

void fixture_set(struct card_fixture *fixture, const char *assignment)
{
    if (vcard_set(fixture->vcard, assignment) != 0)
        fail_msg("no such switch: %s", assignment);
}

void fixture_fresh(struct card_fixture *fixture)
{
    jpki_card_disconnect(fixture->card);
    jpki_card_forget(fixture->card);
    vcard_rewind(fixture->vcard);
    vcard_reset_counters(fixture->vcard);
    fixture->count = 0;
}

void fixture_begin(struct card_fixture *fixture)
{
    enum jpki_card_event event;
    assert_int_equal(jpki_card_begin(fixture->card, 0, &event), JPKI_OK);
    fixture->count = 0;
}

void fixture_enter(struct card_fixture *fixture)
{
    fixture_begin(fixture);
    assert_int_equal(jpki_card_select(fixture->card, jpki_application), JPKI_OK);
    fixture->count = 0;
}

void fixture_end(struct card_fixture *fixture)
{
    (void)jpki_card_end(fixture->card, JPKI_LEAVE);
}

enum jpki_error fixture_verify(struct card_fixture *fixture, enum jpki_key key, const char *text,
                               unsigned *tries)
{
    struct jpki_pin pin;
    enum jpki_error error =
        jpki_pin_prepare(&jpki_profiles[key], (const uint8_t *)text, strlen(text), &pin);
    assert_int_equal(error, JPKI_OK);
    error = jpki_card_select(fixture->card, jpki_application);
    if (error == JPKI_OK)
        error = jpki_card_tries(fixture->card, key, false, tries);
    return error == JPKI_OK ? jpki_card_verify(fixture->card, key, &pin, tries) : error;
}

unsigned fixture_sent(const struct card_fixture *fixture, uint8_t ins)
{
    unsigned count = 0;
    for (unsigned i = 0; i < fixture->count; i++)
        count += ins == 0 || fixture->sent[i][1] == ins;
    return count;
}

void fixture_each_sfi(struct card_fixture *fixture,
                      void (*fn)(struct card_fixture *fixture, const char *text))
{
    static const char *const switches[] = {"sfi.read=off", "sfi.verify=off", "sfi.sign=off",
                                           "sfi=off"};
    static const char *const refusals[] = {"sfi.refusal=6A86", "sfi.refusal=6A82",
                                           "sfi.refusal=6985", "sfi.refusal=6986"};
    fixture_fresh(fixture);
    fn(fixture, "sfi=on");
    for (size_t i = 0; i < 4; i++) {
        for (size_t j = 0; j < 4; j++) {
            char text[64];
            fixture_fresh(fixture);
            fixture_set(fixture, switches[i]);
            fixture_set(fixture, refusals[j]);
            snprintf(text, sizeof text, "%s %s", switches[i], refusals[j]);
            fn(fixture, text);
        }
    }
}
