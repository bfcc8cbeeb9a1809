/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The doctor looks at the card: there, free, answering, of the right kind; its PINs and
 * certificates. */
#include "doctor/doctor.h"

#include "status.h"

#include <string.h>
#include <unistd.h>

/* Whether there is a card, so that there is a survey. */
static bool has_card(const struct doctor_reader *reader)
{
    return reader->status.present || reader->status.exclusive;
}

/* Cards that are no My Number Cards are wrong only if there is none that is one. */
static bool any_jpki(const struct doctor *doctor)
{
    for (size_t i = 0; i < doctor->reader_count; i++)
        if (has_jpki(doctor->readers[i].survey.kind))
            return true;
    return false;
}

/* ---- There ------------------------------------------------------------------------------ */

static void survey_one(struct doctor *doctor, struct doctor_reader *reader)
{
    struct jpki_reader *opened = open_reader_named(doctor->tool, reader->status.name);
    if (opened == NULL) {
        reader->survey.error = JPKI_ERR_MEMORY;
        return;
    }
    survey_reader(opened, &reader->survey);
    reader->survey.reader = reader->status.name;
    close_reader(opened);
}

void check_card(struct doctor *doctor)
{
    unsigned cards = 0;
    for (size_t i = 0; i < doctor->reader_count; i++) {
        struct doctor_reader *reader = &doctor->readers[i];
        if (!has_card(reader))
            continue;
        cards++;
        report(doctor, VERDICT_OK, TEXT(doctor_card), reader->status.name);
        survey_one(doctor, reader);
    }
    if (cards == 0)
        report(doctor, VERDICT_WRONG, TEXT(doctor_no_card));
}

/* ---- Free ------------------------------------------------------------------------------- */

/* The command that ends a client. */
static void remedy_client(const struct client *client)
{
    if (strcmp(client->name, "scdaemon") == 0)
        remedy("gpgconf --kill scdaemon");
    else if (client->user == geteuid())
        remedy("kill %ld", (long)client->pid);
    else
        remedy_as_root("kill %ld", (long)client->pid);
}

/* Their names in a row. */
static void name_clients(const struct client *list, size_t count, char text[TEXT_BYTES])
{
    size_t length = 0;
    *text = '\0';
    for (size_t i = 0; i < count && length < TEXT_BYTES; i++)
        length += (size_t)snprintf(text + length, TEXT_BYTES - length, TEXT(doctor_client),
                                   i > 0 ? ", " : "", list[i].name, (long)list[i].pid);
}

/* PC/SC does not tell which of several programs it is. */
static void report_clients(struct doctor *doctor, const char *reader)
{
    struct client list[CLIENTS_MAX];
    bool hidden, scdaemon = false;
    char names[TEXT_BYTES];
    size_t count = pcscd_clients(list, &hidden);
    for (size_t i = 0; i < count; i++)
        scdaemon |= strcmp(list[i].name, "scdaemon") == 0;
    name_clients(list, count, names);
    if (count == 0)
        report(doctor, VERDICT_WRONG, TEXT(doctor_held), reader);
    else
        report(doctor, VERDICT_WRONG, count == 1 ? TEXT(doctor_held_by) : TEXT(doctor_held_by_one),
               reader, names, scdaemon ? TEXT(doctor_scdaemon) : "");
    for (size_t i = 0; i < count; i++)
        remedy_client(&list[i]);
    if (hidden && geteuid() != 0)
        remedy_as_root("jpki-tool doctor");
}

/* Programs that share the card are welcome, and worth knowing. */
static void report_others(struct doctor *doctor, const char *reader)
{
    struct client list[CLIENTS_MAX];
    bool hidden;
    char names[TEXT_BYTES];
    size_t count = pcscd_clients(list, &hidden);
    name_clients(list, count, names);
    if (count == 0)
        report(doctor, VERDICT_OK, TEXT(doctor_shared), reader);
    else
        report(doctor, VERDICT_OK, TEXT(doctor_shared_with), reader, names);
}

void check_free(struct doctor *doctor)
{
    for (size_t i = 0; i < doctor->reader_count; i++) {
        const struct doctor_reader *reader = &doctor->readers[i];
        if (!has_card(reader))
            continue;
        if (reader->survey.error == JPKI_ERR_BUSY)
            report_clients(doctor, reader->status.name);
        else if (reader->status.shared)
            report_others(doctor, reader->status.name);
        else
            report(doctor, VERDICT_OK, TEXT(doctor_free), reader->status.name);
    }
}

/* ---- Answering, and of the right kind --------------------------------------------------- */

/* A card that lies badly is cut short or says nothing. */
static const char *why_unreadable(enum jpki_error error)
{
    bool mute = error == JPKI_ERR_TRANSPORT || error == JPKI_ERR_CARD;
    return mute ? TEXT(doctor_mute) : error_text(error);
}

void check_answers(struct doctor *doctor)
{
    for (size_t i = 0; i < doctor->reader_count; i++) {
        const struct doctor_reader *reader = &doctor->readers[i];
        enum jpki_error error = reader->survey.error;
        if (!has_card(reader))
            continue;
        if (error == JPKI_OK || error == JPKI_ERR_NOT_JPKI)
            report(doctor, VERDICT_OK, TEXT(doctor_answers), reader->status.name);
        else
            report(doctor, any_jpki(doctor) ? VERDICT_WARNING : VERDICT_WRONG, TEXT(reader_says),
                   reader->status.name, why_unreadable(error));
    }
}

void check_kind(struct doctor *doctor)
{
    for (size_t i = 0; i < doctor->reader_count; i++) {
        const struct doctor_reader *reader = &doctor->readers[i];
        if (!has_card(reader) || reader->survey.kind == KIND_UNREADABLE)
            continue;
        if (reader->survey.kind == KIND_OTHER)
            report(doctor, any_jpki(doctor) ? VERDICT_WARNING : VERDICT_WRONG, TEXT(doctor_foreign),
                   reader->status.name);
        else if (reader->survey.kind == KIND_OLD)
            report(doctor, VERDICT_WARNING, TEXT(reader_says), reader->status.name, TEXT(kind_old));
        else
            report(doctor, VERDICT_OK, TEXT(doctor_kind), reader->status.name);
    }
}

/* ---- PINs ------------------------------------------------------------------------------- */

/* Verifying the right PIN sets its tries back. */
static void report_pin_state(struct doctor *doctor, const struct pin_facts *facts,
                             enum jpki_key key)
{
    static const enum verdict verdicts[] = {
        [PIN_OK] = VERDICT_OK,        [PIN_LOW] = VERDICT_WARNING, [PIN_LAST] = VERDICT_WARNING,
        [PIN_LOCKED] = VERDICT_WRONG, [PIN_MISSING] = VERDICT_OK,  [PIN_UNTOLD] = VERDICT_WARNING,
        [PIN_NOT_ASKED] = VERDICT_OK,
    };
    char text[TEXT_BYTES];
    pin_text(facts, key, text);
    report(doctor, verdicts[facts->state], TEXT(reader_says), text_of(&pin_words[key].name), text);
    if (facts->state == PIN_LOW || facts->state == PIN_LAST)
        remedy("jpki-tool pin verify %s", pin_words[key].word);
}

void check_pins(struct doctor *doctor)
{
    for (size_t i = 0; i < doctor->reader_count; i++) {
        const struct survey *survey = &doctor->readers[i].survey;
        for (enum jpki_key key = 0; key < JPKI_PINS && has_jpki(survey->kind); key++)
            report_pin_state(doctor, &survey->pins[key], key);
    }
}

/* ---- Certificates ----------------------------------------------------------------------- */

static void report_certificate(struct doctor *doctor, const struct certificate_facts *facts,
                               enum jpki_key key)
{
    static const enum verdict verdicts[] = {
        [CERTIFICATE_VALID] = VERDICT_OK,         [CERTIFICATE_RENEWABLE] = VERDICT_WARNING,
        [CERTIFICATE_EXPIRED] = VERDICT_WRONG,    [CERTIFICATE_EARLY] = VERDICT_WRONG,
        [CERTIFICATE_HIDDEN] = VERDICT_OK,        [CERTIFICATE_MISSING] = VERDICT_OK,
        [CERTIFICATE_UNREADABLE] = VERDICT_WRONG,
    };
    static const struct text names[JPKI_KEYS] = {
        [JPKI_KEY_AUTH] = BOTH(certificate_auth),
        [JPKI_KEY_SIGN] = BOTH(certificate_sign),
    };
    char text[TEXT_BYTES];
    validity_text(facts, text);
    report(doctor, verdicts[facts->state],
           facts->state == CERTIFICATE_EARLY ? TEXT(doctor_certificate_early) : TEXT(reader_says),
           text_of(&names[key]), text);
    if (facts->state == CERTIFICATE_HIDDEN && key == JPKI_KEY_SIGN)
        remedy("jpki-tool status --sign-pin");
}

void check_certificates(struct doctor *doctor)
{
    for (size_t i = 0; i < doctor->reader_count; i++) {
        const struct survey *survey = &doctor->readers[i].survey;
        for (enum jpki_key key = 0; key < JPKI_KEYS && has_jpki(survey->kind); key++)
            report_certificate(doctor, &survey->certificates[key], key);
    }
}
